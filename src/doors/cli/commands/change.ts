// `change`: changes a batch while it runs.
import { z } from "zod";
import { batchIdSchema } from "../../../model/batch-id.ts";
import { product } from "../../../model/product.ts";
import { changeBatch } from "../../../operations/change.ts";
import type { Context } from "../../../operations/context.ts";
import type { Fault } from "../../../operations/fault.ts";
import { InputError } from "../../../operations/user-error.ts";
import { batchPositional, type Command, commandOf, jsonFlag, UsageError } from "../input/command.ts";
import { tasksGiven } from "../input/run-tasks.ts";

const own = jsonFlag.extend({
  file: z
    .array(z.string())
    .meta({
      description: "Add the tasks in this file, as `run -f` reads it.",
      placeholder: "FILE",
      short: "f",
      flags: ["taskFile", "tasksFile", "fromFile"],
    })
    .optional(),
});

const face = commandOf(changeBatch, {
  name: "change",
  otherNames: ["pause", "suspend", "adjust", "update", "set", "throttle", "add"],
  description:
    "Changes a batch that has not ended: pauses it or lets it go on, how many sessions run at once, its budget. Adds tasks, which get the options of the batch. The running sessions go on to their end. A paused batch whose sessions have ended needs no process, and stays paused until `continue` runs the rest or `cancel` ends it. `cancel BATCH N` skips a task that has not started.",
  examples: [
    ["change latest --pause", "Start no more sessions of the newest batch"],
    ["change latest --no-pause", "Start them again, as `continue` does"],
    ["change b4k2 --concurrency 2 --batch-budget-usd 20", "Fewer at once, and another budget"],
    ['change b4k2 "Review src/new.ts"', "Add a task"],
  ],
  positionals: [
    batchPositional,
    {
      property: "addTasks",
      placeholder: "TASK",
      description: "What the session of an added task should do.",
      required: false,
      many: true,
      isTask: false,
    },
  ],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nSee it with \`${product.name} show ${batchId}\`.`,
});

export const change: Command = {
  ...face,
  own,
  run: async (asked) => {
    const { file: files = [] } = own.parse(asked.own);
    const words = z.array(z.string()).default([]).parse(asked.input["addTasks"]);
    if (words.length + files.length === 0) return face.run(asked);
    const { literal, context, terminal } = asked;
    refuseVerbs(words.slice(0, words.length - literal), context);
    const { tasks, places, notes } = await tasksGiven({
      words,
      literal,
      files,
      directory: context.workingDirectory,
    });
    for (const note of notes) void terminal.err.tell(note);
    try {
      return await face.run({ ...asked, input: { ...asked.input, addTasks: tasks } });
    } catch (error) {
      if (error instanceof InputError) throw new UsageError(error.faults.map(asTask), places);
      if (error instanceof UsageError)
        throw new UsageError(
          error.faults.map((fault) => (typeof fault === "string" ? fault : asTask(fault))),
          places,
        );
      throw error;
    }
  },
};

/** What somebody may write instead of a flag. */
const verbs: Readonly<Record<string, string>> = {
  pause: "--pause",
  suspend: "--pause",
  hold: "--pause",
  stop: "--pause",
  resume: "--no-pause",
  unpause: "--no-pause",
  continue: "--no-pause",
  go: "--no-pause",
};

// Each word is a task that costs money, also one that was meant otherwise.
function refuseVerbs(words: readonly string[], { store }: Context): void {
  const faults = words.flatMap((word) => {
    const flag = verbs[word.toLowerCase()];
    if (flag !== undefined)
      return [
        `${JSON.stringify(word)} is no task: to do that, write \`${flag}\`. If it is the task, write it after \`--\``,
      ];
    const id = batchIdSchema.safeParse(word);
    return id.success && store.row(id.data) !== undefined
      ? [
          `${JSON.stringify(word)} is a batch, and no task: \`change\` changes one batch at a time. If it is the task, write it after \`--\``,
        ]
      : [];
  });
  if (faults.length > 0) throw new UsageError(faults);
}

// As `run` calls them: `task 2`.
function asTask(fault: Fault): Fault {
  if (fault.kind === "general" || fault.place[0] !== "addTasks") return fault;
  return { ...fault, place: ["tasks", ...fault.place.slice(1)] };
}
