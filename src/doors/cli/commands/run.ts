// `run`: a batch in the foreground, run by this process, or with `--detach` by one of its own.
import { z } from "zod";
import { endOfState } from "../../../model/batch-end.ts";
import { exitText } from "../../../model/exit-status.ts";
import { farDirectoryIn } from "../../../model/far-directory.ts";
import { product } from "../../../model/product.ts";
import { wholeAnswer } from "../../../operations/answer-now.ts";
import type { Context } from "../../../operations/context.ts";
import { dryRunFacts } from "../../../operations/dry-run.ts";
import { ForegroundBatch } from "../../../operations/foreground.ts";
import { type PlannedBatch, planBatch } from "../../../operations/plan.ts";
import { spawnDetached } from "../../../operations/spawn.ts";
import { parallelInput } from "../../../operations/spawn-input.ts";
import { pathAsMeant } from "../../../operations/written-path.ts";
import { countText } from "../../../report/amounts.ts";
import { harmless } from "../../../report/harmless.ts";
import { isAttended, refusedStatus, refusedText } from "../input/attended.ts";
import {
  type Command,
  checkUsage,
  type Invocation,
  jsonFlag,
  jsonText,
  UsageError,
} from "../input/command.ts";
import { namesPath } from "../input/flag.ts";
import { flagsOf, putValue, valueAt } from "../input/flags.ts";
import { forEachFlags, forEachGiven, readsStandardInput } from "../input/for-each.ts";
import { bytesOf } from "../input/read.ts";
import { tasksGiven } from "../input/run-tasks.ts";
import { asksForRest } from "../view/asks-for-rest.ts";
import { dryRunJson, dryRunText } from "../view/dry-run.ts";
import { endingText } from "../view/ending.ts";
import { atOnceText, headingOf, sampleText } from "../view/headings.ts";
import { plainFlag } from "../view/markdown-text.ts";
import { runHint } from "../view/run-hints.ts";
import { type EndFlags, endFlags, endStatus, reportEnd } from "./end-flags.ts";
import { checkReports, type ReportFlags, reportFlags, writeReports } from "./reports.ts";
import { printAnswer, shownToItsEnd } from "./shown-run.ts";

const own = z.object({
  file: z
    .array(z.string())
    .meta({
      description:
        "Read tasks from this file; `-` is standard input. Text: one task per line, or separated by NUL characters. Markdown: open checkboxes (`- [ ]`); checked ones are skipped. JSON, JSONL, YAML and CSV (with a column `task`): each task may have its own options.",
      placeholder: "FILE",
      short: "f",
      flags: ["taskFile", "tasksFile", "fromFile"],
    })
    .optional(),
  ...forEachFlags.shape,
  detach: z
    .boolean()
    .meta({
      description: "Answer at once. The batch runs in the background, and its results go to files.",
      flags: ["background", "bg", "async", "asyncMode"],
    })
    .optional(),
  dryRun: z
    .boolean()
    .meta({ description: "Show the tasks, their options, and where files would go. Starts nothing." })
    .optional(),
  waitForLogin: z
    .boolean()
    .meta({
      description:
        "If Claude is not logged in, wait for a login, up to `loginPatienceSeconds` (default: only in a terminal, and without `CI` in the environment). Otherwise `run` fails at once, with exit status 3.",
    })
    .optional(),
  ...reportFlags.shape,
  ...endFlags.shape,
  ...plainFlag.shape,
  json: jsonFlag.shape.json,
});

export const run: Command = {
  name: "run",
  otherNames: ["start", "exec", "spawn", "ask", "submit", "batch"],
  summary: "Run Claude Code sessions, one per task",
  description: `Runs headless Claude Code sessions in parallel, one per task. Prints the answer of a single task. Answers of several tasks go to files in the output directory, or with --json to standard output. Text that is piped in goes to each task on the command line. Press Ctrl-C once to stop the running sessions properly, twice to kill them at once. If nobody reads its progress and its answers any more, as after \`2>&1 | head\`, it stops them properly, too. In GitHub Actions, it also writes annotations and a summary of the step. ${exitText("success", "failure", "usage", "refused", "paused", "interrupted", "terminated")}`,
  examples: [
    ['run "Explain src/main.ts" --allowed-tools Read', "Run one task and print its answer"],
    [
      "run -f tasks.md --concurrency 4 --output-directory results",
      "Run many tasks; their answers go to files",
    ],
    [`git ls-files '*.ts' | sed 's/^/Review /' | ${product.name} run -f -`, "Read tasks from standard input"],
    [`git diff | ${product.name} run 'Review this change'`, "Give a task what is piped in"],
    ["run -f tasks.csv --dry-run", "See the tasks and their options before anything runs"],
    ["run -f tasks.csv --sample 5", "Run five tasks, see what the rest will cost, and decide"],
    ["run -f tasks.csv --detach", "Run in the background; `watch latest` shows it"],
    ["run -f tasks.csv --quiet --junit results.xml --fail-on 5%", "Run in CI, and accept a few failures"],
  ],
  input: parallelInput,
  // Tasks are words or files, what a template needs has flags of its own, and `--detach` and `--dry-run` are the flags for
  // the others.
  withoutFlags: ["tasks", "forEach", "matrix", "asyncMode", "dryRun"],
  own,
  hints: runHint,
  positionals: [
    {
      property: "tasks",
      placeholder: "TASK",
      description: "What the session should do.",
      required: false,
      many: true,
      isTask: false,
    },
  ],
  run: async (asked) => {
    const { out, err } = asked.terminal;
    const given = checkUsage(own, asked.own);
    const { file = [], detach = false, dryRun = false, json = false, waitForLogin, quiet = false } = given;
    const words = z.array(z.string()).default([]).parse(asked.input["tasks"]);
    const { literal, context } = asked;
    const directory = context.workingDirectory;
    const input = fromHere(asked.input, context);
    const each = forEachGiven(asked.own, { isTemplate: "template" in input, words, files: file, directory });
    const { tasks, places, notes } = each
      ? { tasks: undefined, places: [], notes: [] }
      : await tasksGiven({ words, literal, files: file, directory });
    // Nothing else is read from it: a template makes the tasks.
    if (each && readsStandardInput(asked.own)) context.standardInput = await bytesOf("-", "standard input");
    checkReports(context, given, {
      inputs: file.filter((name) => name !== "-"),
      lacksSource: each !== undefined && !("forEach" in each),
    });
    if (detach && !dryRun) checkDetached(given);
    const planned = await planBatch(context, "run", { ...input, ...each, tasks, asyncMode: true });
    if (!planned.ok) throw new UsageError(planned.faults, places);
    const { batch, fileOf } = planned.value;
    if (!quiet) {
      for (const note of notes) void err.tell(note);
      for (const warning of batch.warnings ?? []) void err.tell(`Warning: ${harmless(warning)}`);
    }
    if (dryRun) {
      const size = await dryRunFacts(context, batch);
      await out.print(
        json
          ? dryRunJson(batch, { facts: size, fileOf })
          : dryRunText(batch, { flags: flagsOf(parallelInput), out, size, fileOf }),
      );
      return 0;
    }
    if (detach) return runDetached(asked, planned.value, json);
    return runHere(asked, planned.value, {
      ...given,
      json,
      isQuiet: quiet,
      isAttended: waitForLogin ?? isAttended(),
    });
  },
};

