// The command line. Every command is the face of an operation; this file finds the right one.
import { product } from "../../model/product.ts";
import { shellQuoted } from "../../model/shell-quoted.ts";
import { numbersIn } from "../../operations/as-meant.ts";
import { newContext, type UserError } from "../../operations/context.ts";
import { problemsText } from "../../operations/fault-text.ts";
import { nearest } from "../../operations/faults.ts";
import { explained } from "../../operations/perform.ts";
import { troubleText } from "../../operations/trouble.ts";
import { kindAt } from "../../platform/files.ts";
import { absolutePath } from "../../platform/paths.ts";
import { oneLine } from "../../report/harmless.ts";
import { serve } from "./commands/serve.ts";
import { commands } from "./commands.ts";
import { type Command, isUserError, type Positional, UsageError } from "./input/command.ts";
import { faultInFlags, flagWording } from "./input/flag-wording.ts";
import { type Flag, parseFlags, spellingsIn } from "./input/flags.ts";
import { ownTerminal, type Terminal } from "./terminal/terminal.ts";
import { commandHelp, flagsOfCommand, overview } from "./view/help.ts";

/** A problem that the user can solve, in a sentence, although something may have been done already. */
export class Trouble extends Error {}

/** For wrong usage and bad input: nothing was done. */
const usageStatus = 2;

/** Runs a command line, and returns the exit status. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const terminal = ownTerminal();
  const status = await runCommandLine(argv, terminal);
  await terminal.out.done();
  const { failure } = terminal.out;
  if (failure !== undefined) void terminal.err.tell(`The output could not be written: ${failure}`);
  await terminal.err.done();
  return failure === undefined ? status : status || 1;
}

/** The same on a given terminal. */
export async function runCommandLine(
  [name, ...others]: readonly string[],
  terminal: Terminal,
): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h") return help(undefined, terminal);
  if (name === "help") return help(others[0], terminal);
  if (["--version", "-v", "-V", "version"].includes(name)) {
    await terminal.out.print(product.version);
    return 0;
  }
  // `serve` may be left out, as it may without a terminal.
  const words = [name, ...others];
  if (name.startsWith("--") && words.some((word) => /^--http(?:=|$)/.test(word)))
    return runOne(serve, words, terminal);
  const command = commands.find((one) => one.name === name);
  if (!command) return unknownCommand(name, others, terminal);
  if (asksForHelp(others)) return help(name, terminal);
  return runOne(command, others, terminal);
}

async function runOne(command: Command, argv: readonly string[], terminal: Terminal): Promise<number> {
  const flags = flagsOfCommand(command);
  using context = newContext("command-line");
  try {
    const written = parseFlags(flags, argv, command.hints);
    if (!written.ok) throw new UsageError(written.faults);
    const { options, positionals, literal } = written.value;
    const ownNames = flagsOfCommand({ ...command, withoutFlags: flags.map(({ property }) => property) });
    const isOwn = (property: string) => ownNames.some((flag) => flag.property === property);
    const entries = Object.entries(options);
    return await command.run({
      input: {
        ...Object.fromEntries(entries.filter(([property]) => !isOwn(property))),
        ...placed(command.positionals, positionals, flags),
      },
      own: Object.fromEntries(entries.filter(([property]) => isOwn(property))),
      literal,
      context,
      terminal,
    });
  } catch (thrown) {
    const error = explained(thrown, context);
    if (!isUserError(error)) {
      const trouble = troubleText(error);
      throw trouble === undefined ? error : new Trouble(trouble);
    }
    await terminal.err.tell(complaint(error, command, flags));
    return usageStatus;
  }
}

// Assigns words without a flag to the properties that the command declares for them.
function placed(
  wanted: readonly Positional[],
  given: readonly string[],
  flags: readonly Flag[],
): Record<string, unknown> {
  const rest = [...given];
  const faults: string[] = [];
  const entries = wanted.flatMap((one): [string, unknown][] => {
    const own = rest.splice(0, one.many ? rest.length : 1);
    if (own.length === 0 && one.required) faults.push(`${one.placeholder} is missing: ${one.description}`);
    const values = own.flatMap((text): (string | number)[] => {
      if (!one.isTask) return [text];
      const tasks = tasksIn(text, one.many);
      if (!tasks)
        faults.push(
          `${one.placeholder} was given as ${JSON.stringify(text)}: expected a whole number, 1 or more${one.many ? ", or a range such as 3-7" : ""}`,
        );
      return tasks ?? [];
    });
    return values.length === 0 ? [] : [[one.property, one.many ? values : values[0]]];
  });
  if (rest.length > 0)
    faults.push(
      `unexpected argument${rest.length === 1 ? "" : "s"} ${rest.map((text) => JSON.stringify(text)).join(", ")}${flagMeant(rest, flags)}`,
    );
  if (faults.length > 0) throw new UsageError(faults);
  return Object.fromEntries(entries);
}

