// One round with a batch that has all parts: what is done to it while it runs, and what has become of it.
import { z } from "zod";
import { type BatchId, batchIdSchema } from "../../src/model/batch-id.ts";
import { eventually, Home, killAllOf } from "../harness.ts";
import { newestRow } from "../running.ts";
import { Door } from "./door.ts";
import { faultsOf } from "./plan.ts";
import { Random } from "./random.ts";
import { type ReuseSessions, type Round, reuseDrawn, strikeAll, untilEnded } from "./round.ts";
import type { Violation } from "./verdict.ts";
import { type File, filesFor, wholeExtras, wholeInput } from "./whole-batch.ts";
import { judgeNext, judgeWhole, notesIn } from "./whole-verdict.ts";

interface WholePlan {
  seed: number;
  /** Faults in a round, the ends included. */
  least: number;
  most: number;
  /** Whether a process may run several tasks; drawn unless it is said. */
  reuseSessions?: ReuseSessions | undefined;
}

/** Runs one round. Never throws for what it finds; what it finds is in `violations`. */
export async function runWholeRound({
  seed,
  least,
  most,
  reuseSessions = reuseDrawn(seed),
}: WholePlan): Promise<Round> {
  const began = performance.now();
  const random = new Random(seed);
  const faults = faultsOf(random, { least, most });
  const home = new Home({ PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "1" });
  const files = filesFor(home, random);
  const input = { ...wholeInput(random), reuseSessions };
  const extras = wholeExtras(random);
  await using door = await Door.open(home);
  const remembered = await remembersSome(home, door, input, files);
  const before = notesIn(home).length;
  const batchId = await begin(home, door, { ...input, ...extras, forEach: { glob: "src/**/*.ts" } });
  const over = new AbortController();
  using store = home.store();
  const done: string[] = [];
  const stage = { home, store, batchId, doorPid: () => door.pid, over: over.signal, random };
  const [end] = await Promise.all([
    untilEnded(door, batchId).finally(() => over.abort()),
    strikeAll(stage, faults, done),
  ]);
  const exported = await door.call("export_batch", { batchId, format: "csv" });
  const isHit = done.some((fault) => /session|everything|descendants/.test(fault));
  const ended = { home, store, batchId, doorPid: door.pid };
  const file = z.string().safeParse(exported.data?.["file"]).data;
  const verdict = await judgeWhole(ended, { files, before, remembered, isHit, exported: file });
  const violations: Violation[] = [...end.violations, ...verdict.violations];
  if (violations.length === 0) violations.push(...(await judgeNext(ended, { files, door, input })));
  await door[Symbol.asyncDispose]();
  // Of a round that went wrong, files stay to be looked at; what still runs must not disturb the next one.
  if (violations.length === 0) await home[Symbol.asyncDispose]();
  else killAllOf(home);
  return {
    ...verdict,
    violations,
    seed,
    reuseSessions,
    faults: done,
    doors: door.connections,
    interrupted: end.interrupted,
    seconds: (performance.now() - began) / 1000,
    ...(violations.length > 0 ? { kept: home.path } : {}),
  };
}

// An earlier batch over some of the files, in peace. Gives how many answers the next one finds.
async function remembersSome(home: Home, door: Door, input: object, files: readonly File[]): Promise<number> {
  const some = files.filter(({ key }) => key.startsWith("src/a/")).slice(0, 3);
  const changedAt = Date.now();
  // An answer that may depend on a change in the moment of a start is not remembered.
  await eventually(
    () => Date.now() - changedAt > 500,
    () => "the files grow old",
  );
  const glob = some.map(({ key }) => key);
  const { text } = await door.call("spawn_parallel_claude_sessions", {
    ...input,
    forEach: { glob },
    asyncMode: true,
    outputDirectory: home.file("earlier"),
  });
  const batchId = newestRow(home)?.batchId;
  if (batchId === undefined) throw new Error(`The batch before did not begin: ${text}`);
  await untilEnded(door, batchId);
  await home.empty({ but: door.pid });
  return some.length;
}

async function begin(home: Home, door: Door, input: Record<string, unknown>): Promise<BatchId> {
  const earlier = newestRow(home)?.batchId;
  const { text } = await door.call("spawn_parallel_claude_sessions", input);
  const batchId = newestRow(home)?.batchId;
  if (batchId === undefined || batchId === earlier) throw new Error(`The batch did not begin: ${text}`);
  return batchIdSchema.parse(batchId);
}
