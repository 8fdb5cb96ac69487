// Batches that a runner takes from their first task to their end, with the fake `claude`.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { newBatchId } from "../../src/model/batch-id.ts";
import type { Batch, EventBody } from "../../src/model/event.ts";
import type { BatchState } from "../../src/model/state.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import type { Store } from "../../src/store/store.ts";
import { fakeClaude, Home } from "../harness.ts";
import { withoutResolver } from "../quiet.ts";
import { goneIdentity } from "../store/samples.ts";

interface Ran {
  state: BatchState;
  printed: {
    hasRun: boolean;
    told: string[];
    doing: string[];
    slots: number;
    progress: number;
    held: unknown;
  };
  files: string[];
  output: string;
  store: Store;
}

interface Order {
  task: number;
  status: "queued" | "running" | "done";
  events: EventBody[];
}

const home = new Home();
/** There as soon as the view of a batch has been told that a session does what that batch waits for. */
const seen = home.file("seen");
/** What a session of the fake does while it streams its only part. */
const onlyPart = "Part 1 of 1.";
const store = home.store();
afterAll(async () => {
  store[Symbol.dispose]();
  await home[Symbol.asyncDispose]();
});

/** Runs a batch to its end, in a process of its own. */
async function ran(
  tasks: Batch["tasks"],
  {
    batch = {},
    orders = [],
    leash,
    seenAfter,
  }: { batch?: Partial<Batch>; orders?: Order[]; leash?: ProcessIdentity; seenAfter?: string } = {},
): Promise<Ran> {
  const batchId = newBatchId();
  const output = join(home.output, batchId);
  const log = store.create(
    {
      type: "batch-created",
      // An account each, because they run at the same time.
      account: { hash: batchId, environment: {} },
      batch: {
        batchId,
        startedBy: "run",
        asyncMode: true,
        tasks,
        sessionOptions: {},
        concurrency: 8,
        slots: 8,
        failureMode: "continue",
        outputDirectory: output,
        claudePath: fakeClaude,
        workingDirectory: home.work,
        ...batch,
      },
      ...(leash ? { leash } : {}),
    },
    Date.now(),
  );
  const program = [process.execPath, join(import.meta.dir, "run-whole-batch.ts")];
  const child = Bun.spawn([...program, home.state, batchId, JSON.stringify(orders)], {
    env: { ...home.environment, ...(seenAfter === undefined ? {} : { SEEN: seen, SEEN_AFTER: seenAfter }) },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if (withoutResolver(err) !== "") throw new Error(err);
  log.refresh();
  const files = existsSync(output) ? readdirSync(output) : [];
  return { state: log.state, printed: JSON.parse(out), files, output, store };
}

const outcomes = ({ state }: Ran) =>
  state.tasks.map((task) => {
    if (task.status !== "done") return task.status;
    const { outcome } = task;
    if (outcome.kind === "failed") return outcome.reason;
    return outcome.kind === "cancelled" ? `cancelled: ${outcome.by}` : outcome.kind;
  });

const cancelAll: EventBody[] = [{ type: "cancel-requested", by: "user" }];
const hang = { prompt: "[[hang]]" };

// All at once, because they mostly wait for processes.
let mixed: Ran;
let oneByOne: Ran;
let withoutNew: Ran;
let cancelling: Ran;
let dear: Ran;
let cancelled: Ran;
let again: Ran;
let abandoned: Ran;
let unstartable: Ran;
beforeAll(async () => {
  const gone = await goneIdentity();
  [mixed, oneByOne, withoutNew, cancelling, dear, cancelled, again, abandoned, unstartable] =
    await Promise.all([
      ran(
        [
          { prompt: `[[stream parts=1]] [[wait-for-file path=${seen}]] [[answer text="four"]]` },
          { prompt: "[[max-turns]]" },
          { prompt: "[[exit code=3]]", options: { retries: 1 } },
        ],
        {
          batch: { sessionOptions: { mcpConfig: { mcpServers: {} } } },
          seenAfter: onlyPart,
        },
      ),
      ran([{ prompt: '[[answer text="1"]]' }, { prompt: '[[answer text="2"]]' }], {
        batch: { concurrency: 1, slots: 1 },
      }),
      ran([{ prompt: "[[max-turns]]" }, { prompt: "x" }], {
        batch: { failureMode: "no-new", concurrency: 1 },
      }),
      ran([{ prompt: "[[max-turns]]" }, hang, { prompt: "x" }], {
        batch: { failureMode: "cancel", concurrency: 2 },
      }),
      ran([{ prompt: "[[cost usd=2]]" }, { prompt: "x" }], { batch: { budgetUsd: 1, concurrency: 1 } }),
      ran([hang, { prompt: "x" }], {
        batch: { concurrency: 1 },
        orders: [{ task: 1, status: "running", events: cancelAll }],
      }),
      ran([{ prompt: "[[max-turns]]" }, hang], {
        orders: [
          { task: 1, status: "done", events: [{ type: "retry-requested", tasks: [1] }] },
          { task: 1, status: "running", events: [{ type: "cancel-requested", by: "user", tasks: [2] }] },
        ],
      }),
      ran([hang, hang], { leash: gone }),
      ran([{ prompt: "x", options: { workingDirectory: home.file("gone") } }, { prompt: "y" }]),
    ]);
}, 120_000);

test("a batch that is handed over as it ends has all its files in the new directory", async () => {
  const moved = home.file("moved");
  const { state } = await ran([{ prompt: '[[answer text="1"]]' }], {
    orders: [{ task: 1, status: "done", events: [{ type: "leash-released", outputDirectory: moved }] }],
  });
  const { batchId } = state.batch;
  expect(state.endedAt).toBeNumber();
  expect(readdirSync(moved)).toEqual(
    expect.arrayContaining([
      "index.html",
      `report-${batchId}.html`,
      `results-${batchId}.jsonl`,
      `summary-${batchId}.json`,
      expect.stringMatching(/^result-001-/),
    ]),
  );
  expect(readFileSync(join(moved, `report-${batchId}.html`), "utf8")).toContain('data-running="no"');
});

describe("a batch of good and bad tasks", () => {
  test("ends each as its session ended, and tries again what may pass", () => {
    expect(outcomes(mixed)).toEqual(["succeeded", "max-turns", "crashed"]);
    expect(mixed.state.tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 2]);
    expect(mixed.state).toMatchObject({
      epoch: 1,
      counts: { succeeded: 1, failed: 2, running: 0, queued: 0 },
    });
    expect(mixed.state.endedAt).toBeNumber();
  });

  test("has told a view, and leaves nothing behind", () => {
    expect(mixed.printed.doing).toContain(onlyPart);
    expect(mixed.printed).toMatchObject({ hasRun: true, slots: 0, progress: 0, held: null });
    expect(existsSync(mixed.store.layout.privateFolder(mixed.state.batch.batchId))).toBe(false);
  });

  test("has a file a task, a line a task, pages and a summary", () => {
    const { batchId } = mixed.state.batch;
    for (const name of ["index.html", `report-${batchId}.html`, `summary-${batchId}.json`])
      expect(mixed.files).toContain(name);
    expect(mixed.files.filter((name) => /^(?:result-001|error-002|error-003)-/.test(name))).toHaveLength(3);
    const lines = readFileSync(join(mixed.output, `results-${batchId}.jsonl`), "utf8")
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line).taskIndex).sort()).toEqual([1, 2, 3]);
    const summary = JSON.parse(readFileSync(join(mixed.output, `summary-${batchId}.json`), "utf8"));
    expect(summary.results[0]).toMatchObject({ result: "four" });
    expect(summary.results[0]).not.toHaveProperty("attempts");
    expect(summary.results[2]).toMatchObject({ attempts: 2 });
  });
});

