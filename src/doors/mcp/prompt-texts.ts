// What people pick from a menu in their client, and what their model then reads.

/** An argument of a prompt. */
export interface PromptArgument {
  name: string;
  title: string;
  description: string;
  required: boolean;
  /** What is suggested while it is typed, where that is known beforehand. */
  values?: readonly string[];
}

export interface Prompt {
  name: string;
  title: string;
  description: string;
  arguments: readonly PromptArgument[];
  text(given: Readonly<Record<string, string>>): string;
}

const batchArgument: PromptArgument = {
  name: "batchId",
  title: "Batch",
  description: "Which batch (default: the newest).",
  required: false,
};

const usualSides = "correctness, security, performance, tests, readability";

export const prompts: readonly Prompt[] = [
  {
    name: "fan_out_over_files",
    title: "Do the same with many files",
    description: "Runs one Claude Code session for each file, all in one batch, and sums up what came of it.",
    arguments: [
      {
        name: "files",
        title: "Files",
        description: "Which files: a pattern such as src/**/*.ts, a directory, or a description.",
        required: true,
      },
      { name: "task", title: "Task", description: "What is to be done with each file.", required: true },
      {
        name: "changes",
        title: "Changes",
        description: "Whether the sessions may edit files (default: no).",
        required: false,
        values: ["no", "yes"],
      },
    ],
    text: ({ files = "", task = "", changes = "no" }) =>
      [
        `For each of these files: ${files}\nthis is to be done: ${task}`,
        "First list the files that are meant; when there are none, say what was looked for and stop. Files that cannot be understood without each other belong into one task.",
        `Then one call of spawn_parallel_claude_sessions with one task for each file. Each task stands alone: it names its file by its path and says everything that the session needs, because sessions do not know of each other. ${
          changes === "yes"
            ? 'The sessions may edit: give permissionMode "acceptEdits", and let no two tasks edit the same file.'
            : 'The sessions only read: give allowedTools "Read,Grep,Glob".'
        } With ten files or more give asyncMode, and ask with wait_for_batch until the state is \`finished\`.`,
        "At the end read what has come of it with read_batch_results, and sum it up: what was found, in which files, and which tasks failed.",
      ].join("\n\n"),
  },
  {
    name: "review_from_several_sides",
    title: "Review from several sides",
    description:
      "Has several Claude Code sessions review the same thing at once, each from one side, and weighs what they found.",
    arguments: [
      {
        name: "what",
        title: "What",
        description: "What is to be reviewed: files, a directory, a range of commits.",
        required: true,
      },
      {
        name: "sides",
        title: "Sides",
        description: `Comma-separated (default: ${usualSides}).`,
        required: false,
        values: [usualSides, "security, privacy", "accuracy, tone, completeness"],
      },
    ],
    text: ({ what = "", sides = usualSides }) =>
      [
        `This is to be reviewed: ${what}\nfrom each of these sides: ${sides}`,
        'One call of spawn_parallel_claude_sessions with one task for each side. Each task says what is reviewed and by which paths, from which side alone, and that each finding comes with file and line, how bad it is, how sure the session is, and what would mend it. Sessions only read: give allowedTools "Read,Grep,Glob,Bash(git log:*),Bash(git diff:*),Bash(git show:*)".',
        "Then put the findings together: the same finding from several sides is one; check the worst in the files themselves before they are reported; say what no side has looked at.",
      ].join("\n\n"),
  },
  {
    name: "retry_what_failed",
    title: "Run again what failed",
    description: "Looks at why tasks of a batch failed, and runs them again where that can help.",
    arguments: [
      batchArgument,
      {
        name: "tasks",
        title: "Tasks",
        description: "Only these, by number, comma-separated (default: all that failed).",
        required: false,
      },
    ],
    text: ({ batchId = "latest", tasks }) =>
      [
        `Of the batch ${batchId || "latest"} ${tasks ? `the tasks ${tasks}` : "the tasks that failed"} are to be run again.`,
        `First read why they failed: read_batch_results with batchId "${batchId || "latest"}" and status "error". Each entry's \`outcome\`, \`error\` and \`advice\` say what happened and what helps.`,
        "What failed for a passing reason (the API was overloaded, a crash, silence, a batch that was interrupted) goes through retry_batch: what has succeeded is kept. What would fail again in the same way (a prompt that is too long, denied tools, a limit of turns) needs a new call of spawn_parallel_claude_sessions with the task or its options changed; `resumeSessionId` goes on with the conversation that was cut off.",
        "Then ask with wait_for_batch until the state is `finished`, and tell what has succeeded now and what has not.",
      ].join("\n\n"),
  },
];
