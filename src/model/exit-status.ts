// The exit statuses of commands: their only declaration. Help and docs/command-line.md derive from it.

interface ExitStatus {
  status: number;
  /** For the table. */
  meaning: string;
  /** After the number, in a list. */
  words: string;
}

export const exitStatuses = {
  success: {
    status: 0,
    meaning:
      "all tasks succeeded, or `--stop-when-found` was reached, or fewer tasks failed than `--fail-on` says; a command that starts, reads or changes something has done it",
    words: "if all tasks succeeded",
  },
  failure: {
    status: 1,
    meaning:
      "tasks failed, or their answers did not pass a check (`--fail-on` says how many must); the batch was stopped or interrupted; or a file could not be written",
    words: "if some did not, or the batch was stopped or interrupted",
  },
  usage: {
    status: 2,
    meaning: "wrong usage, or a setting or file is wrong; nothing has run",
    words: "for wrong usage",
  },
  refused: {
    status: 3,
    meaning:
      "Claude is not logged in, or the API refuses the account for billing reasons; for `run` and `run-task`",
    words: "if Claude is not logged in",
  },
  paused: {
    status: 4,
    meaning:
      "the batch has paused, after its sample (`--sample`) or by [`change --pause`](#change-a-batch-while-it-runs), and [`continue`](recipes.md#try-five-first) runs the rest; for commands that follow a batch",
    words: "if the batch has paused",
  },
  hungUp: { status: 129, meaning: "the terminal was closed", words: "if the terminal was closed" },
  interrupted: { status: 130, meaning: "interrupted by Ctrl-C", words: "if you pressed Ctrl-C" },
  terminated: {
    status: 143,
    meaning: "ended by SIGTERM, or on Windows by Ctrl-Break",
    words: "after SIGTERM",
  },
} as const satisfies Record<string, ExitStatus>;

type ExitName = keyof typeof exitStatuses;

/** "Exit status: 0 if all tasks succeeded, 1 if some did not …", as help says it of a command that follows a batch. */
export function exitText(...names: readonly ExitName[]): string {
  const list = names.map((name) => `${exitStatuses[name].status} ${exitStatuses[name].words}`);
  return `Exit status: ${list.join(", ")}.`;
}

/** The rows of the table. */
export function exitTable(): string[] {
  const rows = Object.values(exitStatuses).map(({ status, meaning }) => `| ${status} | ${meaning} |`);
  return ["| status | meaning |", "| --- | --- |", ...rows];
}
