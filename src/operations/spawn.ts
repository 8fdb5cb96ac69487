// The two tools that every client knows.
import { standingOf } from "../engine/standing.ts";
import { startKeeper } from "../engine/start.ts";
import { variableOf } from "../model/configuration.ts";
import type { Batch } from "../model/event.ts";
import { doneCount } from "../model/state.ts";
import { ownIdentity } from "../platform/process.ts";
import {
  type BatchAnswer,
  batchAnswerSchema,
  countsText,
  heldText,
  sessionAnswerOf,
  sessionAnswerSchema,
} from "../report/answer.ts";
import type { BatchLog } from "../store/batch-log.ts";
import type { BatchRow } from "../store/store.ts";
import { accountOf } from "./account.ts";
import { answerNow } from "./answer-now.ts";
import { type Context, Fault, valueOrFault } from "./context.ts";
import { rowOf } from "./find-batch.ts";
import { follow } from "./follow.ts";
import { rateFault } from "./guard.ts";
import { type Call, ClientEnded, type Operation } from "./operation.ts";
import { handOverDirectory, planBatch } from "./plan.ts";
import { parallelInput, sessionInput } from "./spawn-input.ts";

/** Of all results of an answer together, in characters. One message may have 10 MB; text and data each hold all. */
const mostCharacters = 1_000_000;

/** A cancellation that comes so late is a client's time-out, whatever it says (product contract). */
const lateCancelMs = 25_000;

/** A pause that ends sooner is waited for, in milliseconds. */
const shortPauseMs = 5_000;

/** Between signs of life to a client whose batch shows none. */
const heartbeatMs = 10_000;

const annotations = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
};

export const spawnSession: Operation<typeof sessionInput, typeof sessionAnswerSchema> = {
  name: "spawn_claude_session",
  title: "Run one Claude Code session",
  description:
    "Runs one headless Claude Code session on a task, in a directory of its own choice, and returns what it answered. For several independent tasks use spawn_parallel_claude_sessions: one call runs them all at once. The default permission mode denies edits and most commands: name what the task needs in allowedTools. When `state` is `running`, the session goes on; ask with wait_for_batch.",
  input: sessionInput,
  output: sessionAnswerSchema,
  annotations,
  run: async (context, input, call) =>
    sessionAnswerOf(await spawn(context, "spawn_claude_session", input, call)),
};

export const spawnParallel: Operation<typeof parallelInput, typeof batchAnswerSchema> = {
  name: "spawn_parallel_claude_sessions",
  title: "Run many Claude Code sessions in parallel",
  description:
    "Runs many headless Claude Code sessions at once, one for each task, and returns every result. Put all independent tasks into one call. With asyncMode it answers at once and results go to files as they come (best from ten tasks on, or two minutes each); without, it waits, and answers with what has ended so far when the wait gets long: `state` is then `running`, the batch goes on, and wait_for_batch tells more. The default permission mode denies edits and most commands: name what the tasks need in allowedTools.",
  input: parallelInput,
  output: batchAnswerSchema,
  annotations,
  run: (context, input, call) => spawn(context, "spawn_parallel_claude_sessions", input, call),
};

async function spawn(
  context: Context,
  startedBy: Batch["startedBy"],
  input: unknown,
  call: Call,
): Promise<BatchAnswer> {
  const batch = valueOrFault(planBatch(context, startedBy, input));
  const log = create(context, batch, !batch.asyncMode);
  await carry(context, log);
  if (batch.asyncMode) return answer(context, log, startedText(batch, context));
  return waitFor(context, log, call);
}

/** Starts the processes that carry a batch. When that fails, the batch ends at once: nobody will ever carry it. */
export async function carry({ store }: Context, log: BatchLog): Promise<void> {
  try {
    await startKeeper(store, log.batchId);
  } catch (error) {
    log.append(() => [{ type: "cancel-requested", by: "user" }, { type: "batch-ended" }]);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault(`Batch ${log.batchId} could not be started, and nothing has run: ${reason}`);
  }
}

