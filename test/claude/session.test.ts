// A session's process: how it is started and fed, what it inherits, how its end is seen, and how one is adopted.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { adoptSession, type SessionPlan, type Start, startSession } from "../../src/claude/session.ts";
import { identityOf, livenessOf, ownIdentity } from "../../src/platform/process.ts";
import { markerVariable } from "../../src/platform/session-variables.ts";
import { describeNeeding } from "../facilities.ts";
import { eventually, Home } from "../harness.ts";
import { idle } from "../idle.ts";

/** What runs this script of a shell as a session. */
function planOf(home: Home, script: string, more: Partial<SessionPlan> = {}): SessionPlan {
  return {
    command: ["/bin/sh", "-c", script],
    workingDirectory: home.work,
    environment: { PATH: "/usr/bin:/bin", OWN: "value" },
    marker: "marker-1",
    transcript: home.file("transcript.ndjson"),
    stderr: home.file("stderr.txt"),
    ...more,
  };
}

function begun(start: Start) {
  if (!start.started) throw new Error(start.message);
  return start;
}

describeNeeding("a system other than Windows")("a session", () => {
  test("gets lines and an end of input, writes into files, and tells its exit code", async () => {
    await using home = new Home();
    const { session, reader } = begun(
      await startSession(planOf(home, 'read line; echo "$line"; cat; echo no >&2; exit 3')),
    );
    using _ = reader;
    expect(session).toMatchObject({ isOurs: true, marker: "marker-1" });
    expect(livenessOf(session.identity)).toBe("alive");
    expect(session.hadPidUntil()).toBeUndefined();
    session.write("first\n");
    session.interrupt();
    session.closeInput();
    expect(await session.exited).toEqual({ code: 3 });
    expect(session.hadPidUntil()).toBeNumber();
    const [first, interrupt = ""] = readFileSync(home.file("transcript.ndjson"), "utf8").split("\n");
    expect(first).toBe("first");
    expect(JSON.parse(interrupt)).toMatchObject({
      type: "control_request",
      request: { subtype: "interrupt" },
    });
    expect(readFileSync(home.file("stderr.txt"), "utf8")).toBe("no\n");
    reader.finish();
    expect(reader.reading).toMatchObject({ messages: 1, otherLines: 1 });
    for (const name of ["transcript.ndjson", "stderr.txt"])
      expect(statSync(home.file(name)).mode & 0o777).toBe(0o600);
    // Whatever is said to one that has gone is lost, and harms nobody.
    session.write("late\n");
    session.interrupt();
    session.closeInput();
  });

  test("tells the signal that ended it", async () => {
    await using home = new Home();
    const { session, reader } = begun(await startSession(planOf(home, "kill -KILL $$")));
    using _ = reader;
    expect(await session.exited).toEqual({ signal: "SIGKILL" });
  });

  test("has its own environment and nothing of ours, its directory, its mark, and a group of its own", async () => {
    await using home = new Home();
    const script = 'echo "$OWN|$HOME|$PWD|$(pwd)|$MARK|$(ps -o pgid= -p $$ | tr -d " ")|$$"';
    const plan = planOf(home, script.replace("MARK", markerVariable));
    const { session, reader } = begun(await startSession(plan));
    using _ = reader;
    session.closeInput();
    await session.exited;
    const said = readFileSync(home.file("transcript.ndjson"), "utf8").trim().split("|");
    const { pid } = session.identity;
    expect(said).toEqual(["value", "", home.work, home.work, "marker-1", String(pid), String(pid)]);
  });

  test("gets texts in files that nobody else can read", async () => {
    await using home = new Home();
    const path = home.file("private/settings.json");
    const files = [{ path, text: "secret" }];
    const { session, reader } = begun(await startSession(planOf(home, `cat '${path}'`, { files })));
    using _ = reader;
    session.closeInput();
    await session.exited;
    expect(readFileSync(home.file("transcript.ndjson"), "utf8")).toBe("secret");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

describe("a start that fails says why, and leaves no files behind", () => {
  test("where there is no such program or directory", async () => {
    await using home = new Home();
    const plans: [Partial<SessionPlan>, RegExp][] = [
      [{ command: [home.file("none")] }, /ENOENT|Executable not found/],
      [{ workingDirectory: home.file("none") }, /ENOENT/],
    ];
    for (const [more, why] of plans) {
      const start = await startSession(planOf(home, "true", more));
      expect(start).toMatchObject({ started: false, code: "ENOENT", atOutput: false });
      const message = start.started ? "" : start.message;
      expect(message).toStartWith(
        `The session could not be started in ${more.workingDirectory ?? home.work}: `,
      );
      expect(message).toMatch(why);
      for (const name of ["transcript.ndjson", "stderr.txt"]) expect(existsSync(home.file(name))).toBe(false);
    }
  });

  test("where a name of its output is taken, which stays", async () => {
    await using home = new Home();
    await Bun.write(home.file("stderr.txt"), "of another one");
    expect(await startSession(planOf(home, "true"))).toMatchObject({
      started: false,
      code: "EEXIST",
      atOutput: true,
    });
    expect(readFileSync(home.file("stderr.txt"), "utf8")).toBe("of another one");
    expect(existsSync(home.file("transcript.ndjson"))).toBe(false);
    mkdirSync(home.file("transcript.ndjson"));
    expect(await startSession(planOf(home, "true"))).toMatchObject({ started: false, atOutput: true });
  });

  test("without repeating a value that no process can be given", async () => {
    await using home = new Home();
    const start = await startSession(planOf(home, "true", { command: ["/bin/echo", "secret\0value"] }));
    expect(start).toEqual({
      started: false,
      message: `The session could not be started in ${home.work}: an argument or a variable cannot be passed to a process.`,
      atOutput: false,
    });
  });
});

describeNeeding("a system other than Windows")("a session that another runner started", () => {
  test("can be asked by a signal alone, and is seen to be gone", async () => {
    await using child = Bun.spawn(
      ["/bin/sh", "-c", "trap 'exit 0' INT; echo ready; while :; do sleep 0.01; done"],
      {
        stdout: "pipe",
      },
    );
    for await (const _ of child.stdout) break;
    const identity = identityOf(child.pid);
    if (!identity) throw new Error("It has gone");
    const session = adoptSession(identity, "marker-2");
    expect(session).toMatchObject({ identity, marker: "marker-2", isOurs: false });
    expect(session.hadPidUntil()).toBeNumber();
    // Its input ended with the runner that had it.
    session.write("x\n");
    session.closeInput();
    expect(livenessOf(identity)).toBe("alive");
    session.interrupt();
    expect(await session.exited).toEqual({});
    await child.exited;
    expect(livenessOf(identity)).toBe("dead");
  });

  test("that has gone already is seen at once, and never to have had its pid", async () => {
    const child = Bun.spawn(idle);
    const identity = identityOf(child.pid);
    if (!identity) throw new Error("It has gone");
    child.kill("SIGKILL");
    await child.exited;
    await eventually(
      () => livenessOf(identity) === "dead",
      () => "it is still there",
    );
    const session = adoptSession(identity, "m");
    expect(await session.exited).toEqual({});
    expect(session.hadPidUntil()).toBeUndefined();
  });

  test("in a container that has gone is not waited for", async () => {
    const session = adoptSession({ ...ownIdentity(), namespace: "of a container that is gone" }, "m");
    expect(await session.exited).toEqual({});
    expect(session.hadPidUntil()).toBeUndefined();
  });
});
