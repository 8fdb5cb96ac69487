// The two tools that every client knows.
import { resumeBatch } from "../engine/runner/resume-batches.ts";
import { startKeeper } from "../engine/runner/start-processes.ts";
import type { BatchId } from "../model/batch-id.ts";
import { variableOf } from "../model/configuration.ts";
import type { Batch, EventBody } from "../model/event.ts";
import type { SessionValues } from "../model/session-values.ts";
import type { BatchState } from "../model/state.ts";
import { livenessWatch } from "../platform/liveness-watch.ts";
import { writePrivateFiles } from "../platform/private-files.ts";
import { ownIdentity } from "../platform/process.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { sessionAround } from "../platform/process-table.ts";
import { messageOf } from "../platform/system-error.ts";
import { countText } from "../report/amounts.ts";
import {
  type BatchAnswer,
  batchAnswerSchema,
  countsText,
  heldText,
  sessionAnswerOf,
  sessionAnswerSchema,
} from "../report/answer.ts";
import { oneLine } from "../report/harmless.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { stateWordOf } from "../store/batch-status.ts";
import { patiently } from "../store/patiently.ts";
import { accountOf } from "./account.ts";
import { answerNow, clientAnswerNow } from "./answer-now.ts";
import { commandLineCharacters } from "./client-limits.ts";
import { type Context, UserError, valueOrThrow } from "./context.ts";
import { dryRunAnswer } from "./dry-run.ts";
import { rowOf } from "./find-batch.ts";
import { follow } from "./follow.ts";
import { rateFault } from "./guard.ts";
import { handOverDirectory } from "./hand-over-directory.ts";
import { writeAnswers } from "./inputs/earlier-results.ts";
import { isHeldLong } from "./news.ts";
import { type Call, type Caller, ClientEnded, ConnectionLost, type Tool } from "./operation.ts";
import { type PlannedBatch, planBatch } from "./plan.ts";
import { Progress } from "./progress.ts";
import { parallelInput, sessionInput } from "./spawn-input.ts";

/** A cancellation after this time is a client's timeout, whatever it says, in milliseconds (product contract). */
const lateCancelMs = 25_000;

const annotations = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
};

export const spawnSession: Tool<typeof sessionInput, typeof sessionAnswerSchema> = {
  name: "spawn_claude_session",
  title: "Run one Claude Code session",
  when: "Use this for one self-contained task.",
  description:
    "Runs one headless Claude Code session on a task, in the directory you give, and returns its answer. For several tasks that do not need each other's results, make one call of spawn_parallel_claude_sessions, which also describes all options of a session: this tool takes them too. The session sees nothing of this conversation. By default it may not edit files or run most commands; permissionMode and allowedTools allow more. If `state` is `running`, the session continues in the background: call wait_for_batch.",
  input: sessionInput,
  output: sessionAnswerSchema,
  annotations,
  run: async (context, input, call) =>
    sessionAnswerOf(await spawn(context, "spawn_claude_session", input, call)),
  start: (context, input, caller) => startAlone(context, "spawn_claude_session", { input, caller }),
};

export const spawnParallel: Tool<typeof parallelInput, typeof batchAnswerSchema> = {
  name: "spawn_parallel_claude_sessions",
  title: "Run many Claude Code sessions in parallel",
  when: "Use this when work divides into tasks that do not need each other's results, such as reviewing, changing or testing many files.",
  description:
    "Runs many headless Claude Code sessions in parallel, one per task, and returns every result. Put all tasks in one call. With asyncMode, the call answers at once and writes results to files, which is best for ten tasks or more, or for tasks of two minutes or more each. If `state` is `running`, the batch continues in the background: call wait_for_batch, then read_batch_results. Sessions see neither this conversation nor each other. By default they may not edit files or run most commands; permissionMode and allowedTools allow more.",
  input: parallelInput,
  output: batchAnswerSchema,
  annotations,
  run: (context, input, call) => spawn(context, "spawn_parallel_claude_sessions", input, call),
  start: (context, input, caller) => startAlone(context, "spawn_parallel_claude_sessions", { input, caller }),
};

async function spawn(
  context: Context,
  startedBy: Batch["startedBy"],
  input: unknown,
  call: Call,
): Promise<BatchAnswer> {
  const planned = valueOrThrow(await planBatch(context, startedBy, input));
  if (planned.isDryRun)
    return dryRunAnswer(context, planned, call.limits?.answerCharacters ?? commandLineCharacters);
  const { batch, values } = planned;
  const log = await create(context, from(call, planned), !batch.asyncMode);
  await startProcesses(context, log, values);
  if (batch.asyncMode) return answer(context, log, call, startedText(batch, context));
  return waitFor(context, log, call, values);
}

/** Without a leash, and handed over from the beginning: its files go where the user looks for them. */
async function startAlone(
  context: Context,
  startedBy: Batch["startedBy"],
  { input, caller }: { input: unknown; caller: Caller },
): Promise<BatchId | undefined> {
  const planned = valueOrThrow(await planBatch(context, startedBy, input));
  const { batch, values, isDryRun } = planned;
  if (batch.asyncMode || isDryRun) return undefined;
  const log = await create(context, from(caller, planned), false);
  await handOver(context, log);
  await startProcesses(context, log, values);
  return log.batchId;
}

function from({ client, within }: Caller, planned: PlannedBatch): PlannedBatch {
  const known = {
    ...(client === undefined ? {} : { client: oneLine(client, 60) }),
    ...(within ? { within } : {}),
  };
  return { ...planned, batch: { ...planned.batch, ...known } };
}

