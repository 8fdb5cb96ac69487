// The metrics of a store, in the text format of Prometheus.
import { expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { reportMetrics, StoreCounters } from "../../src/operations/metrics.ts";
import { metrics } from "../../src/report/metrics.ts";
import { Holds } from "../../src/store/holds.ts";
import { onCommandLine } from "../doors/command-line.ts";
import { testNeeding } from "../facilities.ts";
import { crashed, failed, Inside } from "../inside.ts";

const tokens = { input: 1, output: 2, cacheRead: 30, cacheWritten: 4 };
const usage = (costUsd: number, seconds: number, model = "opus") => ({
  usage: {
    costUsd,
    numTurns: 1,
    durationMs: seconds * 1_000,
    models: { [model]: { ...tokens, costUsd } },
  },
});

/** The samples in a text, by name with labels. Fails on a line that Prometheus would not read. */
function samplesIn(text: string): Record<string, number> {
  const samples: Record<string, number> = {};
  const declared = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, of] = /^# TYPE (\w+) (?:gauge|counter|histogram)$/.exec(line) ?? [];
    if (of !== undefined) {
      expect(declared).not.toContain(of);
      declared.add(of);
    }
    if (line.startsWith("#")) continue;
    const [, name = "", labels = "", value] =
      /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\S+)$/.exec(line) ?? [];
    expect({ line, value: Number(value) }).toEqual({ line, value: expect.any(Number) });
    expect(declared).toContain(name.replace(/_(?:bucket|sum|count)$/, ""));
    samples[`${name}${labels}`] = Number(value);
  }
  return samples;
}

