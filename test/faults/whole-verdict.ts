// What must be true of a batch with all parts in the end, whatever has been done to it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import type { BatchState, TaskState } from "../../src/model/state.ts";
import { outcomeWord } from "../../src/report/outcome-words.ts";
import { outputFiles, padded } from "../../src/store/layout.ts";
import { eventually, type Home } from "../harness.ts";
import type { Door } from "./door.ts";
import {
  type Ended,
  judgeLog,
  judgeProcesses,
  judgeRow,
  type Report,
  startsOf,
  type Verdict,
  type Violation,
} from "./verdict.ts";
import { correction, costs, type File, failsFirst, kindOf, secondAnswer } from "./whole-batch.ts";

const note = z.object({
  kind: z.string(),
  session_id: z.string().catch(""),
  prompt: z.string().catch(""),
  is_error: z.boolean().catch(false),
});
type Note = z.infer<typeof note>;

/** What the fake has noted so far; a line that a kill has torn is left out. */
export function notesIn(home: Home): Note[] {
  if (!existsSync(home.startsLog)) return [];
  return readFileSync(home.startsLog, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        const noted = note.parse(JSON.parse(line));
        // With `/clear`, a process forgets a conversation: nobody asks it anything, and what it says to that has no prompt.
        const isOfClear = noted.prompt === "/clear" || (noted.kind === "result" && noted.prompt === "");
        return isOfClear ? [] : [noted];
      } catch {
        return [];
      }
    });
}

interface Whole extends Ended {
  /** Which is not left over. */
  doorPid: number;
}

interface Expected {
  files: readonly File[];
  /** How much of the fake's notes is about earlier batches. */
  before: number;
  /** How many of the first files have an answer already. */
  remembered: number;
  /** Whether sessions were killed, whose costs are then known in part. */
  isHit: boolean;
  /** The path of what was exported. */
  exported: string | undefined;
}

/** Looks at everything that is left of a round whose batch has ended. */
export async function judgeWhole(ended: Whole, expected: Expected): Promise<Verdict> {
  const violations: Violation[] = [];
  const report: Report = (kind, what) => violations.push({ kind, what });
  const { home, store, batchId, doorPid } = ended;
  await home.empty({ but: doorPid }).catch((error) => report("left", String(error)));
  const state = store.batch(batchId)?.state;
  if (!state) throw new Error(`no batch ${batchId}`);
  judgeRow(ended, state, report);
  const log = judgeLog(ended, state.tasks.length, report);
  judgeTasks(state, expected, report);
  judgePayments(notesIn(home).slice(expected.before), state, expected, report);
  judgeFiles(state, expected, report);
  return { violations, ...startsOf(state), ...log };
}

function judgeTasks({ tasks, batch }: BatchState, { files }: Expected, report: Report): void {
  const numbers = new Map(files.map(({ key, n }) => [key, n]));
  if (tasks.filter((_, index) => !batch.tasks[index]?.summary).length !== files.length)
    report("lost", `${tasks.length} tasks for ${files.length} files`);
  if (!batch.tasks.some(({ summary }) => summary?.isWhole)) report("lost", "there is no summary");
  for (const task of tasks) {
    const { key = "", summary } = batch.tasks[task.number - 1] ?? {};
    if (task.status !== "done") {
      report("stuck", `task ${key} is ${task.status}`);
      continue;
    }
    if (task.outcome.kind !== "succeeded") {
      const tries = task.attempts.map(({ outcome }) => outcome?.kind).join(", ");
      report("lost", `task ${key} ended as ${outcomeWord(task)} after ${tries}`);
      continue;
    }
    const n = numbers.get(key);
    const said = answerOf(task);
    // A conversation that goes on after a kill gives its second answer, too.
    const isSecond = said === secondAnswer && (failsFirst(n ?? 0) || hasContinued(tasks, batch, task));
    if (!summary && said !== n && !isSecond) report("wrong", `task ${key} answered ${said}`);
    if (!summary && said === n && failsFirst(n ?? 0))
      report("wrong", `task ${key} passed its check with ${said}`);
  }
}