/** Starts a planned batch without a waiting call. */
export async function spawnDetached(context: Context, planned: PlannedBatch): Promise<BatchLog> {
  const log = await create(context, planned, false);
  await startProcesses(context, log, planned.values);
  return log;
}

// Starts the processes of a batch. If that fails, the batch ends at once, because nobody will ever run it.
async function startProcesses({ store }: Context, log: BatchLog, values: SessionValues): Promise<void> {
  try {
    await startKeeper(store, log.batchId, { values });
  } catch (error) {
    await patiently(() =>
      log.append(() => [{ type: "cancel-requested", by: "user" }, { type: "batch-ended" }]),
    );
    const reason = messageOf(error);
    throw new UserError(`Batch ${log.batchId} could not be started, and nothing ran: ${reason}`);
  }
}

/**
 * Creates the batch. With a leash, it lives while this process wants it; without one, as long as the session around this
 * process, if there is one. `isCounted`: whether it must not be one of too many in a minute.
 */
export async function create(
  context: Context,
  { batch, files, answers, keepVersion }: PlannedBatch,
  leashed: boolean,
  { isCounted = true }: { isCounted?: boolean } = {},
): Promise<BatchLog> {
  const { store } = context;
  keepVersion();
  const account = accountOf(process.env, store.salt());
  const tooMany = isCounted ? rateFault(context, account.hash) : undefined;
  if (tooMany !== undefined) throw new UserError(`Nothing was started: ${tooMany}`);
  await writePrivateFiles(files);
  await writeAnswers(answers);
  const leash = leashed ? { leash: ownIdentity() } : outerLeash();
  return patiently(() => store.create({ type: "batch-created", batch, account, ...leash }, Date.now()));
}

async function waitFor(
  context: Context,
  log: BatchLog,
  call: Call,
  values: SessionValues,
): Promise<BatchAnswer> {
  const { store, configuration } = context;
  const waitSeconds = call.limits?.waitSeconds ?? configuration.syncWaitSeconds;
  using progress = new Progress(call, log);
  const liveness = livenessWatch();
  const isLost = () => stateWordOf(rowOf(context, log), Date.now(), liveness) === "interrupted";
  const wait = () =>
    follow(store, log, {
      until: call.startedAt + waitSeconds * 1000,
      signal: call.signal,
      changed: (state) => progress.tell(state),
      enough: (_, row) => stateWordOf(row(), Date.now(), liveness) === "interrupted" || isHeldLong(row()),
    });
  let ended = await wait();
  // Keeper and runner were killed, but the waiting caller is still here: resume the batch at once, but only once.
  if (!ended && !call.signal.aborted && isLost()) {
    await resumeBatch(store, rowOf(context, log), values);
    ended = await wait();
  }
  if (ended) return answer(context, log, call);
  if (call.signal.aborted && !handsOver(call)) {
    await patiently(() =>
      log.append((state) =>
        state.endedAt === undefined ? [{ type: "cancel-requested", by: "client" }] : [],
      ),
    );
    return answer(context, log, call);
  }
  await handOver(context, log);
  if (isLost()) return answer(context, log, call);
  const { held } = rowOf(context, log);
  return answer(
    context,
    log,
    call,
    `${countsText(log.state)}${held ? ` ${heldText(held)}` : ""} The batch continues in the background. Call wait_for_batch (batchId ${log.batchId}) until \`state\` is no longer \`running\`; results also appear in ${log.state.outputDirectory}.`,
  );
}

/** From now on the batch runs independently, and its files go where the user looks for them. */
async function handOver(context: Context, log: BatchLog): Promise<void> {
  const decide = (state: BatchState): EventBody[] => {
    if (state.endedAt !== undefined) return [];
    const outputDirectory = handOverDirectory(context.configuration, state.batch);
    const where = outputDirectory === undefined ? {} : { outputDirectory };
    return [{ type: "leash-released", ...outerLeash(), ...where }];
  };
  await patiently(() => log.append(decide));
}

// Everything that a session started ends with it, including a batch that nobody waits for.
function outerLeash(): { leash?: ProcessIdentity } {
  const leash = sessionAround(process.env);
  return leash ? { leash } : {};
}

// A client that gave up waiting must not lose the work; one that cancelled must end it.
function handsOver({ signal, startedAt }: Call): boolean {
  if (signal.reason instanceof ClientEnded) return false;
  if (signal.reason instanceof ConnectionLost) return true;
  return /timed?[ -]?out/i.test(String(signal.reason)) || performance.now() - startedAt >= lateCancelMs;
}

function answer(context: Context, log: BatchLog, { limits }: Call, message?: string): Promise<BatchAnswer> {
  const said = message === undefined ? {} : { message };
  return limits
    ? clientAnswerNow(context, log, { limits, ...said })
    : answerNow(context, log, { mostCharacters: commandLineCharacters, ...said });
}

function startedText(batch: Batch, { configuration }: Context): string {
  const count = countText(batch.tasks.length, "task");
  const { concurrency } = batch;
  const because =
    concurrency === configuration.concurrency
      ? ` (the machine's slots; ${variableOf("concurrency")} sets them)`
      : "";
  const most =
    concurrency !== "auto" && batch.tasks.length > concurrency
      ? `, at most ${concurrency} at once${because}`
      : "";
  return `${count} started${most}; results in ${batch.outputDirectory}. Call wait_for_batch with batchId ${batch.batchId} to follow the batch.`;
}
