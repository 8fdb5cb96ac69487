// Lists batches, waits for one, and cancels one.
import { z } from "zod";
import { type BatchEnd, batchEndOf, endOfState } from "../model/batch-end.ts";
import { batchIdSchema } from "../model/batch-id.ts";
import { type SpendPeriod, spanAround } from "../model/spend-period.ts";
import type { BatchState, DoneTask } from "../model/state.ts";
import { type StateWord, stateWords } from "../model/state-word.ts";
import { summaryOf } from "../model/summary.ts";
import { livenessWatch } from "../platform/liveness-watch.ts";
import { batchAnswerSchema, countsSchema, heldFields, heldFieldsOf } from "../report/answer.ts";
import { endFields, endFieldsOf } from "../report/batch-end.ts";
import { causeFields, causeFieldsOf } from "../report/cause-fields.ts";
import { causesSentence } from "../report/cause-text.ts";
import { stepText } from "../report/next-step.ts";
import { outcomeWord } from "../report/outcome-words.ts";
import { rounded, spendingFields, spendingOf } from "../report/spending.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { heldNow, settledRow, stateWordOf } from "../store/batch-status.ts";
import { modelsOf } from "../store/models.ts";
import { spentSince } from "../store/spent.ts";
import type { BatchRow } from "../store/store.ts";
import { wholeAnswer } from "./answer-now.ts";
import { batchIdAlone, batchIdInput, batchInput, explicitTaskNumbers } from "./batch-input.ts";
import { type Context, valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import { findBatch, rowOf } from "./find-batch.ts";
import { follow } from "./follow.ts";
import { endMessageNow, messageNow } from "./message-now.ts";
import { tasksNamed } from "./named-tasks.ts";
import {
  cursorFrom,
  cursorPattern,
  cursorText,
  doneTasks,
  endedSince,
  endTimesAt,
  heldMark,
  isFailure,
  isHeldLong,
  leastCheckSeconds,
  nextCheckSeconds,
} from "./news.ts";
import { type Operation, readsOnly, type Tool } from "./operation.ts";
import { Progress } from "./progress.ts";
import { requestCancel } from "./request-cancel.ts";

const listInput = z.strictObject({
  limit: z.int().min(1).max(500).meta({ description: "Most batches to list.", short: "n" }).default(20),
  offset: z.int().min(0).meta({ description: "How many of the newest to skip." }).default(0),
});

const rowFields = {
  batchId: z.string(),
  name: z.string().optional(),
  state: z.enum(stateWords),
  createdAt: z.string(),
  endedAt: z.string().optional(),
};

const listedBatch = z.object({
  ...rowFields,
  state: rowFields.state.meta({ listed: false }),
  counts: countsSchema.meta({ listed: false }),
  totalTasks: z.int(),
  models: z.array(z.string()).meta({ listed: false }),
  ...endFields,
  end: endFields.end.meta({ listed: false }),
  totalCostUsd: spendingFields.totalCostUsd,
  costAtLeast: spendingFields.costAtLeast,
  outputDirectory: z.string(),
  ...heldFields,
  message: z.string().optional(),
});
const listOutput = z.object({
  batches: z.array(listedBatch),
  more: z.boolean(),
  spending: z
    .object({
      todayUsd: z.number(),
      monthUsd: z.number(),
      dailyBudgetUsd: z.number().optional(),
      monthlyBudgetUsd: z.number().optional(),
    })
    .meta({ listed: false }),
});

export const listBatches: Tool<typeof listInput, typeof listOutput> = {
  name: "list_batches",
  title: "List batches of Claude Code sessions",
  when: "Use this to find a batch whose id you do not have, or to see what is running.",
  description:
    "Lists this user's batches from all clients, newest first, with counts, cost and where their results are.",
  input: listInput,
  output: listOutput,
  annotations: readsOnly,
  run: async (context, input) => {
    const { limit, offset } = valueOrThrow(check(listInput, input));
    const rows = context.store.list({ limit: limit + 1, offset });
    const batches = rows.slice(0, limit).map((row) => listed(settledRow(row, context.store), context));
    return { batches, more: rows.length > limit, spending: spendingNow(context) };
  },
};

/** What all batches have cost, with those that were removed, and the operator's budgets. */
export function spendingNow({
  store,
  configuration,
}: Pick<Context, "store" | "configuration">): z.infer<typeof listOutput>["spending"] {
  const { dailyBudgetUsd, monthlyBudgetUsd } = configuration;
  const spent = (period: SpendPeriod) =>
    rounded(spentSince(store.database, spanAround(Date.now(), period).since));
  return {
    todayUsd: spent("day"),
    monthUsd: spent("month"),
    ...(dailyBudgetUsd === undefined ? {} : { dailyBudgetUsd }),
    ...(monthlyBudgetUsd === undefined ? {} : { monthlyBudgetUsd }),
  };
}

const waitInput = z.strictObject({
  batchId: batchIdInput,
  waitSeconds: z
    .number()
    .min(0)
    .max(3_600)
    .meta({
      description: "How long to wait, up to the client's limit (default).",
      hints: ["timeout", "timeoutSeconds", "wait", "seconds"],
    })
    .optional(),
  cursor: z
    .string()
    .regex(cursorPattern, "expected the `cursor` of an earlier answer")
    .meta({
      description: "That of an earlier answer. Without it, the call waits for the end of the batch.",
    })
    .optional(),
});

const named = { taskIndex: z.int(), key: z.string().optional().meta({ listed: false }) };
const endedTask = z.object({ ...named, outcome: z.string() });

/** Polling must not fill the context window, so long lists show only the first entries. */
const mostListed = 10;
const mostChanged = 50;
const mostCauses = 5;

/** The result of `waited`. */
export const waitOutput = z.object({
  batchId: z.string(),
  state: z.enum(stateWords),
  counts: countsSchema.meta({ listed: false }),
  totalTasks: z.int(),
  ...endFields,
  end: endFields.end.meta({ listed: false }),
  ...spendingFields,
  running: z.array(z.object({ ...named, activity: z.string().optional() })),
  failed: z.array(endedTask),
  changed: z.array(endedTask).optional(),
  moreChanged: z
    .int()
    .optional()
    .meta({ description: "How many more have ended since then.", listed: false }),
  cursor: z.string(),
  nextCheckSeconds: z.number().optional(),
  outputDirectory: z.string(),
  ...heldFields,
  ...causeFields,
  message: z.string(),
});

/** How far a batch is. */
export type BatchProgress = z.infer<typeof waitOutput>;

/** The answer of a call that changes a batch; its other fields are as for `wait_for_batch`. */
export const changeOutput = z.object({
  batchId: waitOutput.shape.batchId.meta({ listed: false }),
  state: waitOutput.shape.state.meta({ listed: false }),
  outputDirectory: waitOutput.shape.outputDirectory.meta({ listed: false }),
  message: waitOutput.shape.message,
});

export const waitForBatch: Tool<typeof waitInput, typeof waitOutput> = {
  name: "wait_for_batch",
  title: "Wait for a batch",
  when: "Use this while the `state` of a batch is `running`.",
  description:
    "Waits until a batch ends or the wait is over, and reports its counts, running tasks and failed tasks. With the `cursor` of an earlier answer, it also answers when a task fails or the batch is put on hold, and lists in `changed` what has ended since. read_batch_results returns the results.",
  input: waitInput,
  output: waitOutput,
  annotations: readsOnly,
  run: async (context, input, call) => {
    const { batchId, waitSeconds, cursor } = valueOrThrow(check(waitInput, input));
    const log = findBatch(context, batchId);
    const { store } = context;
    const most = call.limits?.waitSeconds ?? context.configuration.syncWaitSeconds;
    const known = cursor === undefined ? undefined : cursorFrom(cursor);
    const before = known && endTimesAt(context, log, known.sequence);
    const hasFailed = (state: BatchState) =>
      before !== undefined && endedSince(state, before).some(isFailure);
    let failed = hasFailed(log.state);
    const liveness = livenessWatch();
    const end = call.startedAt + Math.min(waitSeconds ?? most, most) * 1000;
    using progress = new Progress(call, log);
    const following = {
      signal: call.signal,
      changed: (state: BatchState) => {
        progress.tell(state);
        failed = hasFailed(state);
      },
    };
    const isLostOrHeld = (_: BatchState, newestRow: () => BatchRow) => {
      const row = newestRow();
      if (stateWordOf(row, Date.now(), liveness) === "interrupted") return true;
      return known !== undefined && isHeldLong(row) && heldMark(row) !== known.held;
    };
    await follow(store, log, {
      ...following,
      until: end,
      enough: (state, row) => failed || isLostOrHeld(state, row),
    });
    // Simultaneous failures are reported together; otherwise the client would ask once for each.
    const gathered = Math.min(end, call.startedAt + leastCheckSeconds * 1000);
    if (failed) await follow(store, log, { ...following, until: gathered, enough: isLostOrHeld });
    return waited(context, log, before);
  },
};

const cancelInput = z.strictObject({
  batchId: batchIdAlone,
  tasks: explicitTaskNumbers
    .meta({ description: "Only these tasks, by number or key (default: all)." })
    .optional(),
});

export const cancelBatch: Tool<typeof cancelInput, typeof changeOutput> = {
  name: "cancel_batch",
  title: "Cancel a batch, or some of its tasks",
  when: "Use this when a batch, or some of its tasks, should stop.",
  description:
    "Queued tasks never start; running tasks stop, with everything they started. Results of tasks that succeeded are kept.",
  input: cancelInput,
  output: changeOutput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  run: async (context, input, call) => {
    const { batchId, tasks: named } = valueOrThrow(check(cancelInput, input));
    const log = findBatch(context, batchId);
    const tasks = tasksNamed(log.state, named);
    await requestCancel(context, log, { by: "user", tasks });
    await follow(context.store, log, {
      until: performance.now() + cancelWaitMs,
      signal: call.signal,
      enough: (state) => tasks?.every((number) => state.tasks[number - 1]?.status === "done") ?? false,
    });
    return waited(context, log);
  },
};

/** How long the answer waits to report the outcome, in milliseconds: ending takes at most two seconds. */
const cancelWaitMs = 4_000;

const shownBatch = z.object({ ...rowFields, models: listedBatch.shape.models, ...batchAnswerSchema.shape });

/** The whole answer of a batch for the command line, with everything that a list shows. */
export const showBatch: Operation<typeof batchInput, typeof shownBatch> = {
  title: "Show a batch",
  description: "Shows a batch with all results so far.",
  input: batchInput,
  output: shownBatch,
  run: async (context, input) => {
    const { batchId } = valueOrThrow(check(batchInput, input));
    const log = findBatch(context, batchId);
    return {
      ...rowFieldsOf(rowOf(context, log)),
      models: modelsOf(context.store.database, log.batchId),
      ...(await wholeAnswer(context, log)),
    };
  },
};

function rowFieldsOf(row: BatchRow): z.infer<z.ZodObject<typeof rowFields>> {
  return {
    batchId: row.batchId,
    ...(row.name === undefined ? {} : { name: row.name }),
    state: stateWordOf(row),
    createdAt: new Date(row.createdAt).toISOString(),
    ...(row.endedAt === undefined ? {} : { endedAt: new Date(row.endedAt).toISOString() }),
  };
}

function listed(row: BatchRow, context: Context): z.infer<typeof listedBatch> {
  const end = batchEndOf({ word: stateWordOf(row), ...row });
  const held = heldNow(row);
  const message = endMessageNow(context, row);
  return {
    ...rowFieldsOf(row),
    counts: row.counts,
    totalTasks: Object.values(row.counts).reduce((sum, count) => sum + count, 0),
    models: modelsOf(context.store.database, row.batchId),
    ...endFieldsOf(end),
    totalCostUsd: rounded(row.costUsd),
    ...(row.costAtLeast ? { costAtLeast: true } : {}),
    outputDirectory: row.outputDirectory,
    ...heldFieldsOf(held),
    ...(message === undefined ? {} : { message }),
  };
}

/** How a batch in that state ended, in more detail than a list says. */
export function endOfBatch({ store }: Context, batchId: string, word: StateWord): BatchEnd | undefined {
  const row = store.row(batchIdSchema.parse(batchId));
  return row && batchEndOf({ word, ...row });
}

/** How far a batch is, as a small answer; `before`: what had ended at the last look. */
export function waited(context: Context, log: BatchLog, before?: ReadonlyMap<number, number>): BatchProgress {
  // First the row: if that has ended, the log says so as well.
  const row = rowOf(context, log);
  log.refresh();
  const { state } = log;
  const word = stateWordOf(row);
  const held = heldNow(row);
  const activities = context.store.activities(log.batchId);
  const running = state.tasks.filter((task) => task.status === "running").slice(0, mostListed);
  const failed = doneTasks(state).filter(isFailure);
  const changed = before && endedSince(state, before);
  return {
    batchId: log.batchId,
    state: word,
    counts: { ...state.counts },
    totalTasks: state.tasks.length,
    ...endFieldsOf(endOfState(state, word)),
    ...spendingOf(state, { word, now: Date.now(), heldUntil: held?.until }),
    running: running.map(({ number }) => {
      const activity = activities.get(number);
      return { ...nameOf(state, number), ...(activity === undefined ? {} : { activity }) };
    }),
    failed: failed.slice(0, mostListed).map((task) => ended(state, task)),
    ...(changed ? { changed: changed.slice(0, mostChanged).map((task) => ended(state, task)) } : {}),
    ...(changed && changed.length > mostChanged ? { moreChanged: changed.length - mostChanged } : {}),
    cursor: cursorText(log, row),
    ...(word === "running" ? { nextCheckSeconds: nextCheckSeconds(state, held?.until) } : {}),
    outputDirectory: state.outputDirectory,
    ...heldFieldsOf(held),
    ...causeFieldsOf(state, context.door, mostCauses),
    message: [messageNow(context, log, row), causesSentence(state), ...summaryHint(log, context)]
      .filter((text) => text !== undefined)
      .join(" "),
  };
}

function summaryHint({ state, batchId }: BatchLog, { door }: Context): string[] {
  const summary = summaryOf(state);
  if (!summary || state.endedAt === undefined) return [];
  const step = stepText(door, {
    do: "read-on",
    batchId,
    task: summary.number,
    ...(door === "tools" ? { from: 0 } : {}),
  });
  return [`Its summary is task ${summary.number}: ${step}.`];
}

function ended(state: BatchState, task: DoneTask): z.infer<typeof endedTask> {
  return { ...nameOf(state, task.number), outcome: outcomeWord(task) };
}

function nameOf({ batch }: BatchState, number: number): { taskIndex: number; key?: string } {
  const key = batch.tasks[number - 1]?.key;
  return { taskIndex: number, ...(key === undefined ? {} : { key }) };
}