// It, or the one whose answer it has.
function hasContinued(
  tasks: BatchState["tasks"],
  batch: BatchState["batch"],
  { number }: TaskState,
): boolean {
  const one = batch.tasks[number - 1]?.sameAs ?? number;
  return (tasks[one - 1]?.attempts.length ?? 0) > 1;
}

function answerOf(task: TaskState): number | undefined {
  const outcome = task.status === "done" ? task.outcome : undefined;
  const structured = outcome?.kind === "succeeded" ? outcome.structured : undefined;
  return z.object({ n: z.number() }).safeParse(structured).data?.n;
}

// Whatever a session has answered is used: no good answer is followed by another one to the same.
function judgePayments(
  notes: readonly Note[],
  { tasks, batch, totalCostUsd }: BatchState,
  { isHit, remembered }: Expected,
  report: Report,
): void {
  const good = notes.filter(({ kind, is_error }) => kind === "result" && !is_error);
  const bySession = Map.groupBy(good, ({ session_id }) => session_id);
  const corrected = new Set(
    notes
      .filter(({ kind, prompt }) => kind === "prompt" && prompt.startsWith(correction))
      .map(({ session_id }) => session_id),
  );
  let least = 0;
  let continued = 0;
  for (const { prompt } of good) {
    const kind = kindOf(prompt);
    if (kind === undefined) continued++;
    else least += costs[kind];
  }
  for (const task of tasks) {
    const { key = "", prompt = "", summary } = batch.tasks[task.number - 1] ?? {};
    const sessions = new Set(task.attempts.map(({ sessionId }) => sessionId));
    const answered = [...sessions].flatMap((id) => bySession.get(id) ?? []);
    const isReused = task.status === "done" && task.outcome.kind === "succeeded" && task.outcome.reused;
    if (isReused) continue;
    const n = Number(/\[\[sleep ms=(\d+)\]\]/.exec(prompt)?.[1]);
    const most = !summary && failsFirst(n) ? 2 : 1;
    if (answered.length > most) report("twice", `task ${key} was answered ${answered.length} times`);
    // The fake prints its answer before it notes that, so that one killed in between has answered all the same.
    if (answered.length === 0 && !isHit) report("lost", `task ${key} was never answered, and is done`);
    const refused = task.attempts.find(({ outcome }) => outcome?.kind === "unverified");
    if (refused && !corrected.has(refused.sessionId))
      report("lost", `task ${key} never heard why its answer did not pass`);
    if (summary) continue;
    const asked = task.attempts.flatMap(({ checkSessions = [] }) => checkSessions);
    const verdicts = asked.flatMap(({ sessionId }) => bySession.get(sessionId) ?? []);
    if (verdicts.length > 1 || (verdicts.length === 0 && !isHit))
      report("twice", `the answer of task ${key} was judged ${verdicts.length} times`);
  }
  const known = new Set(
    tasks.flatMap(({ attempts }) =>
      attempts.flatMap(({ sessionId, checkSessions = [] }) => [
        sessionId,
        ...checkSessions.map((one) => one.sessionId),
      ]),
    ),
  );
  for (const id of bySession.keys())
    if (!known.has(id)) report("twice", `session ${id} has answered, and is not in the log`);
  const reused = tasks.filter(
    ({ attempts }) => attempts.length > 0 && attempts.every(({ identity }) => "reused" in identity),
  );
  if (reused.length < remembered)
    report("twice", `only ${reused.length} of ${remembered} answers were reused`);
  const most = least + continued * 0.1;
  if (totalCostUsd < least - 1e-6 || (!isHit && totalCostUsd > most + 1e-6))
    report("wrong", `it cost ${totalCostUsd}, the sessions say ${least} to ${most}`);
}

