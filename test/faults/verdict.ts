// What must be true of a batch in the end, whatever has been done to it: judged from outside, by log, transcripts,
// files and the process table.
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import type { BatchId } from "../../src/model/batch-id.ts";
import { eventBody } from "../../src/model/event.ts";
import type { BatchState, TaskState } from "../../src/model/state.ts";
import { outcomeWord } from "../../src/report/outcome-words.ts";
import { padded } from "../../src/store/layout.ts";
import type { Store } from "../../src/store/store.ts";
import type { Home } from "../harness.ts";
import { type Answers, answersOf } from "./answers.ts";
import type { Work } from "./tasks.ts";

export interface Violation {
  /** `wrong`: nothing is lost, but something that we say is not true. */
  kind: "lost" | "twice" | "left" | "stuck" | "wrong";
  what: string;
}

export interface Verdict {
  violations: Violation[];
  attempts: number;
  /** How many processes these had. */
  processes: number;
  /** Sessions that one runner started and another one took over. */
  adoptions: number;
  epochs: number;
}

/** A batch that has ended. */
export interface Ended {
  home: Home;
  store: Store;
  batchId: BatchId;
}

interface Subject extends Ended {
  works: Work[];
}

/** Takes one violation. */
export type Report = (kind: Violation["kind"], what: string) => void;

/** Looks at everything that is left of a round whose batch has ended. */
export async function judge(subject: Subject): Promise<Verdict> {
  const { works } = subject;
  const violations: Violation[] = [];
  const report: Report = (kind, what) => violations.push({ kind, what });
  await judgeProcesses(subject, report);
  const state = subject.store.batch(subject.batchId)?.state;
  if (!state) throw new Error(`no batch ${subject.batchId}`);
  judgeRow(subject, state, report);
  const log = judgeLog(subject, works.length, report);
  const transcripts = subject.store.layout.batchDirectory(subject.batchId);
  const output = directoryAtEnd(subject.home, state.outputDirectory);
  const answers = answersOf({ transcripts, output }, state, report);
  for (const [index, work] of works.entries()) {
    const task = state.tasks[index];
    if (task) judgeTask(task, work, { answers, output }, report);
  }
  judgeFiles(works, state, { output, report });
  return { violations, ...startsOf(state), ...log };
}

/** How often a session began, and in how many processes. */
export function startsOf({ tasks }: BatchState): Pick<Verdict, "attempts" | "processes"> {
  const attempts = tasks.flatMap((task) => task.attempts);
  const processes = new Set(attempts.map(({ transcript }) => transcript));
  return { attempts: attempts.length, processes: processes.size };
}

/** Reports what still runs, and what was not given back. Keeper and runner leave a moment after the end. */
export async function judgeProcesses(
  { home, store }: Pick<Ended, "home" | "store">,
  report: Report,
): Promise<void> {
  await home.empty().catch((error) => report("left", String(error)));
  for (const table of ["pool_slots", "pool_waiters", "loads"]) {
    const left = store.database.query<unknown, []>(`SELECT * FROM ${table}`).all();
    if (left.length > 0) report("left", `${left.length} rows in ${table}: ${JSON.stringify(left[0])}`);
  }
}

/** Compares the row with the log. */
export function judgeRow({ store, batchId }: Ended, state: BatchState, report: Report): void {
  const row = store.row(batchId);
  const { counts, endedAt, epoch, changedAt, outputDirectory } = state;
  const folded = { counts, endedAt, epoch, changedAt, outputDirectory, costUsd: state.totalCostUsd };
  for (const [name, value] of Object.entries(folded)) {
    const inRow: unknown = row && Reflect.get(row, name);
    if (!Bun.deepEquals(inRow, value))
      report("wrong", `row.${name} is ${JSON.stringify(inRow)}, the log says ${JSON.stringify(value)}`);
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total !== state.tasks.length)
    report("wrong", `the counts add up to ${total}: ${JSON.stringify(counts)}`);
}

const line = z.object({ at: z.number(), epoch: z.number(), body: z.string() });

