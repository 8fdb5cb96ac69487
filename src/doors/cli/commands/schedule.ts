// `schedule`: commands that the system starts again and again.
import { product } from "../../../model/product.ts";
import {
  commandText,
  schedule as operation,
  type ScheduleOutput,
} from "../../../operations/schedule/schedule.ts";
import { type Command, commandOf, UsageError } from "../input/command.ts";
import { flagsOfCommand } from "../input/command-flags.ts";
import { parseFlags } from "../input/flags.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Commands that wait for somebody, and have no end of their own. */
const endless = ["serve", "worker", "watch"];

const face = commandOf(operation, {
  name: "schedule",
  otherNames: ["cron", "timer", "nightly", "at"],
  examples: [
    ['schedule "every night" -- run -f tasks.md --batch-budget-usd 20', "Run the tasks of a file at 03:00"],
    ['schedule "every monday at 9:00" --name tidy -- prune --older-than 7', "Remove old batches every week"],
    ['schedule "every hour" --print -- run "Look for new bugs"', "Show the files, and install nothing"],
    ["schedule list", "Show what is scheduled"],
    ["schedule remove tidy", "Remove one"],
  ],
  positionals: [
    {
      property: "words",
      placeholder: "WHEN -- COMMAND",
      description:
        "When, and after `--` a command of this program with its options; or `list`; or `remove NAME`.",
      required: false,
      many: true,
      isTask: false,
    },
  ],
  alone: true,
  isWrapped: true,
  present: ({ schedules, message }, { input, terminal: { out } }) =>
    isList(input) && schedules.length > 0 ? listText(schedules, out) : message,
});

/** Loads a command of this program; undefined if there is none of the name. */
type Load = (name: string) => Promise<Command | undefined>;

/** The command, which checks the command lines that it is given. */
export function scheduleOf(load: Load): Command {
  return {
    ...face,
    withoutFlags: [...face.withoutFlags, "command"],
    hints: () =>
      'options of the command to start go behind `--`, as in `schedule "every night" -- run -f tasks.md`',
    run: async (asked) => {
      const all = wordsOf(asked.input["words"]);
      const split = all.length - asked.literal;
      const written = all.slice(split);
      // As it would be typed in a terminal.
      const command = written[0] === product.name ? written.slice(1) : written;
      if (asked.literal > 0) await checkCommand(command, load);
      return face.run({ ...asked, input: { ...asked.input, words: all.slice(0, split), command } });
    },
  };
}

function wordsOf(words: unknown): string[] {
  return Array.isArray(words) ? words.map(String) : [];
}

function isList(input: Record<string, unknown>): boolean {
  const [first = "list"] = wordsOf(input["words"]);
  return first === "list" && wordsOf(input["command"]).length === 0;
}

// At night, nobody reads what is wrong with it.
async function checkCommand([name = "", ...argv]: readonly string[], load: Load): Promise<void> {
  const command = await load(name);
  if (!command || endless.includes(name)) {
    const why = command ? "has no end, so no timer can start it again" : "is no command of this program";
    throw new UsageError([
      `${JSON.stringify(name)} ${why}. Behind \`--\`, write one such as \`run -f tasks.md\``,
    ]);
  }
  const written = parseFlags(flagsOfCommand(command), argv, command.hints);
  if (!written.ok) throw new UsageError(written.faults.map((fault) => `in the command ${name}: ${fault}`));
}

function listText(schedules: ScheduleOutput["schedules"], out: Terminal["out"]): string {
  const time = (text: string | undefined) =>
    text === undefined ? "–" : new Date(text).toLocaleString("sv-SE").slice(0, 16);
  const rows = schedules.map((one) => [
    one.name,
    one.when,
    time(one.next),
    time(one.lastPrinted),
    one.workingDirectory,
    commandText(one),
  ]);
  const columns = [
    { title: "NAME" },
    { title: "WHEN" },
    { title: "NEXT" },
    { title: "LAST PRINTED" },
    { title: "DIRECTORY" },
    { title: "COMMAND" },
  ];
  const problems = schedules.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [out.paint("red", `${name}: ${problem}`)],
  );
  return [table(columns, rows, out), ...problems].join("\n");
}
