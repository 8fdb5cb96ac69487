// Which batches have lost their processes, and what becomes of them.
import { describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasSessions, isAbandoned } from "../../src/engine/runner/resume-batches.ts";
import type { Batch } from "../../src/model/event.ts";
import type { SessionRef } from "../../src/model/session-ref.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import type { BatchLog } from "../../src/store/batch-log.ts";
import type { BatchRow, Store } from "../../src/store/store.ts";
import { eventually, fakeClaude, Home, ofProgram } from "../harness.ts";
import { Inside } from "../inside.ts";
import { withoutResolver } from "../quiet.ts";
import { batchOf, living, lost } from "../store/samples.ts";

const minuteMs = 60_000;
/** Its pid is another process's now. */
const gone: ProcessIdentity = { ...ownIdentity(), startTicks: "0" };

describe("nobody runs a batch", () => {
  const rowWith = (given: Pick<BatchRow, "runner" | "keeper">, ageMs: number): BatchRow => {
    using inside = new Inside();
    const { store } = inside.context();
    const { batchId } = store.create(batchOf(1), Date.now() - ageMs);
    const row = store.row(batchId);
    if (!row) throw new Error("the batch has no row");
    return { ...row, ...given };
  };
  const none: Pick<BatchRow, "runner" | "keeper"> = {};
  const cases: [what: string, given: typeof none, ageMs: number, is: boolean][] = [
    ["whose processes are only just being started", none, 0, false],
    ["whose processes never came", none, 20_000, true],
    ["that was founded by a clock which was set back since", none, -20_000, true],
    ["whose runner lives", { runner: ownIdentity() }, 60 * minuteMs, false],
    ["whose keeper lives and starts the next runner", { runner: gone, keeper: ownIdentity() }, 0, false],
    ["whose runner has just died without a keeper", { runner: gone }, 0, true],
    ["whose keeper has died before it had a runner", { keeper: gone }, 0, true],
    ["that a container runs, which has just said that it lives", { runner: lost }, 0, false],
    ["that a container ran, which has said nothing for long", { runner: lost }, 2 * minuteMs, true],
  ];
  for (const [what, given, ageMs, is] of cases)
    test(`${what}: ${is ? "yes" : "no"}`, () => {
      expect(isAbandoned(rowWith(given, ageMs))).toBe(is);
    });
});

/** A batch of one task that lost its runner this long ago. */
function orphan(
  home: Home,
  store: Store,
  {
    agoMs = 0,
    runner = gone,
    account = "h",
    batch = {},
  }: { agoMs?: number; runner?: ProcessIdentity; account?: string; batch?: Partial<Batch> } = {},
): BatchLog {
  const founding = batchOf(1);
  const log = store.create(
    {
      ...founding,
      account: { hash: account, environment: { FAKE_CLAUDE_DEFAULT: '[[answer text="as before"]]' } },
      batch: {
        ...founding.batch,
        outputDirectory: join(home.output, founding.batch.batchId),
        claudePath: fakeClaude,
        workingDirectory: home.work,
        ...batch,
      },
    },
    Date.now() - agoMs,
  );
  const epoch = log.takeOver(runner);
  store.setAlive(log.batchId, epoch ?? 0, Date.now() - agoMs);
  return log;
}

/** Its task runs, in this process. */
function begin(log: BatchLog, identity: SessionRef): void {
  const { batchId } = log;
  log.append(() => [
    {
      type: "attempt-started",
      task: 1,
      attempt: 1,
      identity,
      sessionId: `session-${batchId}`,
      transcript: `/nowhere/${batchId}.ndjson`,
    },
  ]);
}

/** What a call of the program finds and starts again. */
async function resumedIn(home: Home, account = "h"): Promise<{ found: unknown; complaints: string }> {
  const program = [process.execPath, join(import.meta.dir, "resuming.ts"), home.state, account];
  const env = { ...home.environment, ...ofProgram };
  const child = Bun.spawn(program, { env, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { found: out === "" ? undefined : JSON.parse(out), complaints: withoutResolver(err) };
}

const hasEnded = (store: Store, { batchId }: BatchLog) => store.row(batchId)?.endedAt !== undefined;
const untilEnded = (store: Store, log: BatchLog) =>
  eventually(
    () => hasEnded(store, log),
    () => `it does not end: ${JSON.stringify(store.row(log.batchId))}`,
  );

test("a batch that lost its processes goes on, in the environment that it began with", async () => {
  await using home = new Home();
  using store = home.store();
  const log = orphan(home, store);
  expect(await resumedIn(home)).toEqual({ found: [log.batchId], complaints: "" });
  await untilEnded(store, log);
  log.refresh();
  expect(log.state).toMatchObject({ epoch: 2, counts: { succeeded: 1 } });
  const summary = join(home.output, log.batchId, `summary-${log.batchId}.json`);
  expect(await Bun.file(summary).json()).toMatchObject({ results: [{ result: "as before" }] });
  await home.empty();
});

test("nobody resumes a batch of another account, nor one that runs, nor one that nobody can look at", async () => {
  await using home = new Home();
  using store = home.store();
  const other = orphan(home, store, { account: "another" });
  const runner = living();
  orphan(home, store, { runner: runner.identity });
  orphan(home, store, { runner: lost, agoMs: 2 * minuteMs });
  expect(await resumedIn(home)).toEqual({ found: [], complaints: "" });
  expect(store.row(other.batchId)).toMatchObject({ epoch: 1, runner: gone });
  await runner.end();
});

test("a batch that lost its processes long ago waits for the user, unless a session of it still runs", async () => {
  await using home = new Home();
  using store = home.store();
  const agoMs = 11 * minuteMs;
  orphan(home, store, { agoMs });
  const session = living();
  const running = orphan(home, store, { agoMs });
  begin(running, session.identity);
  begin(orphan(home, store, { agoMs }), gone);
  const recent = orphan(home, store, { agoMs: 9 * minuteMs });
  expect((await resumedIn(home)).found).toEqual([running.batchId, recent.batchId].sort());
  await session.end();
  for (const log of [running, recent]) await untilEnded(store, log);
  await home.empty();
});

test("a batch whose tasks a fleet has run goes on, however long its machine was off, while the results are there", async () => {
  await using home = new Home();
  using store = home.store();
  const dayMs = 24 * 60 * minuteMs;
  const isGoneOnWith = (agoMs: number): boolean => {
    const log = orphan(home, store, { agoMs });
    begin(log, { fleet: "team", job: "b-1-1" });
    const row = store.row(log.batchId);
    return row !== undefined && hasSessions(store, row);
  };
  expect([isGoneOnWith(2 * dayMs), isGoneOnWith(8 * dayMs)]).toEqual([true, false]);
});

test("a batch that cannot be resumed stands in the way of no other one", async () => {
  await using home = new Home();
  using store = home.store();
  const broken = orphan(home, store);
  // A file where its folder would be.
  const folder = store.layout.batchDirectory(broken.batchId);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, ".."), { recursive: true });
  writeFileSync(folder, "");
  const whole = orphan(home, store);
  const { found, complaints } = await resumedIn(home);
  expect(found).toEqual([broken.batchId, whole.batchId].sort());
  expect(complaints).toMatch(
    new RegExp(`^Batch ${broken.batchId} could not be resumed: .* The next call tries again\\.\n$`),
  );
  await untilEnded(store, whole);
  expect(hasEnded(store, broken)).toBe(false);
  await home.empty();
});
