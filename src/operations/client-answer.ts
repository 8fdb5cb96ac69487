// A batch's answer for a client, whose model reads it: short enough for it, and never cut in silence.
import { fairShares, reportFileOf } from "../engine/answer.ts";
import type { Standstill } from "../model/standstill.ts";
import type { BatchState, DoneTask } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { countText, numberText } from "../report/amounts.ts";
import { type BatchAnswer, batchAnswerOf, type ResultEntry } from "../report/answer.ts";
import type { Door } from "../report/option-words.ts";
import { entryOf } from "./entry.ts";
import { fitting } from "./fitting.ts";
import { expectedLength } from "./task-text.ts";

/** No entry takes fewer characters: so many are tried at most. */
const entryCharacters = 200;
/** Whoever asks has given the tasks: of what is borne, so much goes to all of them together. */
const descriptionShare = 1 / 20;
/** A number in a list takes about six characters, and the list no more than a tenth of what is borne. */
const numberCharacters = 60;

interface ClientAnswerRequest {
  word: StateWord;
  /** Of the whole answer as JSON. */
  mostCharacters: number;
  held?: Standstill | undefined;
  door: Door;
  message: string;
}

/** The answer as far as the batch has got. */
export function clientAnswerOf(state: BatchState, request: ClientAnswerRequest): BatchAnswer {
  const { word, mostCharacters, held, door, message } = request;
  const done = state.tasks.filter((task) => task.status === "done");
  const facts = { now: Date.now(), reportFile: reportFileOf(state), held };
  const items = done.slice(0, Math.ceil(mostCharacters / entryCharacters));
  const most = { mostCharacters, items, lengthOf: expectedLength };
  return fitting(most, (listed, share) => {
    const characters = Math.min(share, mostCharacters);
    const description = fairShares(
      listed.map(({ number }) => state.batch.tasks[number - 1]?.prompt.length ?? 0),
      Math.floor(mostCharacters * descriptionShare),
    );
    const results = listed.map((task) => resultOf(state, task, { characters, description, door }));
    const answer = batchAnswerOf(state, word, results, {
      ...facts,
      message: [message, ...hints(state, results, done.length - listed.length)].join(" "),
    });
    return withLeftOut(answer, done.length - listed.length, Math.floor(mostCharacters / numberCharacters));
  });
}

// Without `textLength` where the text is whole: whoever has it needs no number.
function resultOf(
  state: BatchState,
  task: DoneTask,
  { characters, description, door }: { characters: number; description: number; door: Door },
): ResultEntry {
  const { textLength, ...entry } = entryOf(state, task, {
    range: { from: 0, characters },
    description,
    door,
  });
  const { nextFrom, result } = entry;
  if (nextFrom === undefined || result === undefined) return entry;
  const places = [entry.resultFile, task.attempts.at(-1)?.transcript].filter((path) => path !== undefined);
  const note = `\n\n[These are the first ${numberText(nextFrom)} of ${numberText(textLength)} characters. The whole is in ${places.join(" and in ")}; read_batch_results (batchId ${state.batch.batchId}, tasks [${task.number}], from ${nextFrom}) reads on.]`;
  return { ...entry, result: `${result}${note}`, textLength };
}

function hints({ batch }: BatchState, results: readonly ResultEntry[], leftOut: number): string[] {
  const long = results.find(({ nextFrom }) => nextFrom !== undefined);
  return [
    ...(leftOut === 0
      ? []
      : [
          `The results of ${countText(leftOut, "more task")} that ended are left out, for the answer would be too long: read_batch_results (batchId ${batch.batchId}, offset ${results.length}) gives them.`,
        ]),
    ...(long
      ? [
          `Texts are shortened because the answer would be too long. read_batch_results (batchId ${batch.batchId}, tasks [${long.taskIndex}], from ${long.nextFrom}) reads the rest of task ${long.taskIndex}.`,
        ]
      : []),
  ];
}

function withLeftOut(answer: BatchAnswer, leftOut: number, mostPending: number): BatchAnswer {
  const more = answer.pending.length - mostPending;
  return {
    ...answer,
    ...(leftOut > 0 ? { resultsLeftOut: leftOut } : {}),
    ...(more > 0 ? { pending: answer.pending.slice(0, mostPending), morePending: more } : {}),
  };
}
