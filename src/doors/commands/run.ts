// `run`: a batch in the foreground, carried by this process; or with `--detach` by one of its own.
import { z } from "zod";
import { entryOf, reportFileOf } from "../../engine/answer.ts";
import { runBatch } from "../../engine/runner.ts";
import { product } from "../../model/product.ts";
import { type BatchState, doneCount } from "../../model/state.ts";
import { answerNow } from "../../operations/answer-now.ts";
import { commandLineCharacters } from "../../operations/clients.ts";
import type { Context } from "../../operations/context.ts";
import { follow } from "../../operations/follow.ts";
import { planBatch } from "../../operations/plan.ts";
import { create, carry as startCarrying } from "../../operations/spawn.ts";
import { parallelInput } from "../../operations/spawn-input.ts";
import { costText, countText, durationText } from "../../report/amounts.ts";
import { countsText } from "../../report/answer.ts";
import { harmless } from "../../report/harmless.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { type Asked, type Command, jsonFlag, jsonText, UsageFault } from "./command.ts";
import { Interruption, interruptedStatus } from "./interruption.ts";
import { withoutFlags } from "./problem.ts";
import { progressLines } from "./progress-lines.ts";
import { tasksFromFile } from "./task-file.ts";
import type { Terminal } from "./terminal.ts";

const own = z.object({
  file: z
    .array(z.string())
    .meta({
      description:
        "Takes one task a line from this file; `-` is standard input. Blank lines are passed over.",
      placeholder: "FILE",
      short: "f",
    })
    .optional(),
  detach: z
    .boolean()
    .meta({ description: "Answers at once; the batch goes on by itself, and its results go to files." })
    .optional(),
  json: jsonFlag.shape.json,
});

export const run: Command = {
  name: "run",
  summary: "Run Claude Code sessions, one for each task",
  description:
    "Runs headless Claude Code sessions at once, one for each task. The answer of a single task is printed; those of several go to files in the output directory, or with --json to standard output. Ctrl-C once ends the running sessions properly, twice at once. Exit status: 0 when all tasks succeeded, 1 when some did not, 2 for wrong usage, 130 when interrupted.",
  input: parallelInput,
  withoutFlags,
  own,
  positionals: [
    {
      property: "tasks",
      placeholder: "TASK",
      description: "What a session is asked to do.",
      required: false,
      many: true,
      numeric: false,
    },
  ],
  run: async (asked) => {
    const { file = [], detach = false, json = false } = own.parse(asked.own);
    const given = z.array(z.string()).default([]).parse(asked.input["tasks"]);
    const tasks = [...given, ...(await Promise.all(file.map(tasksFromFile))).flat()];
    if (tasks.length === 0)
      throw new UsageFault(["there is no task: give one behind `run`, or a file of them with `-f FILE`"]);
    const planned = planBatch(asked.context, "run", { ...asked.input, tasks, asyncMode: true });
    if (!planned.ok) throw new UsageFault(planned.faults);
    const log = create(asked.context, planned.value, !detach);
    return detach ? runDetached(asked, log, json) : runHere(asked, log, json);
  },
};

async function runDetached({ context, terminal }: Asked, log: BatchLog, json: boolean): Promise<number> {
  const { batch, tasks, outputDirectory } = log.state;
  await startCarrying(context, log);
  const text = `Batch ${batch.batchId} has started with ${countText(tasks.length, "task")}, at most ${batch.concurrency} at once.\nResults go to ${outputDirectory}.\nLook with \`${product.name} show ${batch.batchId}\`; end it with \`${product.name} cancel ${batch.batchId}\`.`;
  await terminal.out.print(json ? jsonText(wholeAnswer(context, log)) : text);
  return 0;
}

async function runHere({ context, terminal }: Asked, log: BatchLog, json: boolean): Promise<number> {
  const { batch } = log.state;
  const interrupted = await carry(context, log, terminal);
  void terminal.err.print(summary(log.state));
  if (json) await terminal.out.print(jsonText(wholeAnswer(context, log)));
  else if (batch.tasks.length === 1) await printAnswer(log.state, terminal);
  if (interrupted) return interruptedStatus;
  return log.state.counts.succeeded === batch.tasks.length ? 0 : 1;
}

// To its end; gives whether somebody wanted that sooner.
async function carry({ store }: Context, log: BatchLog, { err }: Terminal): Promise<boolean> {
  const { batch, outputDirectory } = log.state;
  void err.print(
    `Batch ${batch.batchId}: ${countText(batch.tasks.length, "task")}, at most ${batch.concurrency} at once. Files go to ${outputDirectory}.`,
  );
  using interruption = new Interruption(
    store,
    log,
    () =>
      void err.print(
        `Ending the running sessions; once more kills them at once. What has ended is in ${outputDirectory}, and in \`${product.name} show ${batch.batchId}\`.`,
      ),
  );
  const progress = progressLines(err);
  const carried = await runBatch(store, log, progress);
  // Another runner has taken it over: it is still the batch that was asked for.
  if (!carried)
    await follow(store, log, { until: Number.POSITIVE_INFINITY, signal: new AbortController().signal });
  progress(log.state);
  return interruption.wanted;
}

function summary(state: BatchState): string {
  const took = durationText((state.endedAt ?? Date.now()) - state.createdAt);
  const unwritten =
    state.fileFailures.size === 0
      ? ""
      : `\n${countText(state.fileFailures.size, "file")} could not be written: ${[...state.fileFailures.values()][0]}`;
  const spent = doneCount(state.counts) > 0 ? `, ${costText(state.totalCostUsd, state.costAtLeast)}` : "";
  return `${countsText(state)} ${took}${spent}.\nReport: ${reportFileOf(state)}${unwritten}`;
}

async function printAnswer(state: BatchState, { out }: Terminal): Promise<void> {
  const [task] = state.tasks;
  if (task?.status !== "done" || task.outcome.kind !== "succeeded") return;
  const { result = "", structuredResult } = entryOf(state, task, commandLineCharacters);
  const text = structuredResult === undefined ? result : jsonText(structuredResult);
  await out.print(out.isTerminal ? harmless(text) : text);
}

function wholeAnswer(context: Context, log: BatchLog) {
  return answerNow(context, log, { mostCharacters: commandLineCharacters, message: countsText(log.state) });
}
