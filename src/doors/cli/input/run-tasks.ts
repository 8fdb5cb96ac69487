// Which tasks `run` was given: as words, in files, and through a pipe.
import { mostPromptBytes } from "../../../model/options.ts";
import { product } from "../../../model/product.ts";
import { emptyInputText, shellQuoted } from "../../../model/shell-quoted.ts";
import { readableTextIn } from "../../../operations/inputs/decode.ts";
import { exists, isDirectory } from "../../../platform/files.ts";
import { absolutePath } from "../../../platform/paths.ts";
import { readStandardInput, standardInputKind, TooMuchInput } from "../../../platform/standard-input.ts";
import { countText } from "../../../report/amounts.ts";
import { UsageError } from "./command.ts";
import { tasksFromFile } from "./read.ts";

export interface TasksGiven {
  /** For the batch's input. */
  tasks: unknown[];
  /** The place of each, for people; undefined for those from the command line. */
  places: (string | undefined)[];
  /** What the user should know if it was not meant. */
  notes: string[];
}

interface Words {
  /** Tasks on the command line. */
  words: readonly string[];
  /** How many of the last words came after `--`. */
  literal: number;
  files: readonly string[];
  /** The user's directory. */
  directory: string;
}

/** How long to wait for a silent pipe, in milliseconds: the same as `claude -p`. */
const silenceMs = 3_000;

/** The tasks to run. Throws `UsageError` for words that are unlikely to be tasks, because each would cost money. */
export async function tasksGiven({ words, literal, files, directory }: Words): Promise<TasksGiven> {
  const looked = words.slice(0, words.length - literal);
  const faults = looked.flatMap((word) => hardlyTask(word, directory) ?? []);
  const unique = [...new Set(faults)];
  const more = unique.length - mostFaults;
  if (unique.length > 0)
    throw new UsageError([
      ...unique.slice(0, mostFaults),
      ...(more > 0 ? [`${more} more of this kind`] : []),
    ]);
  const fromFiles = (await Promise.all(files.map(tasksFromFile))).flat();
  if (words.length + fromFiles.length === 0) throw new UsageError([nothingText()]);
  const isFree = words.length > 0 && !files.includes("-");
  const { text, notes } = isFree ? await pipedText(words.length) : { text: "", notes: [] };
  return {
    tasks: [
      // Combined in the same way as by `claude -p`.
      ...words.map((word) => (text === "" ? word : `${word}\n${text}`)),
      ...fromFiles.map(({ task }) => task),
    ],
    places: [...words.map(() => undefined), ...fromFiles.map(({ place }) => place)],
    notes,
  };
}

/** How many words that are no tasks to name: a shell pattern may expand to hundreds. */
const mostFaults = 5;

// Why a word is unlikely to be a task; undefined if it may be one.
function hardlyTask(word: string, directory: string): string | undefined {
  if (word === "-")
    return '`-` is no task. To read tasks from standard input, write `-f -`. To give a task what is piped in, write only the task: `… | run "TASK"`';
  const meant = `If it is the task, write it after \`--\``;
  const file = shellQuoted(word);
  // The schema reports that.
  if (word.trim() === "") return undefined;
  // Most shells pass on a pattern that matches nothing unchanged.
  if (/^\S*[\w./]\*\S*$|^\*[./]\S*$/.test(word))
    return `${JSON.stringify(word)} is a pattern that matches no file here, and no task. ${meant}`;
  const path = absolutePath(word, directory);
  if (!exists(path)) return undefined;
  if (isDirectory(path))
    return `${JSON.stringify(word)} is a directory here, and no task. To work in it, write \`--working-directory ${file}\`. ${meant}`;
  return `${JSON.stringify(word)} is a file here, and no task. To run a task on it, name it in the task: \`run ${shellQuoted(`Review ${word}`)}\`. To read tasks from it, write \`-f ${file}\`. ${meant}`;
}

function nothingText(): string {
  const kind = standardInputKind();
  return kind === "pipe" || kind === "file"
    ? 'there is no task. If standard input has tasks, one per line, write `run -f -`. If it is text for a task, write `run "TASK"`'
    : "there is no task: write one after `run`, or name a file of tasks with `-f FILE`";
}

async function pipedText(tasks: number): Promise<{ text: string; notes: string[] }> {
  const kind = standardInputKind();
  if (kind !== "pipe" && kind !== "file") return { text: "", notes: [] };
  const bytes = await bytesPiped(kind === "pipe" ? silenceMs : undefined);
  if (bytes === undefined)
    return {
      text: "",
      notes: [
        `Standard input is open, but nothing came within ${silenceMs / 1000} s, so it is ignored. Add ${emptyInputText()} to skip the wait.`,
      ],
    };
  const text = readableTextIn(bytes);
  if (text.includes("\0"))
    throw new UsageError([
      `standard input is not text. Name the file in the task instead, or add ${emptyInputText()} if nothing was meant to be read`,
    ]);
  if (text.trim() === "") return { text: "", notes: [] };
  const whose = tasks === 1 ? "The task gets" : `Each of the ${countText(tasks, "task")} gets`;
  return {
    text,
    notes: [
      `${whose} what was piped in (${countText(bytes.length, "byte")}). Add ${emptyInputText()} to leave it out.`,
    ],
  };
}

async function bytesPiped(silence: number | undefined): Promise<Uint8Array | undefined> {
  try {
    return await readStandardInput(mostPromptBytes, silence);
  } catch (error) {
    if (!(error instanceof TooMuchInput)) throw error;
    throw new UsageError([
      `standard input has more than ${mostPromptBytes / 1_000_000} MB, the most that one task may have. Keep it in a file, and name the file in the task: \`${product.name} run "Explain big.log" --allowed-tools Read\``,
    ]);
  }
}
