// What people pick from a menu in their client, and what their model then reads.

/** An argument of a prompt. */
export interface PromptArgument {
  name: string;
  title: string;
  description: string;
  required: boolean;
  /** Suggestions while it is typed, if known in advance. */
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
  description: "The batch (default: the newest).",
  required: false,
};

const usualSides = "correctness, security, performance, tests, readability";

export const prompts: readonly Prompt[] = [
  {
    name: "fan_out_over_files",
    title: "Do the same with many files",
    description: "Runs one Claude Code session per file, all in one batch, and summarizes the results.",
    arguments: [
      {
        name: "files",
        title: "Files",
        description: "Which files: a pattern such as src/**/*.ts, a directory, or a description.",
        required: true,
      },
      { name: "task", title: "Task", description: "What to do with each file.", required: true },
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
        `For each of these files: ${files}\nDo this: ${task}`,
        'Make one call of spawn_parallel_claude_sessions with `template` (the prompt, with {{file}} for the path) and `forEach`: {"glob": "src/**/*.ts", "exclude": [...]} for a pattern, {"gitDiff": "main"} for files changed since a ref, or {"items": [...]} with {{item}} for paths that you list. Put files that cannot be understood without each other in one item. The prompt must be self-contained, because sessions do not know of each other.',
        'If an answer can be checked, pass `expect`: {"pattern": "DONE$"}, {"schema": {…}} for JSON, or {"question": "…"} for a second, cheaper session. An answer that fails is continued with what the check said. With many files, failWhen: "20%" ends a batch that goes wrong; to find only some, stopWhen: {"found": 3, "where": {"pattern": "…"}} ends it early.',
        "Call it with dryRun first: it shows the tasks, and starts nothing. If no file matches, say what you searched for and stop.",
        `${
          changes === "yes"
            ? 'The sessions may edit: pass permissionMode "acceptEdits", and let no two tasks edit the same file.'
            : 'The sessions only read: pass tools "Read,Grep,Glob".'
        } With ten files or more, pass asyncMode, and call wait_for_batch until \`state\` is no longer \`running\`. The \`key\` of each result is its file.`,
        "Finally, read the results with read_batch_results and summarize them: what was found, in which files, and which tasks failed.",
      ].join("\n\n"),
  },
  {
    name: "review_from_several_sides",
    title: "Review from several points of view",
    description:
      "Has several Claude Code sessions review the same thing in parallel, each from one point of view, and weighs their findings.",
    arguments: [
      {
        name: "what",
        title: "What",
        description: "What to review: files, a directory, a range of commits.",
        required: true,
      },
      {
        name: "sides",
        title: "Points of view",
        description: `From which points of view, comma-separated (default: ${usualSides}).`,
        required: false,
        values: [usualSides, "security, privacy", "accuracy, tone, completeness"],
      },
    ],
    text: ({ what = "", sides = usualSides }) =>
      [
        `Review this: ${what}\nfrom each of these points of view: ${sides}`,
        'Make one call of spawn_parallel_claude_sessions with one task per point of view. Each task says what to review, by path, from which point of view only, and that each finding must give file and line, its severity, how sure the session is, and how to fix it. Sessions only read: pass allowedTools "Read,Grep,Glob,Bash(git log:*),Bash(git diff:*),Bash(git show:*)".',
        "Then combine the findings. Merge findings that several sessions report. Check the worst ones in the files before you report them. Say what no session looked at.",
      ].join("\n\n"),
  },
  {
    name: "retry_what_failed",
    title: "Rerun what failed",
    description: "Finds out why tasks of a batch failed, and reruns them if that can help.",
    arguments: [
      batchArgument,
      {
        name: "tasks",
        title: "Tasks",
        description: "Only these tasks, by number, comma-separated (default: all that failed).",
        required: false,
      },
    ],
    text: ({ batchId = "latest", tasks }) =>
      [
        `Rerun ${tasks ? `the tasks ${tasks}` : "the tasks that failed"} of the batch ${batchId || "latest"}.`,
        `First read why they failed: call read_batch_results with batchId "${batchId || "latest"}" and status "error". Each entry's \`outcome\`, \`error\` and \`advice\` say what happened and what helps.`,
        "For tasks that failed for a temporary reason (an overloaded API, a crash, silence, an interrupted batch), call retry_batch: results of tasks that succeeded are kept. Tasks that would fail again in the same way (denied tools, the turn limit, a time-out) need other options: pass them in `with`, as `advice` says. If the task itself must change (a prompt that is too long), call spawn_parallel_claude_sessions with the changed task.",
        "Then call wait_for_batch until `state` is no longer `running`, and report what has succeeded now and what has not.",
      ].join("\n\n"),
  },
];
