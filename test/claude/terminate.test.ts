// What a session is sent when it must end, in which order, and who is killed in the end.
import { expect, test } from "bun:test";
import type { Exit } from "../../src/claude/outcome.ts";
import type { SessionProcess } from "../../src/claude/session.ts";
import { terminate } from "../../src/claude/terminate.ts";
import { identityOf, livenessOf, ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { descendantsOf } from "../../src/platform/process-table.ts";
import { testNeeding } from "../facilities.ts";
import { eventually, kill } from "../harness.ts";

/** A session that writes down what it is sent. */
function recorded(sent: string[], identity: ProcessIdentity, exited: Promise<Exit>): SessionProcess {
  return {
    identity,
    marker: "m",
    isOurs: true,
    write: () => undefined,
    interrupt: () => void sent.push("interrupt"),
    closeInput: () => void sent.push("end of input"),
    exited,
    hadPidUntil: () => undefined,
  };
}

test("a session is interrupted first, and its input ends as soon as it has said what it spent", async () => {
  const sent: string[] = [];
  const exit = Promise.withResolvers<Exit>();
  const answered = Promise.withResolvers<void>();
  const ended = terminate(recorded(sent, ownIdentity(), exit.promise), answered.promise);
  expect(sent).toEqual(["interrupt"]);
  answered.resolve();
  await answered.promise;
  expect(sent).toEqual(["interrupt", "end of input"]);
  exit.resolve({ code: 0 });
  await ended;
});

test("one that goes by itself is sent nothing more, and killed by nobody", async () => {
  const sent: string[] = [];
  // It would be us.
  await terminate(recorded(sent, ownIdentity(), Promise.resolve({ code: 0 })), new Promise(() => undefined));
  expect(sent).toEqual(["interrupt"]);
});

testNeeding("Linux")(
  "one that does not go is killed with all that descends from it, but for what is shared",
  async () => {
    const script = "trap '' INT TERM; sleep 1000 & sleep 1001 & wait";
    await using child = Bun.spawn(["/bin/sh", "-c", script], { detached: true });
    const all = () => descendantsOf(child.pid);
    await eventually(
      () => all().length === 2,
      () => "it does not start its own",
    );
    const [shared, own] = all();
    const identity = identityOf(child.pid);
    if (!identity || !shared || !own) throw new Error("It has gone");
    const sent: string[] = [];
    const exited = child.exited.then((code) => ({ code }));
    try {
      await terminate(recorded(sent, identity, exited), Promise.resolve(), {
        graceMs: 1,
        spares: ({ pid }) => pid === shared.pid,
      });
      expect(child.signalCode).toBe("SIGKILL");
      expect(sent).toEqual(["interrupt", "end of input"]);
      await eventually(
        () => livenessOf(own) === "dead",
        () => "its own lives on",
      );
      expect(livenessOf(shared)).toBe("alive");
    } finally {
      await kill(shared);
    }
  },
);
