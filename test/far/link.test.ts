// The connection to a far machine, with a shell in the place of ssh.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { FarLink, keepAlive } from "../../src/engine/hosts/far-link.ts";
import { frameOf } from "../../src/far/frames.ts";
import { greeting, protocol } from "../../src/far/greeting.ts";
import { isHostName, sshCommand } from "../../src/far/ssh-command.ts";
import { Ssh, type Wire } from "../../src/far/ssh-process.ts";
import { clock } from "../../src/platform/clock.ts";
import { testNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";
import { Inside } from "../inside.ts";

const onLinux = testNeeding("Linux");

function linkTo(script: string) {
  const faults: unknown[] = [];
  const link = new FarLink({
    name: "box1",
    connect: () => new Ssh(["sh", "-c", script]),
    hello: () => ({ type: "status", protocol, version: "1" }),
    opened: () => undefined,
    received: () => undefined,
    failed: (error) => faults.push(error),
  });
  return { link, faults };
}

const because = ({ state }: FarLink) => (state.kind === "down" ? state.because : "up");

onLinux(
  "a jump that stays behind its ssh keeps no other connection from being tried, and is ended",
  async () => {
    using inside = new Inside();
    const pid = inside.file("pid");
    const { link } = linkTo(`sleep 1000 & echo $! > ${pid}; echo gone >&2; exit 1`);
    using _link = link;
    // Nobody says that a machine is unreachable while the first connection is only being made.
    expect(link.isFirstTry).toBe(true);
    await eventually(
      () => because(link) === "gone",
      () => because(link),
    );
    expect(link.isFirstTry).toBe(false);
    const jump = Number(readFileSync(pid, "utf8"));
    const isThere = () =>
      existsSync(`/proc/${jump}`) && !/\) Z /.test(readFileSync(`/proc/${jump}/stat`, "utf8"));
    await eventually(
      () => !isThere(),
      () => "it is still there",
    );
  },
);

onLinux("signs of life come several times within a lease, however short that is", async () => {
  using inside = new Inside();
  const words = Buffer.concat([
    Buffer.from(greeting),
    frameOf({ type: "welcome", version: "1", folder: "/", claude: {} }),
  ]);
  writeFileSync(inside.file("words"), words);
  const heard = inside.file("heard");
  const { link } = linkTo(`cat ${inside.file("words")}; exec cat > ${heard}`);
  using _link = link;
  using _alive = keepAlive(link, { leaseMs: 1_000, silentMs: 60_000 });
  const signs = () => (existsSync(heard) ? readFileSync(heard, "latin1").split('"lease"').length - 1 : 0);
  await eventually(
    () => signs() >= 3,
    () => `${signs()} signs`,
    30_000,
  );
});

onLinux("a list of machines that cannot be read is a reason to wait, and ends nothing", async () => {
  const link = new FarLink({
    name: "box1",
    connect: () => {
      throw new Error("damaged");
    },
    hello: () => ({ type: "status", protocol, version: "1" }),
    opened: () => undefined,
    received: () => undefined,
    failed: () => undefined,
  });
  using _link = link;
  expect(because(link)).toContain("damaged");
  await eventually(
    () => link.hasStayedDown(1),
    () => "it is not tried again",
  );
});

onLinux("no name of a machine is an option of ssh", () => {
  const names = ["-oProxyCommand=x", "-oProxyCommand=x@box1", "-x@box1"];
  expect(names.filter(isHostName)).toEqual([]);
  expect(["box1", "me@box2:22", "me-too@[::1]:22"].every(isHostName)).toBe(true);
  const words = sshCommand("me@box2:22", ["sh"], { PATH: process.env["PATH"] }) ?? ["--", "me@box2", "sh"];
  expect(words.slice(-3)).toEqual(["--", "me@box2", "sh"]);
});

test("a connection over which something long comes is not silent", async () => {
  let connections = 0;
  let bytes = 0;
  const welcome = frameOf({ type: "welcome", version: "1", folder: "/", claude: {} });
  const long = frameOf({ type: "data", id: "one", from: 0 }, new Uint8Array(100));
  const wire = (): Wire => {
    connections++;
    const { promise: exited, resolve } = Promise.withResolvers<string>();
    const output = async function* () {
      yield Buffer.concat([Buffer.from(greeting), welcome]);
      for (; bytes < long.length; bytes++) {
        yield long.subarray(bytes, bytes + 1);
        await clock.next("beat");
      }
    };
    const nothing = () => undefined;
    return { output: output(), exited, write: nothing, end: () => resolve(""), kill: resolve, say: nothing };
  };
  using link = new FarLink({
    name: "box1",
    connect: wire,
    hello: () => ({ type: "status", protocol, version: "1" }),
    opened: () => undefined,
    received: () => undefined,
    failed: () => undefined,
  });
  using _alive = keepAlive(link, { leaseMs: 1_000, silentMs: 1_000 });
  await eventually(
    () => bytes >= 10,
    () => `${bytes} bytes in ${connections} connections`,
  );
  expect({ connections, because: because(link) }).toEqual({ connections: 1, because: "up" });
});