// Paths on a command line start at the user's directory, whatever directory the sessions work in.
function fromHere(
  input: Record<string, unknown>,
  { workingDirectory: directory, inForce: { configuration, faults } }: Context,
): Record<string, unknown> {
  const moved = structuredClone(input);
  const usual = faults.length === 0 ? configuration.hosts : [];
  const { data: hosts = usual ?? [] } = z.array(z.string()).safeParse(input["hosts"]);
  const absolute = (value: unknown): unknown =>
    typeof value === "string" && !farDirectoryIn(value, hosts) ? pathAsMeant(value, directory) : value;
  for (const { property } of flagsOf(parallelInput).filter(namesPath)) {
    const value = valueAt(moved, property);
    if (value !== undefined)
      putValue(moved, property, Array.isArray(value) ? value.map(absolute) : absolute(value));
  }
  return moved;
}

async function runDetached(
  { context, terminal: { out } }: Invocation,
  planned: PlannedBatch,
  json: boolean,
): Promise<number> {
  const log = await spawnDetached(context, planned);
  const { batch, tasks, outputDirectory } = log.state;
  const text = `Batch ${batch.batchId} has started with ${countText(tasks.length, "task")}${sampleText(batch)}, ${atOnceText(batch)}.\nResults go to ${outputDirectory}.\n${nextCommands(batch.batchId)}`;
  if (json) await out.print(jsonText(await wholeAnswer(context, log)));
  else await out.tell(text);
  return 0;
}

function nextCommands(batchId: string): string {
  const commands = [
    ["Follow it:", "watch"],
    ["See its page:", "open"],
    ["Read answers:", "results"],
    ["Cancel it:", "cancel"],
  ];
  return commands
    .map(([what = "", command]) => `${what.padEnd(14)}${product.name} ${command} ${batchId}`)
    .join("\n");
}

// What is written or decided at the end needs a command that is there then.
function checkDetached(given: EndFlags & ReportFlags): void {
  const names = [
    ...reportFlags.keyof().options.filter((name) => given[name] !== undefined),
    ...(given.failOn === undefined ? [] : ["fail-on"]),
  ];
  if (names.length > 0)
    throw new UsageError([
      `--${names[0]} is for the end of the batch, which \`--detach\` does not wait for; afterwards, use \`wait\` and \`export\``,
    ]);
}

interface How extends EndFlags, ReportFlags {
  json: boolean;
  isQuiet: boolean;
  /** Whether somebody is there to log in. */
  isAttended: boolean;
  plain?: boolean | undefined;
}

async function runHere({ context, terminal }: Invocation, planned: PlannedBatch, how: How): Promise<number> {
  const { out, err } = terminal;
  const { json, isAttended, isQuiet } = how;
  using batch = await ForegroundBatch.create(context, planned);
  const { state } = batch;
  if (!isQuiet) void err.tell(headingOf(state));
  let interruptedStatus = await shownToItsEnd(batch, terminal, { ...how, keysFor: context });
  await err.tell(endingText(state, batch.word, err));
  // More than once, if it was paused within its sample, or is paused again.
  while (interruptedStatus === undefined && batch.word === "paused" && !json && asksForRest(terminal)) {
    await batch.continue();
    interruptedStatus = await shownToItsEnd(batch, terminal, { ...how, keysFor: context });
    await err.tell(endingText(state, batch.word, err));
  }
  const isWritten = await writeReports(context, how, { batchId: state.batch.batchId, err, isQuiet });
  await reportEnd(how, { state, word: batch.word, err });
  const refused = interruptedStatus !== undefined ? undefined : refusedText(state, isAttended);
  if (refused !== undefined) void err.tell(refused);
  if (json) await out.print(jsonText(await batch.answer()));
  else await printAnswer(state, terminal, how.plain);
  if (interruptedStatus !== undefined) return interruptedStatus;
  if (refused !== undefined) return refusedStatus;
  return endStatus(how, endOfState(state, batch.word), state) || (isWritten ? 0 : 1);
}
