import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { identityOf, ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { treesOf } from "../../src/platform/process-trees.ts";
import { tableInPs } from "../../src/platform/processes/macos-programs.ts";
import { testNeeding } from "../facilities.ts";
import { kill } from "../harness.ts";
import { FakeSystem } from "./fake-system.ts";

const MB = 1e6;
// Windows has no such program, and pages of this size.
const pageBytes = Bun.which("getconf")
  ? Number(Bun.spawnSync(["getconf", "PAGESIZE"]).stdout.toString())
  : 4096;

/** A process of a fake `/proc`; of its memory, `pages` are private, and a hundred times as many shared. */
interface Fake {
  pid: number;
  parent: number;
  group?: number;
  session?: number;
  state?: string;
  name?: string;
  pages: number;
}

const startTicks = "4711";

function tableOf(...processes: Fake[]): FakeSystem {
  const files = processes.flatMap(
    ({ pid, parent, group = 1, session = 1, state = "S", name = "x", pages }) => [
      [
        `/proc/${pid}/stat`,
        `${pid} (${name}) ${state} ${parent} ${group} ${session} 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 ${startTicks} 3133440 393 18446744073709551615\n`,
      ],
      [`/proc/${pid}/statm`, `999999 ${pages * 101} ${pages * 100} 405 0 24554 0\n`],
    ],
  );
  return new FakeSystem({ "/proc/uptime": "1.00 1.00\n", ...Object.fromEntries(files) });
}

function root(pid: number, other: Partial<ProcessIdentity> = {}): ProcessIdentity {
  return { ...ownIdentity(), pid, startTicks, ...other };
}

/** In pages. */
function pagesOf(roots: [number, ProcessIdentity][], system: FakeSystem): Record<number, number> {
  const trees = treesOf(new Map(roots), new Map(), system);
  return Object.fromEntries([...trees].map(([key, { bytes }]) => [key, bytes / pageBytes]));
}

test("a tree is the root and all that descend from it, shared memory left out", () => {
  using system = tableOf(
    { pid: 1, parent: 0, pages: 1000 },
    { pid: 10, parent: 1, group: 10, session: 10, pages: 1 },
    { pid: 11, parent: 10, group: 10, session: 10, pages: 2 },
    { pid: 12, parent: 11, group: 12, session: 12, pages: 4 },
    { pid: 13, parent: 12, group: 12, session: 12, name: "a) S 1 (b", pages: 8 },
    { pid: 14, parent: 1, group: 14, session: 14, pages: 1000 },
  );
  expect(pagesOf([[7, root(10)]], system)).toEqual({ 7: 15 });
});

test("what lost its parent still belongs to the root whose group or session it is in", () => {
  using system = tableOf(
    { pid: 1, parent: 0, pages: 1000 },
    { pid: 10, parent: 1, group: 10, session: 10, pages: 1 },
    { pid: 11, parent: 1, group: 10, session: 10, pages: 2 },
    { pid: 12, parent: 1, group: 12, session: 10, pages: 4 },
    { pid: 13, parent: 12, group: 13, session: 13, pages: 8 },
    { pid: 14, parent: 1, group: 14, session: 14, pages: 1000 },
  );
  expect(pagesOf([[1, root(10)]], system)).toEqual({ 1: 15 });
});

test("each of several trees gets its own, and what is within another goes to the inner one alone", () => {
  using system = tableOf(
    { pid: 10, parent: 1, group: 10, session: 10, pages: 1 },
    { pid: 11, parent: 10, group: 10, session: 10, pages: 2 },
    { pid: 20, parent: 1, group: 20, session: 20, pages: 4 },
    { pid: 30, parent: 11, group: 30, session: 30, pages: 8 },
    { pid: 31, parent: 30, group: 30, session: 30, pages: 16 },
  );
  const roots: [number, ProcessIdentity][] = [
    [1, root(10)],
    [2, root(20)],
    [3, root(30)],
  ];
  expect(pagesOf(roots, system)).toEqual({ 1: 3, 2: 4, 3: 24 });
});

test.each([
  ["is not there", root(99)],
  ["is only a zombie", root(10)],
  ["has left its pid to another process", root(11, { startTicks: "4710" })],
  ["was there before the machine was started again", root(11, { boot: "another" })],
])("a root that %s has 0", (_, identity) => {
  using system = tableOf(
    { pid: 10, parent: 1, group: 10, session: 10, state: "Z", pages: 1 },
    { pid: 11, parent: 1, group: 11, session: 11, pages: 2 },
  );
  expect(pagesOf([[1, identity]], system)).toEqual({ 1: 0 });
});

testNeeding("Linux")("nothing is said of a root that lives where we cannot look", () => {
  using system = tableOf({ pid: 10, parent: 1, pages: 1 });
  expect(pagesOf([[1, root(10, { namespace: "elsewhere" })]], system)).toEqual({});
  const nowhere = { platform: "linux", root: "/there/is/nothing" } as const;
  expect(treesOf(new Map([[1, root(10)]]), new Map(), nowhere)).toEqual(new Map());
});

test("processes that end while they are looked at, and nonsense, count as nothing", () => {
  using system = tableOf(
    { pid: 10, parent: 11, group: 10, session: 10, pages: 1 },
    // A circle, as when a pid comes into use again between two looks.
    { pid: 11, parent: 12, pages: 1000 },
    { pid: 12, parent: 11, pages: 1000 },
    { pid: 13, parent: 10, pages: 2 },
    { pid: 14, parent: 10, pages: 4 },
    { pid: 15, parent: 10, pages: 8 },
  );
  system.write({
    "/proc/13/statm": "",
    "/proc/14/statm": "a b c",
    "/proc/15/stat": "",
    "/proc/16/other": "",
  });
  expect(pagesOf([[1, root(10)]], system)).toEqual({ 1: 1 });
});

test("what was seen in a tree stays in it when it leaves, with what it starts; a new process of its pid does not", () => {
  using system = tableOf(
    { pid: 1, parent: 0, pages: 1000 },
    { pid: 10, parent: 1, group: 10, session: 10, pages: 1 },
    { pid: 20, parent: 1, group: 20, session: 20, pages: 2 },
    { pid: 21, parent: 20, group: 20, session: 20, pages: 4 },
    { pid: 30, parent: 1, group: 30, session: 30, pages: 8 },
  );
  const seen = new Map([["it", [root(20), root(30, { startTicks: "4000" })]]]);
  const tree = treesOf(new Map([["it", root(10)]]), seen, system).get("it");
  expect(tree?.bytes).toBe(7 * pageBytes);
  expect(tree?.members.map(({ pid }) => pid).sort()).toEqual([10, 20, 21]);
});

// A process that touches 100 MB, says so, and stays until its input ends; with `more`, one that starts another first.
const toucher = `
  const more = process.argv.includes("more");
  if (more) {
    const other = Bun.spawn([process.execPath, "-e", process.env.TOUCHER], { detached: true, stdin: "pipe", stdout: "pipe" });
    await other.stdout.getReader().read();
  }
  globalThis.kept = Buffer.alloc(100e6, 1);
  console.log("touched");
  await Bun.stdin.text();`;

function startToucher(...args: string[]) {
  return Bun.spawn([process.execPath, "-e", toucher, ...args], {
    env: { ...process.env, TOUCHER: toucher },
    stdin: "pipe",
    stdout: "pipe",
    detached: true,
  });
}

// Wine counts the pages that processes share for each of them.
testNeeding("a system other than Windows")(
  "a real process of 100 MB with one of as much in a session of its own takes what both take",
  async () => {
    await using child = startToucher("more");
    await child.stdout.getReader().read();
    const identity = identityOf(child.pid);
    if (!identity) throw new Error("The child is not there");
    const roots = new Map([["it", identity]]);
    const bytes = treesOf(roots).get("it")?.bytes;
    expect(bytes).toBeGreaterThan(200 * MB);
    expect(bytes).toBeLessThan(260 * MB);
    await kill(identity);
    expect(treesOf(roots).get("it")?.bytes).toBe(0);
  },
);

testNeeding("sh")("a real process whose parent has gone is found by the group of the root", async () => {
  const script = `exec 3<&0; ("$BUN" -e "$TOUCHER" <&3 &); exec sleep 60`;
  await using child = Bun.spawn(["/bin/sh", "-c", script], {
    env: { ...process.env, BUN: process.execPath, TOUCHER: toucher },
    stdin: "pipe",
    stdout: "pipe",
    detached: true,
  });
  await child.stdout.getReader().read();
  const identity = identityOf(child.pid);
  if (!identity) throw new Error("The child is not there");
  expect(treesOf(new Map([[1, identity]])).get(1)?.bytes).toBeGreaterThan(100 * MB);
  process.kill(-child.pid, "SIGKILL");
});

testNeeding("Linux")("a look leaves no descriptor open", () => {
  // Those of children that end meanwhile come and go.
  const open = () =>
    readdirSync("/proc/self/fd")
      .map(targetOf)
      .filter((path) => path?.startsWith("/proc/"));
  const before = open();
  for (let look = 0; look < 20; look++) treesOf(new Map([[1, ownIdentity()]]));
  expect(open()).toEqual(before);
});

function targetOf(descriptor: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // The one by which the folder was read.
    return undefined;
  }
}

test("a table of macOS is read with starts as they stand in an identity", () => {
  const table = tableInPs(`    1     0     1 Ss    12345 Mon Jun  2 09:41:00 2025
  501     1   501 S+     2048 Tue Jun  3 10:00:00 2025
  502   501   501 Z         0 Tue Jun  3 10:00:01 2025
garbage
`);
  const rows = [...(table ?? [])].map(([pid, { bytes, ...row }]) => ({ pid, ...row, bytes: bytes() }));
  expect(rows).toMatchObject([
    { pid: 1, parent: 0, group: 1, bytes: 12_345 * 1024 },
    {
      pid: 501,
      parent: 1,
      group: 501,
      state: "S+",
      startTicks: "Tue Jun 3 10:00:00 2025",
      bytes: 2048 * 1024,
    },
    { pid: 502, parent: 501, group: 501, state: "Z", bytes: 0 },
  ]);
  expect(tableInPs("")).toBeUndefined();
});
