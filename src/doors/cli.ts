// The command line. Every command is the face of an operation; this file finds the one that was meant.
import { product } from "../model/product.ts";
import { ConfigurationFault, newContext } from "../operations/context.ts";
import { nearest } from "../operations/faults.ts";
import { type Command, isMendable, type Positional, UsageFault } from "./commands/command.ts";
import { inFlagWords } from "./commands/flag-words.ts";
import { commandHelp, flagsOfCommand, overview } from "./commands/help.ts";
import { ownTerminal, type Terminal } from "./commands/terminal.ts";
import { commands } from "./commands.ts";
import { type Flag, parseFlags } from "./flags.ts";

/** Of wrong usage and bad input: nothing was done. */
const usageStatus = 2;

/** Runs what was asked for, and gives the exit status. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const terminal = ownTerminal();
  const status = await perform(argv, terminal);
  await terminal.out.done();
  const { failure } = terminal.out;
  if (failure !== undefined) void terminal.err.print(`The output could not be written: ${failure}`);
  await terminal.err.done();
  return failure === undefined ? status : status || 1;
}

async function perform([name, ...others]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h") return help(undefined, terminal);
  if (name === "help") return help(others[0], terminal);
  if (name === "--version" || name === "-v") {
    await terminal.out.print(product.version);
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (!command) return unknownCommand(name, terminal);
  if (asksForHelp(others)) return help(name, terminal);
  return runOne(command, others, terminal);
}

async function runOne(command: Command, argv: readonly string[], terminal: Terminal): Promise<number> {
  const flags = flagsOfCommand(command);
  using context = newContext();
  try {
    const written = parseFlags(flags, argv);
    if (!written.ok) throw new UsageFault(written.faults);
    const { options, positionals } = written.value;
    const ownNames = flagsOfCommand({ ...command, withoutFlags: flags.map(({ property }) => property) });
    const isOwn = (property: string) => ownNames.some((flag) => flag.property === property);
    const entries = Object.entries(options);
    return await command.run({
      input: {
        ...Object.fromEntries(entries.filter(([property]) => !isOwn(property))),
        ...placed(command.positionals, positionals),
      },
      own: Object.fromEntries(entries.filter(([property]) => isOwn(property))),
      context,
      terminal,
    });
  } catch (error) {
    if (!isMendable(error)) throw error;
    const words = complaint(error, command);
    await terminal.err.print(error instanceof ConfigurationFault ? words : asWritten(words, flags));
    return usageStatus;
  }
}

// Flags by their names on a command line; what stands in a file, by its names there.
function asWritten(words: string, flags: readonly Flag[]): string {
  const lines = words.split("\n");
  const isOfFile = (line: string) => /^(?:- )?(?:the file |standard input)/.test(line);
  return lines.map((line) => (isOfFile(line) ? line : inFlagWords(line, flags))).join("\n");
}

// What stands without a flag, by the properties that the command gives it.
function placed(wanted: readonly Positional[], given: readonly string[]): Record<string, unknown> {
  const rest = [...given];
  const faults: string[] = [];
  const entries = wanted.flatMap((one): [string, unknown][] => {
    const own = rest.splice(0, one.many ? rest.length : 1);
    if (own.length === 0 && one.required) faults.push(`${one.placeholder} is missing: ${one.description}`);
    const values = own.map((text) => {
      if (!one.numeric) return text;
      if (!/^[1-9]\d*$/.test(text))
        faults.push(
          `${one.placeholder} was given as ${JSON.stringify(text)}: expected a whole number, 1 or more`,
        );
      return Number(text);
    });
    return values.length === 0 ? [] : [[one.property, one.many ? values : values[0]]];
  });
  if (rest.length > 0)
    faults.push(
      `unexpected argument${rest.length === 1 ? "" : "s"} ${rest.map((text) => JSON.stringify(text)).join(", ")}`,
    );
  if (faults.length > 0) throw new UsageFault(faults);
  return Object.fromEntries(entries);
}

function complaint(error: UsageFault | Error, command: Command): string {
  if (!(error instanceof UsageFault)) return error.message;
  const [only] = error.faults;
  const words =
    error.faults.length === 1
      ? only
      : `${error.faults.length} problems:\n${error.faults.map((fault) => `- ${fault}`).join("\n")}`;
  return `${words}\nNothing was done. \`${product.name} help ${command.name}\` shows its options.`;
}

async function help(name: string | undefined, { out, err }: Terminal): Promise<number> {
  if (name === undefined || name === "help") {
    await out.print(overview(commands, out.width));
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (!command) return unknownCommand(name, { out, err });
  await out.print(commandHelp(command, out.width));
  return 0;
}

async function unknownCommand(name: string, { err }: Terminal): Promise<number> {
  const known = [...commands.map((command) => command.name), "help"];
  const near = nearest(name, known);
  const hint = near === undefined ? "" : ` Did you mean \`${near}\`?`;
  const what = name.startsWith("-") ? "option" : "command";
  await err.print(
    `There is no ${what} ${name}.${hint}\nCommands are ${known.join(", ")}; \`${product.name} help\` describes them.`,
  );
  return usageStatus;
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  return flags.includes("--help") || flags.includes("-h");
}
