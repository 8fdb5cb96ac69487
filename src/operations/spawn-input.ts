// What the two spawn tools take.
import { z } from "zod";
import { batchOptions, prompt, sessionOptions } from "../model/options.ts";

/** Most tasks of one batch. */
const mostTasks = 10_000;

const taskInput = z.strictObject({ task: prompt, ...sessionOptions.shape });

export const sessionInput = z.strictObject({
  task: prompt,
  ...sessionOptions.shape,
  ...batchOptions.pick({ batchName: true, asyncMode: true, outputDirectory: true }).shape,
});

export const parallelInput = z.strictObject({
  tasks: z
    .array(z.union([prompt, taskInput]))
    .min(1, "expected at least one task")
    .max(mostTasks, `at most ${mostTasks} tasks in one batch`)
    .meta({
      description:
        "One session per task: the prompt as a string, or an object with `task` and its own options, which override those of the batch.",
    }),
  ...sessionOptions.shape,
  ...batchOptions.shape,
});

/** Names that an unknown one is compared with. */
export const knownNames = Object.keys(parallelInput.shape).concat("task");
