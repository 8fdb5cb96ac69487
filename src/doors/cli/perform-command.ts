// Runs one command: its line is parsed, and what is wrong with it is said in its words.
import { product } from "../../model/product.ts";
import { numbersIn } from "../../operations/as-meant.ts";
import { newContext, type UserError } from "../../operations/context.ts";
import { problemsText } from "../../operations/fault-text.ts";
import { explained } from "../../operations/perform.ts";
import { troubleText } from "../../operations/trouble.ts";
import { type Command, isUserError, type Positional, UsageError } from "./input/command.ts";
import { flagsOfCommand } from "./input/command-flags.ts";
import type { Flag } from "./input/flag.ts";
import { faultInFlags, flagWording } from "./input/flag-wording.ts";
import { parseFlags } from "./input/flags.ts";
import type { Terminal } from "./terminal/terminal.ts";
import { Trouble, usageStatus } from "./trouble.ts";

/** Runs a command with the words after its name, and returns the exit status. */
export async function performCommand(
  command: Command,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
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
    if (values.length === 0) return one.fallback === undefined ? [] : [[one.property, one.fallback]];
    return [[one.property, one.many ? values : values[0]]];
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