/** Looks at the log itself, and not only at its fold, which forgives much: of this many tasks, each ends once. */
export function judgeLog(
  { store, batchId }: Ended,
  tasks: number,
  report: Report,
): { adoptions: number; epochs: number } {
  const rows = store.database
    .query<unknown, [string]>("SELECT at, epoch, body FROM events WHERE batch_id = ? ORDER BY sequence")
    .all(batchId)
    .map((row) => line.parse(row));
  const running = new Set<number>();
  const finals = new Map<number, number>();
  let adoptions = 0;
  let epochs = 0;
  for (const { body } of rows) {
    const event = eventBody.parse(JSON.parse(body));
    if (event.type === "runner-started") {
      epochs++;
      adoptions += running.size;
    } else if (event.type === "attempt-started") {
      if (finals.has(event.task)) report("twice", `task ${event.task} was started after it had ended`);
      if (running.has(event.task)) report("twice", `task ${event.task} was started while it ran`);
      running.add(event.task);
    } else if (event.type === "attempt-ended") {
      running.delete(event.task);
      if (event.retryAt === undefined) finals.set(event.task, (finals.get(event.task) ?? 0) + 1);
    }
  }
  for (let number = 1; number <= tasks; number++) {
    const ends = finals.get(number) ?? 0;
    if (ends !== 1) report(ends === 0 ? "lost" : "twice", `task ${number} has ${ends} ends in the log`);
  }
  return { adoptions, epochs };
}

function judgeTask(
  task: TaskState,
  work: Work,
  { answers, output }: { answers: Answers; output: string },
  report: Report,
): void {
  const { number } = task;
  const good = answers.transcripts.get(number) ?? [];
  if (task.status !== "done") {
    report("stuck", `task ${number} is ${task.status}`);
    return;
  }
  const word = outcomeWord(task);
  const tries = task.attempts.map(({ number: at, outcome }) => `${at}: ${outcome?.kind}`).join(", ");
  if (word !== work.outcome) {
    const detail = JSON.stringify(task.outcome).slice(0, 300);
    report(
      good.length > 0 ? "lost" : "wrong",
      `task ${number} (${work.prompt}) ended as ${detail} after ${tries}`,
    );
  }
  for (const text of good)
    if (!text.startsWith(work.answer ?? ""))
      report("wrong", `task ${number} was answered ${text.slice(0, 100)}`);
  if (good.length > 1) report("twice", `task ${number} was answered ${good.length} times (${tries})`);
  for (const [where, entries] of [
    ["lines", answers.lines.get(number) ?? []],
    ["summary", answers.summary.get(number) ?? []],
  ] as const) {
    const [entry] = entries;
    if (!entry) {
      report("lost", `task ${number} is not in the ${where}`);
      continue;
    }
    if (entries.length > 1) report("twice", `task ${number} stands ${entries.length} times in the ${where}`);
    if (entry.outcome !== word) report("wrong", `task ${number} is ${entry.outcome} in the ${where}`);
    const expected = work.outcome === "succeeded" ? (work.answer ?? good[0] ?? "") : "";
    if (!(entry.result ?? "").startsWith(expected))
      report(
        "lost",
        `task ${number}: the ${where} do not have its answer but ${entry.result?.slice(0, 100)}`,
      );
    // As it was named there, wherever its directory is now.
    if (entry.resultFile === undefined || !existsSync(join(output, basename(entry.resultFile))))
      report("lost", `task ${number}: its file ${entry.resultFile} is not there (${where})`);
  }
}

function judgeFiles(
  works: readonly Work[],
  state: BatchState,
  { output, report }: { output: string; report: Report },
): void {
  const names = readdirSync(output);
  for (const number of works.keys()) {
    const key = `-${padded(number + 1, works.length)}-`;
    const own = names.filter((name) => /^(result|error)-/.test(name) && name.includes(key) && !isPart(name));
    if (own.length !== 1)
      report(own.length === 0 ? "lost" : "twice", `task ${number + 1} has ${own.length} files: ${own}`);
  }
  const parts = names.filter(isPart);
  if (parts.length > 0)
    report("left", `half files in ${basename(state.outputDirectory)}: ${parts.join(", ")}`);
  const [failure] = state.fileFailures;
  if (failure) report("wrong", `a file was reported as not written: ${failure.join(": ")}`);
}

// Somebody may have moved it away after the last file was written.
function directoryAtEnd(home: Home, directory: string): string {
  if (existsSync(directory)) return directory;
  const [newest] = readdirSync(home.path)
    .flatMap((name) => Number(/^moved-(\d+)$/.exec(name)?.[1] ?? []))
    .filter((count) => !Number.isNaN(count))
    .sort((a, b) => b - a);
  return newest === undefined ? directory : home.file(`moved-${newest}`);
}

function isPart(name: string): boolean {
  return name.endsWith(".part");
}
