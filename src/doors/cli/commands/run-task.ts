// `run-task`: one task from a file, its result to a file. What job schedulers start on their machines.
import { z } from "zod";
import { endOfState, exitStatusOf } from "../../../model/batch-end.ts";
import { product } from "../../../model/product.ts";
import { UserError } from "../../../operations/context.ts";
import { ForegroundBatch } from "../../../operations/foreground.ts";
import { type PlannedBatch, planBatch } from "../../../operations/plan.ts";
import { claimPathOf, ResultClaim } from "../../../operations/result-claim.ts";
import { earlierResult, paidResult, writeResult } from "../../../operations/task-result.ts";
import { inSpec, readTaskSpec, type TaskResult, taskSpecJsonSchema } from "../../../operations/task-spec.ts";
import { isDirectory } from "../../../platform/files.ts";
import { absolutePath, basename, dirname, join } from "../../../platform/paths.ts";
import { messageOf } from "../../../platform/system-error.ts";
import { makeDirectory } from "../../../platform/whole-files.ts";
import { sessionAnswerOf } from "../../../report/answer.ts";
import { harmless } from "../../../report/harmless.ts";
import { refusedStatus, refusedText } from "../input/attended.ts";
import {
  type Command,
  checkUsage,
  type Invocation,
  jsonFlag,
  jsonText,
  UsageError,
} from "../input/command.ts";
import { specIn } from "../input/spec-file.ts";
import { Leaving } from "../signals/ending-signals.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { endingText } from "../view/ending.ts";
import { headingOf } from "../view/headings.ts";
import { printAnswer, shownToItsEnd } from "./shown-run.ts";

const own = z.object({
  spec: z
    .string()
    .meta({
      description:
        "The task, as JSON: an object with `task` and options, or only the prompt as a string; `-` is standard input. `--schema` prints what it may have.",
      placeholder: "FILE",
      flags: ["task", "specFile", "taskFile", "file"],
      short: "f",
    })
    .optional(),
  line: z
    .int()
    .min(1)
    .meta({
      description:
        'Take the task from this line of the spec file, counted from 1, such as `--line "$SLURM_ARRAY_TASK_ID"`. Each line is a task as JSON.',
      placeholder: "N",
      flags: ["index", "lineNumber"],
    })
    .optional(),
  out: z
    .string()
    .meta({
      description:
        "Write the result to this file, as JSON. In a directory, the file gets the name of the spec file, and the number of the line. If the file has a successful result of the same task, nothing runs.",
      placeholder: "FILE",
      flags: ["output", "outFile", "result"],
      short: "o",
    })
    .optional(),
  schema: z.boolean().meta({ description: "Print the JSON Schema of a task, and run nothing." }).optional(),
  json: jsonFlag.shape.json,
});

