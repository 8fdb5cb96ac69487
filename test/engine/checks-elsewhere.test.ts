// Commands that check an answer on another machine, which may be away meanwhile.
import { describe, expect, test } from "bun:test";
import type { Exit } from "../../src/claude/outcome.ts";
import { TranscriptReader } from "../../src/claude/transcript.ts";
import { AccountHolds } from "../../src/engine/account/account-holds.ts";
import type { AttemptEnd } from "../../src/engine/attempt/attempt.ts";
import { RunningCommand } from "../../src/engine/attempt/running-command.ts";
import type { SessionHost, Start } from "../../src/engine/attempt/session-host.ts";
import { Checks } from "../../src/engine/runner/checks.ts";
import { RunnerLog } from "../../src/engine/runner/runner-log.ts";
import { RunningNow } from "../../src/engine/runner/running-now.ts";
import { sessionOptions } from "../../src/model/options.ts";
import { noValues } from "../../src/model/session-values.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Holds } from "../../src/store/holds.ts";
import { Inside } from "../inside.ts";

const away = (how: "waited-for" | "given-up"): Start => ({
  started: false,
  kind: "passing",
  because: "box1 is away",
  away: how,
});

/** What a check of a good answer comes to, if its command starts, or ends, one after the other, like this. */
async function verified(inside: Inside, runs: (Start | (Exit & { isLost?: boolean }))[]) {
  const context = inside.context();
  const { store } = context;
  const options = sessionOptions.parse({ expect: { command: "true" } });
  const batch = inside.batch(context, { tasks: [{ prompt: "one" }], batch: { hosts: ["box1"] } });
  let asked = 0;
  const host: SessionHost = {
    start: async ({ transcript, stderr }) => {
      const next = runs[asked++] ?? { code: 1 };
      if ("started" in next) return next;
      const { isLost = false, ...exit } = next;
      for (const path of [transcript, stderr]) await Bun.write(path, "");
      const session = {
        ref: { host: "box1", id: `${asked}` },
        output: new TranscriptReader(transcript),
        write: () => undefined,
        closeInput: () => undefined,
        exited: Promise.resolve(exit),
        isLost: () => isLost,
        end: async () => [],
      };
      return { started: true, session };
    },
    adopt: () => {
      throw new Error("Nothing is adopted here");
    },
    canResume: () => false,
    whyWait: () => undefined,
    endShared: async () => undefined,
  };
  const holds = new AccountHolds(new Holds(store.database, "a"), ownIdentity(), {
    patienceMs: 0,
    isAttended: false,
  });
  const checks = new Checks({
    log: new RunnerLog(batch.log, 1, () => undefined),
    host,
    layout: store.layout,
    holds,
    running: new RunningNow(),
    environment: {},
    values: noValues,
    progressed: () => undefined,
  });
  const end: AttemptEnd = {
    outcome: { kind: "succeeded", length: 4, offset: 7 },
    usage: { numTurns: 1, durationMs: 1, costUsd: 0 },
    leaked: [],
    resumable: false,
    remarks: [],
    text: "good",
  };
  const about = {
    number: 1,
    attempt: 1,
    options,
    marker: "m",
    transcript: "none",
    workingDirectory: "box1:/",
  };
  const { outcome } = await checks.verify(about, end);
  return { outcome, asked };
}

describe("a check on another machine", () => {
  test("waits for the machine, and is made anew if nobody saw how its command ended", async () => {
    using inside = new Inside();
    const { outcome, asked } = await verified(inside, [away("waited-for"), {}, { code: 0 }]);
    expect({ kind: outcome.kind, asked }).toEqual({ kind: "succeeded", asked: 3 });
  });

  test("is made three times at most, if nobody ever sees that", async () => {
    using inside = new Inside();
    const { outcome, asked } = await verified(inside, [{}, {}, {}, { code: 0 }]);
    expect({ kind: outcome.kind, asked }).toEqual({ kind: "unverified", asked: 3 });
  });

  test("is made anew, however often its command was ended because the machine was away for too long", async () => {
    using inside = new Inside();
    const lost = { signal: "SIGTERM", isLost: true } as const;
    const { outcome, asked } = await verified(inside, [lost, lost, lost, { code: 0 }]);
    expect({ kind: outcome.kind, asked }).toEqual({ kind: "succeeded", asked: 4 });
  });

  test("of a machine that was given up is no fault of the answer: the task runs again", async () => {
    using inside = new Inside();
    const { outcome } = await verified(inside, [away("given-up")]);
    expect(outcome).toMatchObject({ kind: "crashed", lost: true, interimOffsets: [7] });
  });
});

test("a command is not out of time while what its machine says is not here", () => {
  using inside = new Inside();
  let isCurrent = false;
  let ends = 0;
  const session = {
    ref: { host: "box1", id: "one" },
    write: () => undefined,
    closeInput: () => undefined,
    exited: new Promise<Exit>(() => undefined),
    isCurrent: () => isCurrent,
    end: async () => {
      ends++;
      return [];
    },
  };
  const files = { stdout: inside.file("out"), stderr: inside.file("err") };
  const command = new RunningCommand({ command: "true", session, timeoutSeconds: 0, ...files });
  command.checkClocks();
  expect(ends).toBe(0);
  isCurrent = true;
  command.checkClocks();
  expect(ends).toBe(1);
});
