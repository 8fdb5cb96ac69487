// A batch's answer for a client, whose model reads it: short enough for it, and never cut in silence.
import type { BatchState, DoneTask } from "../model/state.ts";
import type { StateWord } from "../model/state-word.ts";
import { type BatchAnswer, batchAnswerOf, type ResultEntry } from "../report/answer.ts";
import { boundedEntry } from "../report/bounded-entry.ts";
import { entryOf, fairShares, reportFileOf, textLengthOf } from "./answer.ts";
import { fitting } from "./fitting.ts";

/** An entry takes about so many characters without its text: of more tasks, the first are listed. */
const entryCharacters = 800;
/** Whoever asks has given the tasks: of what is borne, so much goes to all of them together. */
const descriptionShare = 1 / 20;
/** A number in a list takes about so many characters, and the list no more than a tenth of all. */
const numberCharacters = 60;

interface ClientAnswerRequest {
  word: StateWord;
  /** Of the whole answer as JSON. */
  mostCharacters: number;
  heldBecause?: string | undefined;
  message: string;
}

/** The answer as far as the batch has got. */
export function clientAnswerOf(state: BatchState, request: ClientAnswerRequest): BatchAnswer {
  const { word, mostCharacters, heldBecause, message } = request;
  const done = state.tasks.filter((task) => task.status === "done");
  const listed = done.slice(0, Math.max(1, Math.floor(mostCharacters / entryCharacters)));
  const description = fairShares(
    listed.map(({ number }) => state.batch.tasks[number - 1]?.prompt.length ?? 0),
    Math.floor(mostCharacters * descriptionShare),
  );
  const lengths = listed.map(textLengthOf);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const leftOut = done.length - listed.length;
  const hint = readOnText(state, listed, leftOut);
  const facts = { now: Date.now(), reportFile: reportFileOf(state), heldBecause };
  return fitting(mostCharacters, total, (characters) => {
    const limit = fairShares(lengths, characters);
    const results = listed.map((task) =>
      boundedEntry(entryOf(state, task, limit), { description, data: Math.max(limit, entryCharacters) }),
    );
    const long = results.find(({ nextFrom }) => nextFrom !== undefined);
    const answer = batchAnswerOf(state, word, results, {
      ...facts,
      message: [message, ...hint, ...(long ? [longText(state, long)] : [])].join(" "),
    });
    return withShortPending(leftOut > 0 ? { ...answer, resultsLeftOut: leftOut } : answer, mostCharacters);
  });
}

function readOnText(state: BatchState, listed: readonly DoneTask[], leftOut: number): string[] {
  if (leftOut === 0) return [];
  return [
    `The results of ${leftOut} more tasks that have ended are left out, for the answer would be too long: read_batch_results (batchId ${state.batch.batchId}, offset ${listed.length}) gives them.`,
  ];
}

function longText(state: BatchState, { taskIndex, nextFrom }: ResultEntry): string {
  return `Texts are cut, for the answer would be too long: read_batch_results (batchId ${state.batch.batchId}, tasks [${taskIndex}], from ${nextFrom}) reads on in that of task ${taskIndex}.`;
}

function withShortPending(answer: BatchAnswer, mostCharacters: number): BatchAnswer {
  const most = Math.max(1, Math.floor(mostCharacters / numberCharacters));
  const more = answer.pending.length - most;
  return more > 0 ? { ...answer, pending: answer.pending.slice(0, most), morePending: more } : answer;
}
