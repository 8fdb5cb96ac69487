// Reads results: by task, by status, page by page, and long texts part by part.
import { z } from "zod";
import { resultFilesOf } from "../engine/output/result-file.ts";
import { summaryTextOf } from "../engine/output/summary-text.ts";
import { endOfState } from "../model/batch-end.ts";
import { product } from "../model/product.ts";
import type { DoneTask } from "../model/state.ts";
import { stateWords } from "../model/state-word.ts";
import { listedTasks } from "../model/summary.ts";
import { countText, numberText } from "../report/amounts.ts";
import { batchAnswerSchema, resultSchema } from "../report/answer.ts";
import { endFields, endFieldsOf } from "../report/batch-end.ts";
import { causeFields, causeFieldsOf } from "../report/cause-fields.ts";
import { causesSentence } from "../report/cause-text.ts";
import { type Door, optionText } from "../report/option-words.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { stateWordOf } from "../store/batch-status.ts";
import { batchIdInput, taskNumbers } from "./batch-input.ts";
import { type ClientLimits, commandLineCharacters } from "./client-limits.ts";
import { type Context, UserError, valueOrThrow } from "./context.ts";
import { type Entry, entryOf } from "./entry.ts";
import { check } from "./faults.ts";
import { findBatch, rowOf } from "./find-batch.ts";
import { fitting, leastEach } from "./fitting.ts";
import { messageNow } from "./message-now.ts";
import { tasksNamed } from "./named-tasks.ts";
import { readsOnly, type Tool } from "./operation.ts";
import { expectedLength } from "./task-text.ts";

/** Of a text that is not requested in full, in characters. */
const excerptCharacters = 2_000;
/** How much of each task as given: the caller has it already. */
const longestDescription = 1_000;
/** The same for a whole page. */
const descriptionsCharacters = 10_000;
/** Most characters of one text to request; an answer contains no more than the client accepts. */
const longestPart = 200_000;

const resultsInput = z.strictObject({
  batchId: batchIdInput,
  tasks: taskNumbers
    .meta({ description: "Only these tasks, by number or key (default: all that have ended)." })
    .optional(),
  status: z.enum(["success", "error"]).meta({ description: "Only tasks that ended so." }).optional(),
  offset: z.int().min(0).meta({ description: "How many of the matching tasks to skip." }).default(0),
  limit: z
    .int()
    .min(1)
    .meta({ description: "Most results, as far as they fit in one answer.", short: "n" })
    .default(10),
  full: z
    .boolean()
    .meta({
      description: `Returns whole texts, as far as they fit in one answer. Otherwise only the first ${numberText(excerptCharacters)} characters of each.`,
    })
    .default(false),
  from: z
    .int()
    .min(0)
    .meta({ description: "With one task: the character to start from, such as an earlier `nextFrom`." })
    .optional(),
  characters: z
    .int()
    .min(1)
    .max(longestPart)
    .meta({ description: "With one task: most characters to return.", placeholder: "N" })
    .optional(),
});
/** With the numbers of the tasks. */
type ResultsInput = Omit<z.output<typeof resultsInput>, "tasks"> & { tasks?: number[] | undefined };

const entrySchema = resultSchema.extend({
  textLength: z.int().meta({
    description:
      "Length of the whole text in characters. For a text over 8 MB, an upper bound until its end has been read.",
    listed: false,
  }),
});

const resultsOutput = z.object({
  summary: batchAnswerSchema.shape.summary,
  batchId: z.string(),
  state: z.enum(stateWords).meta({ listed: false }),
  end: endFields.end.meta({ listed: false }),
  stoppedBy: endFields.stoppedBy,
  totalTasks: z.int(),
  matching: z.int(),
  results: z.array(entrySchema),
  nextOffset: z.int().optional(),
  ...causeFields,
  message: z.string(),
});

export const readResults: Tool<typeof resultsInput, typeof resultsOutput> = {
  name: "read_batch_results",
  title: "Read the results of a batch",
  when: "Use this for what the sessions of a batch answered, even while it is running.",
  description:
    "Reads the answers of a batch's ended tasks by task number or by status, page by page. Long texts are shortened; `full` returns more of them, and `from` with `characters` returns any part of one task's text.",
  input: resultsInput,
  output: resultsOutput,
  annotations: readsOnly,
  run: async (context, input, { limits }) => {
    const asked = valueOrThrow(check(resultsInput, input));
    return read(context, asked, limits);
  },
};

