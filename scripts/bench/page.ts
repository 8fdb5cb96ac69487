// What the page of a large batch costs: the runner each time it writes, a browser that opens it, and a reader who sorts and filters.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PageFiles } from "../../src/engine/output/page-files.ts";
import { newBatchId } from "../../src/model/batch-id.ts";
import type { EventBody } from "../../src/model/event.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import type { BatchLog } from "../../src/store/batch-log.ts";
import { outputFiles } from "../../src/store/layout.ts";
import { Store } from "../../src/store/store.ts";
import { chromiumPath } from "../../test/browser/chromium.ts";
import { type Line, limitLine, median, msText, type Row } from "./row.ts";

const tasks = 2_000;
/** Of a batch that has ended. */
const mostTasks = 10_000;
const running = 32;
const writings = 60;
const openings = 5;
const mostWritingMs = 50;
const mostReadyMs = 1_000;
const mostChangeMs = 100;

export const page: Row = {
  name: "page",
  measure: async (workshop) => {
    const directory = workshop.newDirectory();
    using store = new Store(join(directory, "state"));
    const { log, epoch } = foundBatch(store, directory, tasks);
    const files = filesOf(store, log);
    const costs: number[] = [];
    // The first ones are not counted in: code that has not run yet is slow.
    for (let index = 0; index < writings * 2; index++) {
      end(log, epoch, index + 1);
      const before = process.cpuUsage();
      await files.write(log.state);
      const { user, system } = process.cpuUsage(before);
      if (index >= writings) costs.push((user + system) / 1000);
    }
    const figure = `page of ${tasks} tasks`;
    return [
      limitLine(`${figure}, a writing, mean`, mean(costs), msText, mostWritingMs),
      limitLine(`${figure}, a writing, most`, Math.max(...costs), msText, mostWritingMs),
      await ready(`${figure}, ready in a browser`, join(directory, outputFiles.report(log.batchId))),
      ...(await largePage(workshop.newDirectory())),
    ];
  },
};

async function largePage(directory: string): Promise<Line[]> {
  using store = new Store(join(directory, "state"));
  const { log, epoch } = foundBatch(store, directory, mostTasks);
  for (const task of log.state.tasks) {
    if (task.status === "queued") begin(log, epoch, task.number);
    if (task.status !== "done") end(log, epoch, task.number);
  }
  await filesOf(store, log).write(log.state);
  const path = join(directory, outputFiles.report(log.batchId));
  const figure = `page of ${mostTasks} tasks`;
  return [await ready(`${figure}, ready in a browser`, path), ...(await changes(figure, path))];
}

function filesOf(store: Store, { state }: BatchLog): PageFiles {
  const { tasks } = state;
  const names = new Map(tasks.map(({ number }) => [number, outputFiles.result(number, tasks.length, 1)]));
  const activities = new Map(tasks.map(({ number }) => [number, `Reads src/file-${number}.ts`]));
  return new PageFiles(store, { names, activities, foreignFileKept: () => undefined, textWritings: () => 1 });
}

export function foundBatch(store: Store, directory: string, tasks: number): { log: BatchLog; epoch: number } {
  const batch = {
    batchId: newBatchId(),
    startedBy: "run" as const,
    asyncMode: true,
    tasks: Array.from({ length: tasks }, (_, index) => ({
      prompt: `Review src/engine/file-${index}.ts for race conditions, and say what you would mend first`,
    })),
    sessionOptions: {},
    concurrency: running,
    failureMode: "continue" as const,
    outputDirectory: directory,
    claudePath: "/nowhere/claude",
    workingDirectory: directory,
  };
  const account = { hash: "bench", environment: {} };
  const log = store.create({ type: "batch-created", batch, account }, Date.now());
  const epoch = log.takeOver(ownIdentity());
  if (epoch === undefined) throw new Error("Internal error: a new batch has a runner");
  for (let task = 1; task <= tasks - running; task++) {
    begin(log, epoch, task);
    if (task > writings * 2 + running) end(log, epoch, task);
  }
  return { log, epoch };
}

export function begin(log: BatchLog, epoch: number, task: number): void {
  log.append(
    () => [
      {
        type: "attempt-started",
        task,
        attempt: 1,
        identity: ownIdentity(),
        sessionId: crypto.randomUUID(),
        transcript: "/nowhere/none.ndjson",
      },
    ],
    epoch,
  );
}

// One in ten fails.
export function end(log: BatchLog, epoch: number, task: number): void {
  const models = { opus: { input: 100, output: 200, cacheRead: 30_000, cacheWritten: 4_000 } };
  const usage = { costUsd: 0.12, numTurns: 4, durationMs: 30_000, models };
  const outcome: Extract<EventBody, { type: "attempt-ended" }>["outcome"] =
    task % 10 === 0
      ? { kind: "failed", reason: "execution", message: "It did not work" }
      : { kind: "succeeded", length: 5, offset: 0 };
  log.append(() => [{ type: "attempt-ended", task, attempt: 1, outcome, usage }], epoch);
}

const painted =
  "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))";

/** From the request to the end of the first paint after everything has been set up. */
export async function ready(figure: string, path: string, most = mostReadyMs): Promise<Line> {
  const times: number[] = [];
  try {
    for (let opening = 0; opening < openings; opening++) {
      await using view = newView();
      await view.navigate(pathToFileURL(path).href);
      times.push(Number(await view.evaluate(painted)));
    }
  } catch (error) {
    return { figure, value: `skipped: ${reasonText(error)}` };
  }
  return limitLine(figure, median(times), msText, most);
}

/** What a reader does with the table, by an expression that changes it each time. */
const doings: Record<string, string> = {
  "sorted by prompt": `document.querySelector('th[data-sort="prompt"] button').click()`,
  "sorted by cost": `document.querySelector('th[data-sort="cost"] button').click()`,
  filtered: `[...document.querySelectorAll('[data-show="failed"], [data-show=""]')].find((one) => one.ariaPressed !== "true").click()`,
  searched: `(({ search }) => { search.value = search.value ? "" : "file-77"; search.dispatchEvent(new Event("input")); })({ search: document.getElementById("search") })`,
};

// From the click to the end of the paint.
async function changes(figure: string, path: string): Promise<Line[]> {
  try {
    await using view = newView();
    await view.navigate(pathToFileURL(path).href);
    await view.evaluate(painted);
    const lines: Line[] = [];
    for (const [what, doing] of Object.entries(doings)) {
      const times: number[] = [];
      for (let time = 0; time < openings; time++) {
        const whole = `(() => { const from = performance.now(); ${doing}; return ${painted}.then((to) => to - from); })()`;
        times.push(Number(await view.evaluate(whole)));
      }
      lines.push(limitLine(`${figure}, ${what}`, median(times), msText, mostChangeMs));
    }
    return lines;
  } catch (error) {
    return [{ figure: `${figure}, sorted and filtered`, value: `skipped: ${reasonText(error)}` }];
  }
}

function newView(): Bun.WebView {
  return new Bun.WebView({
    width: 1200,
    height: 900,
    backend: {
      type: "chrome",
      path: chromiumPath() ?? "",
      url: false,
      argv: ["--no-sandbox", "--disable-dev-shm-usage"],
    },
  });
}

function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