function judgeFiles(state: BatchState, { exported }: Expected, report: Report): void {
  const { outputDirectory, batch, tasks } = state;
  const textOf = (path: string) => {
    if (existsSync(path)) return readFileSync(path, "utf8");
    report("lost", `${path} is not there`);
    return "";
  };
  const at = (name: string) => join(outputDirectory, name);
  const keys = batch.tasks.map(({ key = "" }) => key);
  const lines = textOf(at(outputFiles.lines(batch.batchId)));
  const entry = z.object({ key: z.string(), outcome: z.string() });
  const inLines = lines
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => {
      try {
        return [entry.parse(JSON.parse(line)).key];
      } catch {
        report("wrong", `a line of the results cannot be read: ${line.slice(0, 100)}`);
        return [];
      }
    });
  if (!Bun.deepEquals(inLines.toSorted(), keys.toSorted()))
    report("wrong", `the lines have ${inLines.toSorted().join(" ")}`);
  const table = textOf(at(outputFiles.data(batch.batchId)));
  const inTable = [...table.matchAll(/^([\w./-]+),(\d+),success,/gm)].map(([, key = ""]) => key);
  const given = batch.tasks.flatMap(({ key = "", summary: own }) => (own ? [] : [key]));
  if (!Bun.deepEquals(inTable, given)) report("wrong", `the table has ${inTable.join(" ")}`);
  if (exported === undefined) report("lost", "it could not be exported");
  else if (textOf(exported) !== table) report("wrong", "what is exported is not the table");
  const summary = textOf(at(outputFiles.summary(batch.batchId)));
  if (summary !== "") z.object({ results: z.array(entry) }).parse(JSON.parse(summary));
  const names = existsSync(outputDirectory) ? readdirSync(outputDirectory) : [];
  for (const { number } of tasks) {
    // Summaries are behind the tasks whose number decides how wide a number is.
    const key = `-${padded(number, tasks.length)}-`;
    const own = names.filter((name) => /^(?:result|error)-/.test(name) && name.includes(key));
    if (own.filter((name) => !name.endsWith(".part")).length !== 1)
      report(own.length === 0 ? "lost" : "twice", `task ${number} has the files ${own}`);
  }
  const parts = names.filter((name) => name.endsWith(".part"));
  if (parts.length > 0) report("left", `half files: ${parts.join(", ")}`);
  const [failure] = state.fileFailures;
  if (failure) report("wrong", `a file was reported as not written: ${failure.join(": ")}`);
}

/** Runs the same batch again, in peace: what is remembered must be what was answered, and nothing else is left. */
export async function judgeNext(
  { home, store, batchId }: Whole,
  { files, door, input }: { files: readonly File[]; door: Door; input: object },
): Promise<Violation[]> {
  const violations: Violation[] = [];
  const report: Report = (kind, what) => violations.push({ kind, what });
  const answers = (state: BatchState | undefined) =>
    new Map(state?.batch.tasks.map(({ key }, index) => [key, answerOf(state.tasks[index] ?? none)]));
  const earlier = answers(store.batch(batchId)?.state);
  const { data, text } = await door.call("spawn_parallel_claude_sessions", {
    ...input,
    forEach: { glob: "src/**/*.ts" },
    asyncMode: true,
  });
  const next = batchIdSchema.safeParse(data?.["batchId"]).data;
  if (next === undefined) return [{ kind: "wrong", what: `the next batch did not begin: ${text}` }];
  await eventually(
    () => store.row(next)?.endedAt !== undefined,
    () => "the next batch does not end",
  );
  const state = store.batch(next)?.state;
  const now = answers(state);
  for (const { key, n } of files) {
    const index = state?.batch.tasks.findIndex((task) => task.key === key) ?? -1;
    const task = state?.tasks[index];
    if (task?.status !== "done" || task.outcome.kind !== "succeeded") {
      report("lost", `${key} has no answer in the next batch`);
      continue;
    }
    const isReused = task.outcome.reused !== undefined && task.outcome.reused.batchId !== next;
    const right = isReused ? [earlier.get(key), n, secondAnswer] : [n, secondAnswer];
    if (!right.includes(now.get(key))) report("wrong", `${key} is ${now.get(key)} in the next batch`);
  }
  await door[Symbol.asyncDispose]();
  await judgeProcesses({ home, store }, report);
  return violations;
}

const none: TaskState = { number: 1, attempts: [], status: "queued" };