async function read(
  context: Context,
  given: z.output<typeof resultsInput>,
  limits: ClientLimits | undefined,
): Promise<z.infer<typeof resultsOutput>> {
  const log = findBatch(context, given.batchId);
  const { state } = log;
  const asked = { ...given, tasks: tasksNamed(state, given.tasks) };
  checkPart(asked);
  const row = rowOf(context, log);
  const word = stateWordOf(row);
  const end = endOfState(state, word);
  // A request for certain tasks gets those, whatever wrote them.
  const isOfAll = asked.tasks === undefined && asked.status === undefined;
  const ended = isOfAll ? listedTasks(state) : state.tasks.filter((task) => task.status === "done");
  const matching = ended.filter((task) => fits(task, asked));
  const mostCharacters = limits?.answerCharacters ?? commandLineCharacters;
  const summary =
    isOfAll && asked.offset === 0 ? summaryTextOf(state, Math.floor(mostCharacters / 2)) : undefined;
  const range = { from: asked.from ?? 0, characters: wantedOf(asked, limits) };
  // More could not fit in any case.
  const items = matching.slice(
    asked.offset,
    asked.offset + Math.min(asked.limit, mostCharacters / leastEach),
  );
  const files = await resultFilesOf(state, items);
  const causes = isOfAll || asked.status === "error" ? causeFieldsOf(state, context.door) : {};
  const causesHint = [causes.causes && causesSentence(state)].filter((text) => text !== undefined);
  const answerWith = (page: readonly DoneTask[], characters: number) => {
    const next = asked.offset + page.length;
    const description = Math.min(longestDescription, Math.floor(descriptionsCharacters / page.length));
    const results = page.map((task) =>
      entryOf(state, task, {
        range: { from: range.from, characters: Math.min(range.characters, characters) },
        description,
        resultFile: files.get(task.number),
        door: context.door,
      }),
    );
    return {
      ...(summary ? { summary: summary.text } : {}),
      batchId: log.batchId,
      state: word,
      ...endFieldsOf(end),
      totalTasks: state.tasks.length,
      matching: matching.length,
      results,
      ...(next < matching.length && page.length > 0 ? { nextOffset: next } : {}),
      ...causes,
      message: [
        ...(end && end.kind !== "succeeded" ? [messageNow(context, log, row)] : []),
        ...causesHint,
        ...(summary?.cut ? [`The summary is longer: it is task ${summary.task}.`] : []),
        resultsMessage(asked, log, { matching: matching.length, results, next, door: context.door }),
      ].join(" "),
    };
  };
  return fitting(
    {
      mostCharacters,
      items,
      lengthOf: (task) => Math.min(range.characters, Math.max(0, expectedLength(task) - range.from)),
    },
    answerWith,
  );
}

function checkPart({ tasks, from, characters }: ResultsInput): void {
  if ((from === undefined && characters === undefined) || tasks?.length === 1) return;
  throw new UserError(
    "`from` and `characters` are for the text of one task: name it by its number, and no other.",
  );
}

function fits(task: DoneTask, { tasks, status }: ResultsInput): boolean {
  if (tasks && !tasks.includes(task.number)) return false;
  return status === undefined || (task.outcome.kind === "succeeded") === (status === "success");
}

/** Most characters of each text. */
function wantedOf({ full, from, characters }: ResultsInput, limits: ClientLimits | undefined): number {
  if (characters !== undefined) return characters;
  if (full) return limits?.answerCharacters ?? commandLineCharacters;
  return from === undefined ? excerptCharacters : 10 * excerptCharacters;
}

function resultsMessage(
  { tasks, offset }: ResultsInput,
  { batchId, state }: BatchLog,
  {
    matching,
    results,
    next,
    door,
  }: { matching: number; results: readonly Entry[]; next: number; door: Door },
): string {
  const open = (tasks ?? []).filter((number) => state.tasks[number - 1]?.status !== "done");
  const long = results.find((entry) => entry.nextFrom !== undefined);
  return [
    matching === 0
      ? "No ended task matches the request."
      : results.length === 0
        ? `There are only ${countText(matching, "matching task")}; ${optionText(door, "offset", offset)} is past the last.`
        : rangeText(offset + 1, next, matching),
    ...(next < matching && results.length > 0
      ? [`The next page has ${optionText(door, "offset", next)}.`]
      : []),
    ...(open.length > 0
      ? [`Not ended yet: ${open.slice(0, 20).join(", ")}${open.length > 20 ? " …" : ""}.`]
      : []),
    ...(long
      ? [
          `The text of task ${long.taskIndex} is longer: ${
            door === "tools"
              ? `ask for \`tasks\` [${long.taskIndex}] with \`from\` ${long.nextFrom}`
              : `\`${product.name} results ${batchId} ${long.taskIndex}\` shows all of it`
          }.`,
        ]
      : []),
  ].join(" ");
}

// Which of the matching tasks an answer has; 1-based.
function rangeText(first: number, last: number, matching: number): string {
  if (matching === 1) return "This is the only matching task.";
  const tasks = countText(matching, "matching task");
  return first === last
    ? `This is number ${first} of ${tasks}.`
    : `These are ${first} to ${last} of ${tasks}.`;
}