test("every metric has a name of ours, with its unit, and a help", () => {
  expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  for (const { name, type, help } of metrics) {
    expect(name).toMatch(/^parallel_claude_[a-z_]+$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
    expect(help).toMatch(/^[^\n\\]+\.$/);
  }
});

test("batches, tasks, limits, attempts, durations, costs and tokens are counted, and counters outlive prune", async () => {
  using inside = new Inside({ PARALLEL_CLAUDE_MONTHLY_BUDGET_USD: "50" });
  const context = inside.context();
  const ask = async () => samplesIn((await reportMetrics.run(context, {}, inside.call())).text);
  // Without a store, each state is there with nothing in it, and none is made.
  const empty = await ask();
  expect(empty['parallel_claude_batches{state="running"}']).toBe(0);
  expect(empty['parallel_claude_held{kind="usage-limit"}']).toBe(0);
  expect(context.openedStore).toBeUndefined();
  const { log } = inside
    .batch(context, { tasks: 4 })
    .answer(1, "one", usage(1, 4))
    .answer(2, "two", usage(0.5, 45, 'odd"\\\n'))
    .end(3, failed, { ...usage(0.25, 4_000), retryAt: 1 })
    .append({
      type: "attempt-started",
      task: 3,
      attempt: 2,
      identity: { boot: "b", namespace: "", pid: 4_194_305, startTicks: "1" },
      sessionId: "s",
      transcript: inside.file("t.ndjson"),
    })
    .append({ type: "attempt-ended", task: 3, attempt: 2, outcome: crashed })
    .append({
      type: "attempt-ended",
      task: 4,
      attempt: 0,
      outcome: { kind: "not-started", message: "No directory" },
    })
    .finish();
  inside.batch(context, { tasks: 3 }).start(1);
  inside.batch(context, { tasks: 2, isRun: false });
  const { database } = context.store;
  const hold = { kind: "usage-limit", model: "", since: 0, because: "Limit", tries: 0 } as const;
  new Holds(database, "somebody").place({ ...hold, until: Date.UTC(2200, 0, 1) });
  const all = await ask();
  expect(all).toMatchObject({
    'parallel_claude_batches{state="running"}': 1,
    'parallel_claude_batches{state="finished"}': 1,
    'parallel_claude_batches{state="interrupted"}': 1,
    'parallel_claude_batches{state="paused"}': 0,
    'parallel_claude_tasks{state="queued"}': 4,
    'parallel_claude_tasks{state="running"}': 1,
    'parallel_claude_tasks{state="succeeded"}': 2,
    'parallel_claude_tasks{state="failed"}': 2,
    'parallel_claude_held{kind="usage-limit"}': 1,
    'parallel_claude_held{kind="auth"}': 0,
    'parallel_claude_held_until_timestamp_seconds{kind="usage-limit"}': Date.UTC(2200, 0, 1) / 1_000,
    'parallel_claude_attempts_total{outcome="succeeded",reason=""}': 2,
    'parallel_claude_attempts_total{outcome="failed",reason="max-turns"}': 1,
    'parallel_claude_attempts_total{outcome="crashed",reason=""}': 1,
    parallel_claude_retries_total: 1,
    'parallel_claude_attempt_duration_seconds_bucket{le="5"}': 1,
    'parallel_claude_attempt_duration_seconds_bucket{le="60"}': 2,
    'parallel_claude_attempt_duration_seconds_bucket{le="3600"}': 2,
    'parallel_claude_attempt_duration_seconds_bucket{le="+Inf"}': 3,
    parallel_claude_attempt_duration_seconds_count: 3,
    parallel_claude_attempt_duration_seconds_sum: 4_049,
    'parallel_claude_cost_usd_total{model="opus"}': 1.25,
    'parallel_claude_cost_usd_total{model="odd\\"\\\\\\n"}': 0.5,
    'parallel_claude_tokens_total{model="opus",type="cache_read"}': 60,
    'parallel_claude_paid_sessions_total{model="opus"}': 2,
    'parallel_claude_budget_usd{period="month"}': 50,
    'parallel_claude_budget_spent_usd{period="month"}': 1.75,
  });
  expect(all).not.toHaveProperty('parallel_claude_attempts_total{outcome="not-started",reason=""}');
  // As prune does, which leaves batches of a process that lives.
  expect(context.store.forget(log.batchId)).toBeTrue();
  const counters = (samples: Record<string, number>) =>
    Object.entries(samples)
      .filter(([name]) => /_total|_seconds_(?:bucket|sum|count)/.test(name))
      .sort();
  const pruned = await ask();
  expect(pruned['parallel_claude_batches{state="finished"}']).toBe(0);
  expect(counters(pruned)).toEqual(counters(all));
});

test("costs do not decrease when batches are removed, and what was removed unseen is counted", () => {
  using inside = new Inside();
  const context = inside.context();
  const counters = new StoreCounters();
  const usdIn = (read: ReturnType<StoreCounters["read"]>) => read.spent.map(({ usd }) => usd);
  // Sums of such fractions depend on their order.
  const costs = [0.1, 0.2, 0.3, 0.7, 1.1];
  const batches = costs.map((cost) => inside.batch(context, {}).answer(1, "one", usage(cost, 1)).finish());
  expect(usdIn(counters.read(context.store))).toEqual([2.4]);
  for (const { log } of [...batches].reverse()) {
    expect(context.store.forget(log.batchId)).toBeTrue();
    expect(usdIn(counters.read(context.store))).toEqual([2.4]);
    expect(usdIn(new StoreCounters().read(context.store))).toEqual([2.4]);
  }
  const unseen = inside.batch(context, {}).answer(1, "one", usage(0.5, 1)).finish();
  expect(context.store.forget(unseen.log.batchId)).toBeTrue();
  const { attempts, spent } = counters.read(context.store);
  expect(usdIn({ attempts, spent })).toEqual([2.9]);
  expect(attempts.reduce((sum, { count }) => sum + count, 0)).toBe(costs.length + 1);
});

testNeeding("modes of files")(
  "a file of metrics is replaced whole, and its collector can read it",
  async () => {
    using inside = new Inside();
    const file = inside.write("metrics.prom", "older");
    const ran = await onCommandLine(inside, ["metrics", "--file", file]);
    expect(ran).toMatchObject({ code: 0, out: `Written to ${file}.\n` });
    expect(samplesIn(readFileSync(file, "utf8"))).toHaveProperty("parallel_claude_retries_total");
    expect(statSync(file).mode & 0o777).toBe(0o644);
    const printed = await onCommandLine(inside, ["metrics"]);
    expect(printed.out).toBe(readFileSync(file, "utf8"));
    const wrong = await onCommandLine(inside, ["metrics", "--file", inside.path]);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("is a directory") });
  },
);
