// The command line. This file finds the command, and answers for help and wrong words without loading one.
import { product } from "../../model/product.ts";
import { shellQuoted } from "../../model/shell-quoted.ts";
import { nearest } from "../../operations/nearest.ts";
import { kindAt } from "../../platform/files.ts";
import { absolutePath } from "../../platform/paths.ts";
import { oneLine } from "../../report/harmless.ts";
import type { DescribedCommand } from "./input/command.ts";
import { spellingsIn } from "./input/flag.ts";
import { type CommandName, isCommand, loadCommand } from "./load-command.ts";
import { ownTerminal, type Terminal } from "./terminal/terminal.ts";
import { usageStatus } from "./trouble.ts";
import { commandHelp, overview } from "./view/help.ts";

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
    return perform("serve", words, terminal);
  if (!isCommand(name)) return unknownCommand(name, others, terminal);
  if (asksForHelp(others)) return help(name, terminal);
  return perform(name, others, terminal);
}

async function perform(name: CommandName, argv: readonly string[], terminal: Terminal): Promise<number> {
  await import("../../model/interpreted-schemas.ts");
  const [command, { performCommand }] = await Promise.all([
    loadCommand[name](),
    import("./perform-command.ts"),
  ]);
  return performCommand(command, argv, terminal);
}

async function help(name: string | undefined, { out, err }: Terminal): Promise<number> {
  if (name === undefined || name === "help") {
    await out.print(overview(await described(), out.width));
    return 0;
  }
  const command = (await described()).find((one) => one.name === name);
  if (!command) return unknownCommand(name, [], { out, err });
  await out.print(commandHelp(command, out.width));
  return 0;
}

// Only for help and wrong words.
async function described(): Promise<readonly DescribedCommand[]> {
  return (await import("./described-commands.ts")).describedCommands();
}

async function unknownCommand(name: string, others: readonly string[], { err }: Terminal): Promise<number> {
  const known = [...Object.keys(loadCommand), "help"];
  const isOption = name.startsWith("-");
  const hint = isOption ? await optionHint(name, others) : await commandHint(name, others, known);
  await err.tell(
    `There is no ${isOption ? "option" : "command"} ${oneLine(name, 80)}.${hint}\nCommands are ${known.join(", ")}; \`${product.name} help\` describes them.`,
  );
  return usageStatus;
}

// An option of `run`, spelled as for `claude`.
async function optionHint(name: string, others: readonly string[]): Promise<string> {
  const commands = await described();
  const command = commands.find((one) => others.includes(one.name));
  if (command) return ` Options go behind the command: \`${product.name} ${command.name} ${name}\`.`;
  const run = commands.find((one) => one.name === "run");
  const [bare = ""] = name.replace(/^-+/, "").split("=", 1);
  const { runHint } = await import("./view/run-hints.ts");
  const isOfRun = run && (spellingsIn(run.flags).includes(bare) || runHint(bare) !== undefined);
  return isOfRun ? ` Write \`${product.name} run "TASK"\`, and options behind it.` : "";
}

// A task, a file of tasks, or another word for a command.
async function commandHint(
  name: string,
  others: readonly string[],
  known: readonly string[],
): Promise<string> {
  if (/\s/.test(name.trim()))
    return ` To run a session on it, write \`${product.name} run ${shellQuoted(oneLine(name, 60))}\`.`;
  if (kindAt(absolutePath(name, process.cwd())) === "file")
    return ` To run the tasks in that file, write \`${product.name} run -f ${shellQuoted(name)}\`.`;
  const meant = (await described()).find(({ otherNames }) => otherNames.includes(name.toLowerCase()))?.name;
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
