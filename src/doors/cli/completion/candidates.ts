// What can come next on a command line. Shells call it at every press of Tab.
import type { BatchId } from "../../../model/batch-id.ts";
import { listedBatch } from "../../../operations/listed-batch.ts";
import { countText, roughText } from "../../../report/amounts.ts";
import type { BatchSummary } from "../../../store/batch-summaries.ts";
import type { DescribedCommand, Positional } from "../input/command.ts";
import { flagNamed, namesPath, type ShownFlag } from "../input/flag.ts";

/** A word with its description; or that names of files or directories are wanted, which shells complete themselves. */
export type Candidate = { word: string; about: string } | { names: "files" | "directories" };

type ReadSummaries = () => Promise<readonly BatchSummary[]>;
/** The keys of the tasks of a batch. */
type ReadKeys = (batchId: BatchId) => Promise<readonly string[]>;

/** What is known of batches. */
interface Known {
  batches: ReadSummaries;
  keys: ReadKeys;
}

/** `written`: the words after the program's name, the unfinished one last. */
export async function candidatesFor(
  commands: readonly DescribedCommand[],
  written: readonly string[],
  batches: ReadSummaries,
  keys: ReadKeys = async () => [],
): Promise<Candidate[]> {
  // Bash splits `--effort=high` into three words.
  const words = written.filter((word, index) => word !== "=" || index === written.length - 1);
  const current = words.at(-1) === "=" ? "" : (words.at(-1) ?? "");
  const [name, ...others] = words.slice(0, -1);
  if (name === undefined) return matching(current, commandWords(commands));
  if (name === "help") return others.length === 0 ? matching(current, commandWords(commands)) : [];
  const command = commands.find((one) => one.name === name);
  return command ? forCommand(command, others, current, { batches, keys }) : [];
}

function commandWords(commands: readonly DescribedCommand[]): Candidate[] {
  return [
    ...commands.map(({ name, summary }) => ({ word: name, about: summary })),
    { word: "help", about: "Show the options of a command" },
  ];
}

async function forCommand(
  command: DescribedCommand,
  others: readonly string[],
  current: string,
  known: Known,
): Promise<Candidate[]> {
  const { flags } = command;
  const onlyWords = others.includes("--");
  const waiting = onlyWords ? undefined : flagWritten(flags, others.at(-1) ?? "");
  if (waiting && waiting.kind !== "boolean") return matching(current, valuesOf(waiting));
  const [, long, value] = onlyWords ? [] : (/^--([\w-]+)=(.*)$/.exec(current) ?? []);
  const inline = flags.find((flag) => flag.name === long);
  if (inline && value !== undefined) return inlineValues(inline, value);
  if (current.startsWith("-") && !onlyWords) return matching(current, flagWords(flags, others));
  const standing = positionalsIn(flags, others);
  const positional = command.positionals[standing.length] ?? command.positionals.findLast(({ many }) => many);
  return positional ? matching(current, await wordsFor(positional, standing, known)) : [];
}

function flagWritten(flags: readonly ShownFlag[], word: string): ShownFlag | undefined {
  const [, dashes, name = ""] = /^(--?)([\w-]+)$/.exec(word) ?? [];
  if (dashes === "--") return flagNamed(flags, name)?.flag;
  return flags.find(({ short, aliases }) => dashes === "-" && [short, ...aliases].includes(name));
}

function inlineValues(flag: ShownFlag, value: string): Candidate[] {
  return matching(value, valuesOf(flag)).map((one) =>
    "word" in one ? { ...one, word: `--${flag.name}=${one.word}` } : one,
  );
}

function flagWords(flags: readonly ShownFlag[], others: readonly string[]): Candidate[] {
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

function valuesOf(flag: ShownFlag): Candidate[] {
  const { choices, placeholder } = flag;
  if (choices.length > 0) return choices.map((word) => ({ word, about: "" }));
  if (placeholder === "DIR") return [{ names: "directories" }];
  return namesPath(flag) ? [{ names: "files" }] : [];
}

// Words that are neither a flag nor a flag's value.
function positionalsIn(flags: readonly ShownFlag[], others: readonly string[]): string[] {
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

async function wordsFor(
  { property, isTask, choices = [] }: Positional,
  standing: readonly string[],
  { batches, keys }: Known,
): Promise<Candidate[]> {
  if (["batchId", "otherBatchId"].includes(property)) return batchWords(await batches());
  if (!isTask) return choices.map((word) => ({ word, about: "" }));
  const [given = "", ...numbersGiven] = standing;
  const batch = listedBatch(await batches(), given);
  const numbers = Array.from({ length: Math.min(mostNumbers, batch?.tasks ?? 0) }, (_, index) =>
    String(index + 1),
  );
  // Shells take a word apart at blanks and signs, unless it is quoted.
  const words = batch
    ? (await keys(batch.batchId)).filter((key) => /^[\w./@%+,-]+$/.test(key) && !/^\d/.test(key))
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