/** Founds the batch. With a leash, it lives as long as this process wants it. */
export function create(context: Context, batch: Batch, leashed: boolean): BatchLog {
  const { store } = context;
  const account = accountOf(process.env, store.salt());
  const tooMany = rateFault(context, account.hash);
  if (tooMany !== undefined) throw new Fault(`Nothing was started: ${tooMany}`);
  const leash = leashed ? { leash: ownIdentity() } : {};
  return store.create({ type: "batch-created", batch, account, ...leash }, Date.now());
}

async function waitFor(context: Context, log: BatchLog, call: Call): Promise<BatchAnswer> {
  const { store, configuration } = context;
  const progress = progressOf(call);
  const heartbeat = setInterval(() => progress(log.state), heartbeatMs);
  const ended = await follow(store, log, {
    until: call.startedAt + configuration.syncWaitSeconds * 1000,
    signal: call.signal,
    changed: (state) => progress(state),
    enough: () => {
      const row = rowOf(context, log);
      return standingOf(row) === "interrupted" || isPaused(row);
    },
  });
  clearInterval(heartbeat);
  if (ended) return answer(context, log, countsText(log.state));
  if (call.signal.aborted && !handsOver(call)) {
    log.append((state) => (state.endedAt === undefined ? [{ type: "cancel-requested", by: "client" }] : []));
    return answer(context, log, "Cancelled by the client.");
  }
  handOver(context, log);
  const { held } = rowOf(context, log);
  return answer(
    context,
    log,
    `${countsText(log.state)}${held ? ` ${heldText(held)}` : ""} The batch goes on without this call. Ask with wait_for_batch (batchId ${log.batchId}) until \`state\` is \`finished\`; results also appear in ${log.state.outputDirectory}.`,
  );
}

// Nothing runs, and nothing will for a while: whoever waits is told at once why.
function isPaused({ held, counts }: BatchRow): boolean {
  return held !== undefined && counts.running === 0 && (held.until ?? Infinity) > Date.now() + shortPauseMs;
}

/** From now on the batch goes on by itself, and its files go where the user looks for them. */
function handOver(context: Context, log: BatchLog): void {
  log.append((state) => {
    if (state.endedAt !== undefined) return [];
    const outputDirectory = handOverDirectory(context.configuration, state.batch);
    return [{ type: "leash-released", ...(outputDirectory === undefined ? {} : { outputDirectory }) }];
  });
}

// A client that gave up waiting must not cost anybody the work; one that changed its mind must.
function handsOver({ signal, startedAt }: Call): boolean {
  if (signal.reason instanceof ClientEnded) return false;
  return /timed?[ -]?out/i.test(String(signal.reason)) || performance.now() - startedAt >= lateCancelMs;
}

function answer(context: Context, log: BatchLog, message: string): BatchAnswer {
  return answerNow(context, log, { mostCharacters, message });
}

function startedText(batch: Batch, { configuration }: Context): string {
  const count = batch.tasks.length === 1 ? "1 task" : `${batch.tasks.length} tasks`;
  const { concurrency } = batch;
  const because =
    concurrency === configuration.concurrency
      ? ` (the machine's slots; ${variableOf("concurrency")} sets them)`
      : "";
  const most =
    concurrency !== "auto" && batch.tasks.length > concurrency
      ? `, at most ${concurrency} at once${because}`
      : "";
  return `${count} started${most}; results in ${batch.outputDirectory}. Ask with wait_for_batch (batchId ${batch.batchId}).`;
}

// Progress must strictly increase, also where nothing has ended between two signs of life.
function progressOf(call: Call): (state: BatchLog["state"]) => void {
  let last = -1;
  return (state) => {
    const done = doneCount(state.counts);
    last = last < done ? done : last + (done + 1 - last) / 1_000;
    const { running } = state.counts;
    const cost = state.totalCostUsd > 0 ? `, $${state.totalCostUsd.toFixed(2)} so far` : "";
    call.progress(
      last,
      state.tasks.length,
      `${done} of ${state.tasks.length} ended, ${running} running${cost}`,
    );
  };
}
