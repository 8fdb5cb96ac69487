// `run`: a batch in the foreground, run by this process, or with `--detach` by one of its own.
import { z } from "zod";
import { isJsonText } from "../../../claude/settings-file.ts";
import { entryWith } from "../../../engine/output/answer.ts";
import { resultTextOf } from "../../../engine/output/result-text.ts";
import type { Watching } from "../../../engine/runner/compose-runner.ts";
import { endOfState, exitStatusOf } from "../../../model/batch-end.ts";
import { product } from "../../../model/product.ts";
import type { SessionValues } from "../../../model/session-values.ts";
import { type Standstill, standstillKind } from "../../../model/standstill.ts";
import type { BatchState } from "../../../model/state.ts";
import { endedWord, type StateWord } from "../../../model/state-word.ts";
import { answerNow } from "../../../operations/answer-now.ts";
import { commandLineCharacters } from "../../../operations/clients.ts";
import type { Context } from "../../../operations/context.ts";
import { follow } from "../../../operations/follow.ts";
import { planBatch } from "../../../operations/plan.ts";
import { create, carry as startCarrying } from "../../../operations/spawn.ts";
import { parallelInput } from "../../../operations/spawn-input.ts";
import { readPath } from "../../../operations/written-path.ts";
import { leadToTheSame } from "../../../platform/output.ts";
import { countText } from "../../../report/amounts.ts";
import { heldText } from "../../../report/answer.ts";
import { harmless } from "../../../report/harmless.ts";
import type { BatchLog } from "../../../store/batch-log.ts";
import { isAttended, refusedStatus, refusedText } from "../input/attended.ts";
import { type Asked, type Command, jsonFlag, jsonText, UsageError } from "../input/command.ts";
import { flagsOf, namesPath } from "../input/flags.ts";
import { tasksGiven } from "../input/run-tasks.ts";
import { Interruption } from "../signals/interruption.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { dryRunJson, dryRunText } from "../view/dry-run.ts";
import { endingText } from "../view/ending.ts";
import { atOnceText, headingOf } from "../view/live-frame.ts";
import { LiveView, PlainView } from "../view/live-view.ts";
import { withoutFlags } from "../view/problem.ts";
import { faceOf, progressLines } from "../view/progress-lines.ts";
import { runHint } from "../view/run-hints.ts";

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
  json: jsonFlag.shape.json,
});

export const run: Command = {
  name: "run",
  otherNames: ["start", "exec", "spawn", "ask", "submit", "batch"],
  summary: "Run Claude Code sessions, one per task",
  description:
    "Runs headless Claude Code sessions in parallel, one per task. Prints the answer of a single task. Answers of several tasks go to files in the output directory, or with --json to standard output. Text that is piped in goes to each task on the command line. Press Ctrl-C once to stop the running sessions properly, twice to kill them at once. If nobody reads its progress and its answers any more, as after `2>&1 | head`, it stops them properly, too. Exit status: 0 if all tasks succeeded, 1 if some did not, 2 for wrong usage, 3 if Claude is not logged in, 130 if interrupted (143 by SIGTERM).",
  examples: [
    ['run "Explain src/main.ts" --allowed-tools Read', "Run one task and print its answer"],
    [
      "run -f tasks.md --concurrency 4 --output-directory results",
      "Run many tasks; their answers go to files",
    ],
    [`git ls-files '*.ts' | sed 's/^/Review /' | ${product.name} run -f -`, "Read tasks from standard input"],
    [`git diff | ${product.name} run 'Review this change'`, "Give a task what is piped in"],
    ["run -f tasks.csv --dry-run", "See the tasks and their options before anything runs"],
    ["run -f tasks.csv --detach", "Run in the background; `watch latest` shows it"],
  ],
  input: parallelInput,
  withoutFlags,
  own,
  hints: runHint,
  positionals: [
    {
      property: "tasks",
      placeholder: "TASK",
      description: "What the session should do.",
      required: false,
      many: true,
      numeric: false,
    },
  ],
  run: async (asked) => {
    const { out, err } = asked.terminal;
    const { file = [], detach = false, dryRun = false, json = false, waitForLogin } = own.parse(asked.own);
    const words = z.array(z.string()).default([]).parse(asked.input["tasks"]);
    const { literal, context } = asked;
    const directory = context.workingDirectory;
    const { tasks, places, notes } = await tasksGiven({ words, literal, files: file, directory });
    const input = fromHere(asked.input, directory);
    const planned = await planBatch(context, "run", { ...input, tasks, asyncMode: true });
    if (!planned.ok) throw new UsageError(planned.faults, places);
    const { batch, values } = planned.value;
    for (const note of notes) void err.tell(note);
    for (const warning of batch.warnings ?? []) void err.tell(`Warning: ${harmless(warning)}`);
    if (dryRun) {
      await out.print(json ? dryRunJson(batch) : dryRunText(batch, { flags: flagsOf(parallelInput), out }));
      return 0;
    }
    const log = await create(context, planned.value, !detach);
    if (detach) return runDetached(asked, log, { json, values });
    return runHere(asked, log, { json, values, isAttended: waitForLogin ?? isAttended() });
  },
};

interface How {
  json: boolean;
  values: SessionValues;
}

