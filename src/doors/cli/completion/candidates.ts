// What can come next on a command line. Shells call it at every press of Tab.
import type { BatchId } from "../../../model/batch-id.ts";
import { listedBatch } from "../../../operations/find-batch.ts";
import { countText, roughText } from "../../../report/amounts.ts";
import type { BatchSummary } from "../../../store/batch-summaries.ts";
import type { Command, Positional } from "../input/command.ts";
import { type Flag, flagNamed, namesPath } from "../input/flags.ts";
import { flagsOfCommand } from "../view/help.ts";

/** A word with its description; or that names of files or directories are wanted, which shells complete themselves. */
export type Candidate = { word: string; about: string } | { names: "files" | "directories" };

type ReadSummaries = () => readonly BatchSummary[];
/** The keys of the tasks of a batch. */
type ReadKeys = (batchId: BatchId) => readonly string[];

/** What is known of batches. */
interface Known {
  batches: ReadSummaries;
  keys: ReadKeys;
}

/** `written`: the words after the program's name, the unfinished one last. */
export function candidatesFor(
  commands: readonly Command[],
  written: readonly string[],
  batches: ReadSummaries,
  keys: ReadKeys = () => [],
): Candidate[] {
  // Bash splits `--effort=high` into three words.
  const words = written.filter((word, index) => word !== "=" || index === written.length - 1);
  const current = words.at(-1) === "=" ? "" : (words.at(-1) ?? "");
  const [name, ...others] = words.slice(0, -1);
  if (name === undefined) return matching(current, commandWords(commands));
  if (name === "help") return others.length === 0 ? matching(current, commandWords(commands)) : [];
  const command = commands.find((one) => one.name === name);
  return command ? forCommand(command, others, current, { batches, keys }) : [];
}

function commandWords(commands: readonly Command[]): Candidate[] {
  return [
    ...commands.map(({ name, summary }) => ({ word: name, about: summary })),
    { word: "help", about: "Show the options of a command" },
  ];
}

function forCommand(command: Command, others: readonly string[], current: string, known: Known): Candidate[] {
  const flags = flagsOfCommand(command);
  const onlyWords = others.includes("--");
  const waiting = onlyWords ? undefined : flagWritten(flags, others.at(-1) ?? "");
  if (waiting && waiting.kind !== "boolean") return matching(current, valuesOf(waiting));
  const [, long, value] = onlyWords ? [] : (/^--([\w-]+)=(.*)$/.exec(current) ?? []);
  const inline = flags.find((flag) => flag.name === long);
  if (inline && value !== undefined) return inlineValues(inline, value);
  if (current.startsWith("-") && !onlyWords) return matching(current, flagWords(flags, others));
  const standing = positionalsIn(flags, others);
  const positional = command.positionals[standing.length] ?? command.positionals.findLast(({ many }) => many);
  return positional ? matching(current, wordsFor(positional, standing, known)) : [];
}

function flagWritten(flags: readonly Flag[], word: string): Flag | undefined {
  const [, dashes, name = ""] = /^(--?)([\w-]+)$/.exec(word) ?? [];
  if (dashes === "--") return flagNamed(flags, name)?.flag;
  return flags.find(({ short, aliases }) => dashes === "-" && [short, ...aliases].includes(name));
}

function inlineValues(flag: Flag, value: string): Candidate[] {
  return matching(value, valuesOf(flag)).map((one) =>
    "word" in one ? { ...one, word: `--${flag.name}=${one.word}` } : one,
  );
}

function flagWords(flags: readonly Flag[], others: readonly string[]): Candidate[] {
  const own = flags.flatMap((flag): Candidate[] => {
    const repeats = flag.kind === "list" || flag.kind === "joined";
    const isThere = others.some((word) => word === `--${flag.name}` || word.startsWith(`--${flag.name}=`));
    if (isThere && !repeats) return [];
    const [about = ""] = flag.description.split(/(?<=\.) /, 1);
    const word = flag.fallback === true ? `--no-${flag.name}` : `--${flag.name}`;
    return [{ word, about: about.replaceAll("`", "") }];
  });
  return [...own, { word: "--help", about: "What the command takes." }];
}

function valuesOf(flag: Flag): Candidate[] {
  const { choices, placeholder } = flag;
  if (choices.length > 0) return choices.map((word) => ({ word, about: "" }));
  if (placeholder === "DIR") return [{ names: "directories" }];
  return namesPath(flag) ? [{ names: "files" }] : [];
}

// Words that are neither a flag nor a flag's value.
function positionalsIn(flags: readonly Flag[], others: readonly string[]): string[] {
  const end = others.indexOf("--");
  return others.filter((word, index) => {
    if (end >= 0 && index >= end) return index > end;
    if (word.startsWith("-")) return false;
    const flag = flagWritten(flags, others[index - 1] ?? "");
    return !flag || flag.kind === "boolean";
  });
}

/** How many of a batch's tasks to offer. */
const mostNumbers = 200;

function wordsFor(
  { property, isTask, choices = [] }: Positional,
  standing: readonly string[],
  { batches, keys }: Known,
): Candidate[] {
  if (["batchId", "otherBatchId"].includes(property)) return batchWords(batches());
  if (!isTask) return choices.map((word) => ({ word, about: "" }));
  const [given = "", ...numbersGiven] = standing;
  const batch = listedBatch(batches(), given);
  const numbers = Array.from({ length: Math.min(mostNumbers, batch?.tasks ?? 0) }, (_, index) =>
    String(index + 1),
  );
  // Shells take a word apart at blanks and signs, unless it is quoted.
  const words = batch
    ? keys(batch.batchId).filter((key) => /^[\w./@%+,-]+$/.test(key) && !/^\d/.test(key))
    : [];
  return [...numbers, ...words]
    .filter((word) => !numbersGiven.includes(word))
    .map((word) => ({ word, about: "" }));
}

function batchWords(batches: readonly BatchSummary[]): Candidate[] {
  if (batches.length === 0) return [];
  const words = batches.map(({ batchId, name, tasks, createdAt }) => ({
    word: batchId,
    about: `${name === undefined ? "" : `${name}, `}${countText(tasks, "task")}, ${roughText(Date.now() - createdAt)} ago`,
  }));
  return [...words, { word: "latest", about: "The newest batch" }];
}

function matching(current: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter((one) => "names" in one || one.word.startsWith(current));
}