export const runTask: Command = {
  name: "run-task",
  otherNames: ["task", "job", "run-one"],
  summary: "Run one task from a file, for Slurm, Kubernetes and GNU parallel",
  description:
    "Runs one task in the foreground, and writes its result to a file, for job schedulers that start one process per task. The result file appears whole. If it has a successful result of the same task already, run-task prints that and runs nothing, so a job that is queued again does not pay twice. If two start with the same result file, the second waits for the first, on other machines too. To run the task again, remove the file. SIGTERM stops the session properly, and the result says so. Exit status: 0 if the task succeeded, 1 if it did not, 2 if something was wrong and nothing ran, 3 if Claude is not logged in, 143 if stopped by SIGTERM (130 by Ctrl-C).",
  examples: [
    ["run-task --spec task.json --out result.json", "Run the task in a file"],
    [
      'run-task --spec tasks.jsonl --line "$SLURM_ARRAY_TASK_ID" --out results/',
      "Run one of many, in a job array",
    ],
    [
      `echo '"Explain src/main.ts"' | ${product.name} run-task --spec - --out result.json`,
      "Read the task from standard input",
    ],
    ["run-task --schema", "Show what a spec may have"],
  ],
  input: z.object({}),
  withoutFlags: [],
  own,
  positionals: [],
  run: async (asked) => {
    const { context, terminal } = asked;
    const given = checkUsage(own, asked.own);
    if (given.schema) {
      await terminal.out.print(jsonText<unknown>(taskSpecJsonSchema()));
      return 0;
    }
    const { spec: file, line } = given;
    if (file === undefined || given.out === undefined)
      throw new UsageError([
        ...(file === undefined ? ["name the file of the task with `--spec FILE`"] : []),
        ...(given.out === undefined ? ["name the file for its result with `--out FILE`"] : []),
      ]);
    const out = outFile(given.out, { file, line, from: context.workingDirectory });
    const { spec, place } = await specIn(file, line);
    const read = readTaskSpec(spec);
    if (!read.ok) throw new UsageError(read.faults, [place]);
    // Before anything takes long: the first process of a container hears no signal that it does not listen for.
    using leaving = new Leaving();
    const { input, digest } = read.value;
    const done = earlierResult(out, digest);
    if (done?.status === "success") return sayDone(done, { out, json: given.json, terminal });
    const planned = await planBatch(context, "run", { ...input, asyncMode: false, fleet: "", hosts: [] });
    if (!planned.ok) throw new UsageError(inSpec(planned.faults), [place]);
    for (const warning of planned.value.batch.warnings ?? [])
      void terminal.err.tell(`Warning: ${harmless(warning)}`);
    return await runClaimed(asked, planned.value, { out, digest, json: given.json, leaving });
  },
};

interface Wanted {
  out: string;
  digest: string;
  json: boolean | undefined;
  leaving: Leaving;
}

// In a directory, specs that are started together must not have the same file.
function outFile(
  given: string,
  { file, line, from }: { file: string; line: number | undefined; from: string },
): string {
  const path = absolutePath(given, from);
  if (!/[/\\]$/.test(given) && !isDirectory(path)) return path;
  if (file === "-")
    throw new UsageError([
      `${given} is a directory: name a file with \`--out\`, because the task has no file name`,
    ]);
  const stem = basename(file).replace(/\.[^.]+$/, "");
  return join(path, `${stem}${line === undefined ? "" : `-${line}`}.json`);
}

async function runClaimed(asked: Invocation, planned: PlannedBatch, wanted: Wanted): Promise<number> {
  await makeFolder(wanted.out);
  for (;;) {
    const status = await inTurn(asked, planned, wanted);
    if (status !== "lost") return status;
  }
}

// "lost": where several take over the claim of a killed process, one may have it for a moment only. Then it has begun nothing.
async function inTurn(asked: Invocation, planned: PlannedBatch, wanted: Wanted): Promise<number | "lost"> {
  const { terminal } = asked;
  const { out, digest, json, leaving } = wanted;
  let hasWaited = false;
  await using claim = await claimOf(out, {
    signal: leaving.signal,
    waits: (process) => {
      hasWaited = true;
      void terminal.err.tell(
        `${process ? `Process ${process.pid}` : "Another process"}, here or on another machine, runs the task for ${out}. Waiting for its result.`,
      );
    },
  });
  if (!claim) return leaving.status ?? 1;
  const done = earlierResult(out, digest);
  // A failure that has just been paid for is a result too, but what was only stopped is still wanted.
  if (done && (done.status === "success" || (hasWaited && done.end === "failed")))
    return sayDone(done, { out, json, terminal });
  const { batchId, tasks } = planned.batch;
  const wantedTask = { digest, prompt: tasks[0]?.prompt };
  const paid = claim.task && (await paidResult(asked.context, claim.task, wantedTask));
  // Awaited here, because the claim is given back when this function ends.
  if (paid) return await keepPaid(paid, { out, json, claim, terminal });
  await claim.begins({ batchId, digest });
  if (claim.lost.aborted) return "lost";
  return await runHere(asked, planned, { ...wanted, claim });
}

