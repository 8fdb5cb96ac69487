// The causes of failures as fields of answers, for programs and models.
import { z } from "zod";
import { cut } from "../model/cut.ts";
import { rangeWords } from "../model/number-ranges.ts";
import type { BatchState } from "../model/state.ts";
import { causeAdvice, causeRemedy, happenedText, tasksText } from "./cause-text.ts";
import { type Cause, causesOf } from "./causes.ts";
import { oneLine } from "./harmless.ts";
import type { Door } from "./option-words.ts";
import { outcomeWord } from "./outcome-words.ts";

const causeEntry = z.object({
  cause: z.string(),
  count: z.int(),
  tasks: z.string(),
  outcome: z.string(),
  example: z.object({ taskIndex: z.int(), key: z.string().optional(), error: z.string() }),
  advice: z.string().optional(),
  retry: z.string().optional(),
  /** What only the reader can add to the retry; without it, the tasks would end the same way. */
  retryLacks: z.enum(["options", "values"]).optional(),
});

/** Why tasks failed, or succeeded without all that they wanted. Absent if there is no such task, and for a single task. */
export const causeFields = {
  causes: z
    .array(causeEntry)
    .optional()
    .meta({ description: "Why tasks failed or lacked tools, and what to do.", listed: false }),
  moreCauses: z.int().optional().meta({ listed: false }),
};
export type CauseFields = z.infer<z.ZodObject<typeof causeFields>>;

/** How much of each text an answer has, in characters. */
const longestError = 300;
const longestAdvice = 1_500;
const longestKey = 200;
const longestRanges = 200;

/** In the words of one door: the first causes, those of most tasks first. */
export function causeFieldsOf(state: BatchState, door: Door, most = 10): CauseFields {
  if (state.tasks.length === 1) return {};
  const causes = causesOf(state);
  if (causes.length === 0) return {};
  return {
    causes: causes.slice(0, most).map((cause) => entryOf(state, cause, door)),
    ...(causes.length > most ? { moreCauses: causes.length - most } : {}),
  };
}

function entryOf(state: BatchState, cause: Cause, door: Door): z.infer<typeof causeEntry> {
  const { tasks } = cause;
  const [first] = tasks;
  const key = state.batch.tasks[first.number - 1]?.key;
  const advice = causeAdvice(state, cause, door);
  const { retry, lacks } = causeRemedy(state, cause, door);
  const numbers = rangeWords(tasks.map(({ number }) => number)).join(", ");
  return {
    cause: cause.id,
    count: tasks.length,
    tasks: numbers.length <= longestRanges ? numbers : tasksText(tasks, { tasks: [] }).replace(/^\w+ /, ""),
    outcome: outcomeWord(first),
    example: {
      taskIndex: first.number,
      ...(key === undefined ? {} : { key: cut(key, longestKey) }),
      error: oneLine(happenedText(first), longestError),
    },
    ...(advice === undefined ? {} : { advice: cut(advice, longestAdvice) }),
    ...(retry === undefined ? {} : { retry }),
    ...(retry === undefined || lacks === "nothing" ? {} : { retryLacks: lacks }),
  };
}
