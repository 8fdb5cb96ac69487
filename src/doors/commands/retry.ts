// `retry`: resumes an interrupted batch, and reruns what failed, with other options where flags give some.
import { z } from "zod";
import { retryOptions } from "../../model/options.ts";
import { retryBatch, retryInput } from "../../operations/retry.ts";
import { batchPositional, type Command, checkUsage, commandOf } from "./command.ts";
import { taskNumbersPositional } from "./task-numbers.ts";

const ownInput = retryInput.omit({ with: true });
/** On a command line, all options are flags: those of the retry, and those that it changes. */
const input = z.strictObject({
  ...ownInput.shape,
  ...retryOptions.shape,
  batchBudgetUsd: ownInput.shape.batchBudgetUsd,
});

const face = commandOf(retryBatch, {
  name: "retry",
  otherNames: ["rerun", "resume", "continue", "restart"],
  description:
    "Resumes an interrupted batch, and reruns tasks that failed or were cancelled. Options given here replace those that the tasks had; a list replaces the whole earlier list. Tasks that succeeded keep their results and cost nothing more, unless you name them and give options. A conversation that was cut off continues, except in another working directory. Answers at once; follow the batch with `wait` or `watch`.",
  examples: [
    ["retry latest", "Rerun what failed or was interrupted"],
    ["retry b4k2 3 5", "Rerun two of its tasks"],
    ["retry b4k2 6 --allowed-tools 'Read,Edit'", "Rerun a task whose tools were denied"],
    ["retry b4k2 --max-turns 40", "Rerun what failed, with more turns"],
    ["retry b4k2 --only interrupted", "Only resume it"],
  ],
  positionals: [batchPositional, taskNumbersPositional],
  present: ({ batchId, message }) =>
    `Batch ${batchId}: ${message}\nSee it with \`parallel-claude-code-mcp show ${batchId}\`.`,
});

export const retry: Command = {
  ...face,
  input,
  run: (asked) => {
    checkUsage(input, asked.input);
    const isOwn = (name: string) => Object.hasOwn(ownInput.shape, name);
    const entries = Object.entries(asked.input);
    const changes = entries.filter(([name]) => !isOwn(name));
    return face.run({
      ...asked,
      input: {
        ...Object.fromEntries(entries.filter(([name]) => isOwn(name))),
        ...(changes.length > 0 ? { with: Object.fromEntries(changes) } : {}),
      },
    });
  },
};