interface HowHere extends How {
  /** Whether somebody is there to log in. */
  isAttended: boolean;
}

// Paths on a command line start at the user's directory, whatever directory the sessions work in.
function fromHere(input: Record<string, unknown>, directory: string): Record<string, unknown> {
  const paths = flagsOf(parallelInput).filter(namesPath);
  // What is no path is reported later, as given.
  const absolute = (value: unknown): unknown => {
    if (typeof value !== "string" || value === "" || isJsonText(value)) return value;
    const read = readPath(value, directory);
    return "path" in read ? read.path : value;
  };
  return Object.fromEntries(
    Object.entries(input).map(([property, value]) => {
      if (!paths.some((flag) => flag.property === property)) return [property, value];
      return [property, Array.isArray(value) ? value.map(absolute) : absolute(value)];
    }),
  );
}

async function runDetached(
  { context, terminal }: Asked,
  log: BatchLog,
  { json, values }: How,
): Promise<number> {
  const { batch, tasks, outputDirectory } = log.state;
  await startCarrying(context, log, values);
  const text = `Batch ${batch.batchId} has started with ${countText(tasks.length, "task")}, ${atOnceText(batch)}.\nResults go to ${outputDirectory}.\n${nextCommands(batch.batchId)}`;
  if (json) await terminal.out.print(jsonText(await wholeAnswer(context, log)));
  else await terminal.out.tell(text);
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

async function runHere(
  { context, terminal }: Asked,
  log: BatchLog,
  { json, values, isAttended }: HowHere,
): Promise<number> {
  const { batch } = log.state;
  const interruptedStatus = await carry(context, log, { terminal, values, isAttended });
  void terminal.err.tell(endingText(log.state, wordOfEnded(log.state)));
  const refused = interruptedStatus !== undefined ? undefined : refusedText(log.state, isAttended);
  if (refused !== undefined) void terminal.err.tell(refused);
  if (json) await terminal.out.print(jsonText(await wholeAnswer(context, log)));
  else if (batch.tasks.length === 1) await printAnswer(log.state, terminal);
  if (interruptedStatus !== undefined) return interruptedStatus;
  if (refused !== undefined) return refusedStatus;
  return exitStatusOf(endOfState(log.state, wordOfEnded(log.state)));
}

// Runs the batch to its end; returns the exit status if a signal ended it sooner.
async function carry(
  { store }: Context,
  log: BatchLog,
  { terminal: { out, err }, values, isAttended }: Omit<HowHere, "json"> & { terminal: Terminal },
): Promise<number | undefined> {
  const { batchId } = log;
  void err.tell(headingOf(log.state));
  let activities: ReadonlyMap<number, string> = new Map();
  let hold: Standstill | undefined;
  const look = () => ({ state: log.state, activities, hold, now: Date.now() });
  const view = err.isLive ? new LiveView(err, look) : new PlainView(err);
  using interruption = new Interruption(store, log, () =>
    view.say(
      `Stopping the running sessions. Press Ctrl-C again to kill them at once. Results so far are in ${log.state.outputDirectory}, and in \`${product.name} show ${batchId}\`.`,
    ),
  );
  // As when a terminal is closed: sessions must not go on spending for nobody. If standard output goes elsewhere,
  // somebody may still want it.
  void err.readerGone.then(() => {
    if (leadToTheSame(out.descriptor, err.descriptor)) interruption.nobodyReads();
  });
  const ended = progressLines((line) => view.say(line), faceOf(err));
  try {
    const watching: Watching = (state, current, standstill) => {
      // Without a live view, a hold is reported once.
      if (!err.isLive && standstill && !isSame(standstill, hold)) view.say(heldText(standstill));
      activities = current;
      hold = standstill;
      ended(state);
    };
    const { cancelled } = interruption;
    // Loaded here, so that no other command pays for it at its start.
    const { runBatch } = await import("../../../engine/runner/runner.ts");
    const carried = await runBatch(store, log, { watching, values, isAttended, cancelled });
    // Another runner has taken it over: it is still the requested batch.
    if (!carried)
      await follow(store, log, { until: Number.POSITIVE_INFINITY, signal: new AbortController().signal });
    ended(log.state);
  } finally {
    await view.end();
  }
  return interruption.status;
}

// Reporting its figures again and again would be a line a second.
function isSame(standstill: Standstill, before: Standstill | undefined): boolean {
  return before !== undefined && standstillKind(standstill) === standstillKind(before);
}

// For a batch that this process has run to its end.
function wordOfEnded({ endedAt, cancelledBy }: BatchState): StateWord {
  return endedAt === undefined ? "running" : endedWord({ cancelledBy });
}

async function printAnswer(state: BatchState, { out }: Terminal): Promise<void> {
  const [task] = state.tasks;
  if (task?.status !== "done" || task.outcome.kind !== "succeeded") return;
  const { result = "", structuredResult } = entryWith(
    state,
    task,
    resultTextOf(task, commandLineCharacters),
    { resultFile: undefined, door: "command-line" },
  );
  const text = structuredResult === undefined ? result : jsonText(structuredResult);
  await out.print(text);
}

function wholeAnswer(context: Context, log: BatchLog) {
  return answerNow(context, log, { mostCharacters: commandLineCharacters });
}
