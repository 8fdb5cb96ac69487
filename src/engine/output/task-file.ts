// The file of one ended task: the page of its result, or the text of its error.
import type { BatchState, DoneTask } from "../../model/state.ts";
import { numberedCount } from "../../model/summary.ts";
import { readTail } from "../../platform/files.ts";
import { lentBuffer } from "../../platform/lent-buffers.ts";
import { basename, join } from "../../platform/paths.ts";
import { placeNewFile, readHead, removePath } from "../../platform/whole-files.ts";
import { type ErrorPage, errorText } from "../../report/error-text.ts";
import { fileTag } from "../../report/file-tag.ts";
import type { Html } from "../../report/html.ts";
import { type Highlight, namesLanguage } from "../../report/markdown.ts";
import { doorOf } from "../../report/option-words.ts";
import { remarksOf } from "../../report/remarks.ts";
import { type ResultPage, resultHtml } from "../../report/result-page.ts";
import { outputFiles, stderrBeside } from "../../store/layout.ts";
import { findResultFile, usualNameOf } from "./result-file.ts";
import { longestText, type ResultText, resultTextOf } from "./result-text.ts";
import { didMore } from "./session-files.ts";
import { taskFactsOf } from "./task-facts-of.ts";

const stderrTailBytes = 8_000;
const headBytes = 512;

/** Texts of a task that has just ended, as far as they are still in memory; others are read from its transcript. */
export interface TextsAtHand {
  /** What Claude said last, if there is no answer. */
  lastText?: string | undefined;
  /** The whole answer. */
  text?: string | undefined;
}

/** What its file shows besides the state. */
interface Shown {
  /** Where the page of its sessions is, if they did more than answer. */
  sessionPage?: string;
  answer: ResultText;
  /** What Claude said last, if there is no answer. */
  lastText: string | undefined;
}

/** A task that never started needs no file of its own. */
export function hasFile({ attempts, outcome }: DoneTask): boolean {
  return attempts.length > 0 || outcome.kind === "not-started";
}

/** The answer from memory, or from the transcript. */
export function answerTextOf(task: DoneTask, { text }: TextsAtHand): ResultText {
  const isAnswer = task.outcome.kind === "succeeded" && text !== undefined;
  return isAnswer && text.length <= longestText
    ? { text, cut: false, others: [] }
    : resultTextOf(task, longestText);
}

/** Writes the file into a directory, unless it is there, and returns its name. */
export async function writeTaskFile(
  state: BatchState,
  task: DoneTask,
  { directory, ...shown }: Shown & { directory: string },
): Promise<string> {
  const view = await taskViewOf(state, task, shown);
  const write = (contents: Contents) => writeContents(state, task, { directory, contents });
  return view.kind === "result" ? asBytes(resultHtml(view.page), write) : write(errorText(view.page));
}

type Contents = string | Uint8Array<ArrayBuffer>;

async function writeContents(
  state: BatchState,
  task: DoneTask,
  { directory, contents }: { directory: string; contents: Contents },
): Promise<string> {
  let path = join(directory, usualNameOf(state, task));
  // If the name is taken, it is by the file of an earlier runner, or by a foreign one: then try the next name.
  const isPlaced = () =>
    placeNewFile(path, contents, { tag: state.batch.batchId }).catch(async (error) => {
      // A full disk may have it already.
      const { there } = await findResultFile(state, task, directory);
      if (there) return false;
      throw error;
    });
  while (!(await isPlaced())) {
    const file = await findResultFile(state, task, directory);
    path = file.path;
    if (file.there) break;
  }
  return basename(path);
}

// A longer page is a string.
async function asBytes<Done>(page: Html, use: (contents: Contents) => Promise<Done>): Promise<Done> {
  using lent = lentBuffer();
  const length = page.encodeInto(lent.buffer);
  return await use(length === undefined ? page.toString() : lent.buffer.subarray(0, length));
}

/** Removes the error text from before a retry, and an answer from before it once there is another one: `name`. */
export async function removeEarlier(
  { batch, earlierEnds }: BatchState,
  { number, outcome }: DoneTask,
  { directory, name }: { directory: string; name: string },
): Promise<void> {
  const names = outcome.kind === "succeeded" ? [outputFiles.error, outputFiles.result] : [outputFiles.error];
  for (const endedAt of earlierEnds.get(number) ?? []) {
    for (const nameOf of names) {
      const path = join(directory, nameOf(number, numberedCount(batch), endedAt));
      if (basename(path) === name) continue;
      const head = await readHead(path, headBytes);
      if (head?.includes(fileTag(batch.batchId, number))) await removePath(path);
    }
  }
}

/** What the file of an ended task shows, as data. */
export type TaskView = { kind: "result"; page: ResultPage } | { kind: "error"; page: ErrorPage };

/** Reads what is not in the state. */
export async function taskViewOf(
  state: BatchState,
  task: DoneTask,
  { answer, lastText, sessionPage }: Shown,
): Promise<TaskView> {
  const { outcome } = task;
  const facts = { ...taskFactsOf(state, task), sessionPage: didMore(task) ? sessionPage : undefined };
  const transcript = task.attempts.at(-1)?.transcript ?? "";
  const remarks = remarksOf(task, doorOf(state.batch.startedBy));
  if (outcome.kind === "succeeded") {
    const { text, others } = answer;
    const page: ResultPage = {
      ...facts,
      outcome,
      text: { shown: text, totalLength: Math.max(outcome.length, text.length), transcript },
      others,
      highlight: await highlightFor([text, ...others.map((other) => other.text)]),
      remarks,
      reportHref: outputFiles.report(state.batch.batchId),
      feedHref: outputFiles.feed(state.batch.batchId),
    };
    return { kind: "result", page };
  }
  const stderrTail = transcript === "" ? "" : readTail(stderrBeside(transcript), stderrTailBytes);
  const page: ErrorPage = {
    ...facts,
    outcome,
    others: answer.others,
    remarks,
    lastText,
    stderrTail,
    transcript: transcript || undefined,
  };
  return { kind: "error", page };
}

// Most answers have no such code, and their batches do without the library.
async function highlightFor(texts: readonly string[]): Promise<Highlight | undefined> {
  if (!texts.some(namesLanguage)) return undefined;
  return (await import("../../report/highlight.ts")).highlighted;
}