// The process that ran the task was killed before it wrote the result, or could not write it.
async function keepPaid(
  result: TaskResult,
  { out, json, claim, terminal }: Pick<Wanted, "out" | "json"> & { claim: ResultClaim; terminal: Terminal },
): Promise<number> {
  if (!(await write(out, result, claim, terminal))) return 1;
  const because = `batch ${result.batchId} had done this task, and its result was not written then`;
  return sayDone(result, { out, json, terminal, because });
}

async function runHere(
  { context, terminal }: Invocation,
  planned: PlannedBatch,
  { out, digest, json, claim, leaving }: Wanted & { claim: ResultClaim },
): Promise<number> {
  using batch = await ForegroundBatch.create(context, planned);
  const { state } = batch;
  claim.lost.addEventListener("abort", () => batch.stop());
  // A signal that came, or a claim that was lost, before there was anything to stop.
  if (leaving.signal.aborted || claim.lost.aborted) batch.stop();
  void terminal.err.tell(headingOf(state));
  const interruptedStatus = (await shownToItsEnd(batch, terminal, { isAttended: false })) ?? leaving.status;
  await terminal.err.tell(endingText(state, batch.word, terminal.err));
  const result = { ...sessionAnswerOf(await batch.answer()), specDigest: digest };
  const isWritten = await write(out, result, claim, terminal);
  const refused = interruptedStatus === undefined ? refusedText(state, true) : undefined;
  if (refused !== undefined) void terminal.err.tell(refused);
  if (json) await terminal.out.print(jsonText<unknown>(result));
  else await printAnswer(state, terminal);
  if (interruptedStatus !== undefined) return interruptedStatus;
  if (refused !== undefined) return refusedStatus;
  return exitStatusOf(endOfState(state, batch.word)) || (isWritten ? 0 : 1);
}

async function write(
  out: string,
  result: TaskResult,
  claim: ResultClaim,
  { err }: Terminal,
): Promise<boolean> {
  const where = `It is kept on this machine: \`${product.name} results ${result.batchId} 1\`.`;
  if (claim.lost.aborted) {
    await err.tell(
      `This process gave no sign of life for so long that another one took over the task for ${out}, so its result was not written there. ${where}`,
    );
    return false;
  }
  try {
    await writeResult(out, result);
    void err.tell(`Result: ${out}`);
    return true;
  } catch (error) {
    const isPaid = result.status === "success";
    if (isPaid) claim.keep();
    const next = isPaid
      ? ` The next \`run-task\` for this file on this machine writes it, and runs nothing.`
      : "";
    await err.tell(`The result could not be written to ${out}: ${messageOf(error)}. ${where}${next}`);
    return false;
  }
}

async function makeFolder(out: string): Promise<void> {
  try {
    await makeDirectory(dirname(out));
  } catch (error) {
    throw new UserError(`The directory of ${out} cannot be created: ${messageOf(error)}. Nothing was run.`);
  }
}

async function claimOf(
  out: string,
  taking: Parameters<typeof ResultClaim.take>[1],
): Promise<ResultClaim | undefined> {
  try {
    return await ResultClaim.take(out, taking);
  } catch (error) {
    throw new UserError(
      `No result can be written to ${out}, because ${claimPathOf(out)} cannot be created: ${messageOf(error)}. Nothing was run.`,
    );
  }
}

async function sayDone(
  result: TaskResult,
  {
    out,
    json,
    terminal,
    because = `${out} has the result of this task`,
  }: { out: string; json: boolean | undefined; terminal: Terminal; because?: string },
): Promise<number> {
  const { status, error, structuredResult } = result;
  void terminal.err.tell(`Nothing was run: ${because}. To run it again, remove the file.`);
  if (json) await terminal.out.print(jsonText<unknown>(result));
  else if (status === "success")
    await terminal.out.print(
      structuredResult === undefined ? (result.result ?? "") : jsonText<unknown>(structuredResult),
    );
  else if (error !== undefined) await terminal.err.tell(error);
  return status === "success" ? 0 : 1;
}