// `3`, and if several are allowed, `3-7` and `3,5-7`, as answers and people write them. Anything else is a key, unless it
// has only digits and what separates them.
function tasksIn(text: string, many: boolean): (number | string)[] | undefined {
  if (!/^[\d\s,–-]*$/.test(text)) return [text];
  const words = many ? text.replace(/,$/, "").split(",") : [text];
  const wanted = many ? /^[1-9]\d*(?:[-–]\d+)?$/ : /^[1-9]\d*$/;
  const numbers = words.map((word) => (wanted.test(word) ? numbersIn(word) : undefined));
  return numbers.every((some) => some !== undefined) ? numbers.flat() : undefined;
}

// `install cursor` means `--client cursor`.
function flagMeant([word = ""]: readonly string[], flags: readonly Flag[]): string {
  const flag = flags.find(({ choices }) => choices.includes(word));
  return flag ? `; did you mean \`--${flag.name} ${word}\`?` : "";
}

function complaint(error: UsageError | UserError, command: Command, flags: readonly Flag[]): string {
  if (!(error instanceof UsageError)) return error.textIn(flagWording(flags));
  const texts = error.faults.map((fault) =>
    typeof fault === "string" ? fault : faultInFlags(fault, flags, error.places),
  );
  const words = texts.length === 1 ? texts[0] : problemsText(texts);
  return `${words}\nNothing was done. \`${product.name} help ${command.name}\` shows its options.`;
}

async function help(name: string | undefined, { out, err }: Terminal): Promise<number> {
  if (name === undefined || name === "help") {
    await out.print(overview(commands, out.width));
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (!command) return unknownCommand(name, [], { out, err });
  await out.print(commandHelp(command, out.width));
  return 0;
}

async function unknownCommand(name: string, others: readonly string[], { err }: Terminal): Promise<number> {
  const known = [...commands.map((command) => command.name), "help"];
  const isOption = name.startsWith("-");
  const hint = isOption ? optionHint(name, others) : commandHint(name, others, known);
  await err.tell(
    `There is no ${isOption ? "option" : "command"} ${oneLine(name, 80)}.${hint}\nCommands are ${known.join(", ")}; \`${product.name} help\` describes them.`,
  );
  return usageStatus;
}

// An option of `run`, spelled as for `claude`.
function optionHint(name: string, others: readonly string[]): string {
  const command = commands.find((one) => others.includes(one.name));
  if (command) return ` Options go behind the command: \`${product.name} ${command.name} ${name}\`.`;
  const run = commands.find((one) => one.name === "run");
  const [bare = ""] = name.replace(/^-+/, "").split("=", 1);
  const isOfRun = run && (spellingsIn(flagsOfCommand(run)).includes(bare) || run.hints?.(bare) !== undefined);
  return isOfRun ? ` Write \`${product.name} run "TASK"\`, and options behind it.` : "";
}

// A task, a file of tasks, or another word for a command.
function commandHint(name: string, others: readonly string[], known: readonly string[]): string {
  if (/\s/.test(name.trim()))
    return ` To run a session on it, write \`${product.name} run ${shellQuoted(oneLine(name, 60))}\`.`;
  if (kindAt(absolutePath(name, process.cwd())) === "file")
    return ` To run the tasks in that file, write \`${product.name} run -f ${shellQuoted(name)}\`.`;
  const meant = commands.find(({ otherNames = [] }) => otherNames.includes(name.toLowerCase()))?.name;
  const near = meant ?? nearest(name, known);
  if (near !== undefined) return ` Did you mean \`${near}\`?`;
  // Several unquoted words are a task, not a misspelled command.
  return others.length > 1 && !others.some((word) => word.startsWith("-"))
    ? ` To run a session on a task, write \`${product.name} run "TASK"\`.`
    : "";
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  return flags.includes("--help") || flags.includes("-h");
}
