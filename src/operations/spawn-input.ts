// The inputs of the two spawn tools.
import { z } from "zod";
import { batchOptions, prompt, promptOf, rareOfBatch, sessionOptions } from "../model/options.ts";
import { mostTasks, templateLimits, templateOptions } from "./inputs/for-each.ts";

/** Names for a task elsewhere; each could mean something else too. */
const wordsForTask = [
  "message",
  "messages",
  "instruction",
  "instructions",
  "query",
  "text",
  "input",
  "content",
];

// Beside a prompt, `description` is the title of a task, as in Claude Code's own agent tool.
const titled = {
  name: sessionOptions.shape.name
    .unwrap()
    .meta({ aliases: ["title", "description"] })
    .optional(),
};

/** For the order of tasks. Sessions know nothing of it. */
const ordered = {
  key: z.string().min(1).max(200).meta({ description: "Name of the task, unique in its batch." }).optional(),
  after: z
    .array(z.string().min(1))
    .min(1, "expected at least one task; leave it out for none")
    .meta({
      description:
        "Keys, names or numbers of tasks that must succeed before this one starts. In its prompt, `{{results.KEY}}` is the path of such a task's answer.",
      hints: ["dependsOn", "depends", "needs", "requires", "dependencies"],
    })
    .optional(),
};

/** One of several tasks, with options of its own. */
export const taskInput = z
  .strictObject({
    task: prompt.meta({ aliases: ["prompt", "description"], hints: wordsForTask }),
    ...ordered,
    ...sessionOptions.shape,
    ...titled,
  })
  .meta({ listed: "required" });

/** One task by itself, out of a file: what a task of a batch takes, and what a batch of one needs beside it. */
export const taskSpec = z.strictObject({
  ...taskInput.omit({ after: true }).shape,
  ...batchOptions.pick({ batchName: true, fresh: true, outputDirectory: true }).shape,
});

/** Of the options of a single session, those that most calls need. The tool for many sessions lists them all. */
const usual = [
  "task",
  "workingDirectory",
  "model",
  "allowedTools",
  "disallowedTools",
  "appendSystemPrompt",
  "permissionMode",
  "outputSchema",
  "timeoutSeconds",
  "asyncMode",
  "outputDirectory",
] as const;

export const sessionInput = z
  .strictObject({
    task: promptOf("expected one task, as text; spawn_parallel_claude_sessions takes several").meta({
      aliases: ["prompt", "tasks", "prompts", "description"],
      hints: wordsForTask,
    }),
    ...sessionOptions.shape,
    ...titled,
    ...batchOptions.pick({
      batchName: true,
      fresh: true,
      fleet: true,
      asyncMode: true,
      outputDirectory: true,
    }).shape,
  })
  .meta({ listed: usual });

/** What the list of tools shows, and no task of its own takes. */
const ofBatch = new Intl.ListFormat("en").format(
  Object.keys({ ...templateOptions, ...batchOptions.omit(rareOfBatch).shape, dryRun: undefined }),
);

export const parallelInput = z.strictObject({
  tasks: z
    .array(z.union([prompt, taskInput]))
    .min(1, "expected at least one task")
    .max(mostTasks, `at most ${mostTasks} tasks in one batch`)
    .meta({
      aliases: ["task", "prompt", "prompts"],
      hints: wordsForTask,
      description: `One session per task: the prompt as a string, or an object with \`task\` and options that override the batch's. \`after\`: [\`key\`s of tasks] starts it when those have succeeded; \`{{results.KEY}}\` in its prompt is the path of such an answer. Tasks take all options except ${ofBatch}.`,
    })
    .optional(),
  ...templateOptions,
  ...sessionOptions.shape,
  ...batchOptions.shape,
  ...templateLimits,
  dryRun: z
    .boolean()
    .meta({
      description: "Shows the tasks, and starts nothing.",
      more: "Also their options and their size, and what tasks of the same template have cost.",
    })
    .optional(),
});