test("with one slot, a session begins when the one before has ended", () => {
  const [first, second] = oneByOne.state.tasks.map(({ attempts }) => attempts[0]);
  expect(outcomes(oneByOne)).toEqual(["succeeded", "succeeded"]);
  expect(second?.startedAt).toBeGreaterThanOrEqual(first?.endedAt ?? Number.POSITIVE_INFINITY);
});

test("after a failure nothing new starts, or everything ends, as failureMode says", () => {
  expect(outcomes(withoutNew)).toEqual(["max-turns", "cancelled: failure-mode"]);
  expect(outcomes(cancelling)).toEqual(["max-turns", "cancelled: failure-mode", "cancelled: failure-mode"]);
});

test("when its budget is spent, nothing new starts", () => {
  expect(outcomes(dear)).toEqual(["succeeded", "cancelled: budget"]);
});

test("cancelled by somebody else, it ends what runs and what waits", () => {
  expect(outcomes(cancelled)).toEqual(["cancelled: user", "cancelled: user"]);
  expect(cancelled.state.tasks[1]?.attempts).toEqual([]);
  expect(cancelled.printed.slots).toBe(0);
});

test("asked for again while it runs, a task runs again", () => {
  expect(again.state.tasks[1]).toMatchObject({ outcome: { kind: "cancelled", by: "user" } });
  expect(again.state.tasks[0]?.attempts).toHaveLength(2);
  const lines = readFileSync(join(again.output, `results-${again.state.batch.batchId}.jsonl`), "utf8");
  expect(lines.match(/"taskIndex":1\b/g)).toHaveLength(1);
});

test("without the process that waits for it, it ends before anything starts", () => {
  expect(outcomes(abandoned)).toEqual(["cancelled: leash", "cancelled: leash"]);
  expect(abandoned.state.tasks.every(({ attempts }) => attempts.length === 0)).toBe(true);
});

test("a task whose directory is gone fails alone", () => {
  expect(outcomes(unstartable)).toEqual(["not-started", "succeeded"]);
  expect(unstartable.files.some((name) => name.startsWith("error-001-"))).toBe(true);
});
