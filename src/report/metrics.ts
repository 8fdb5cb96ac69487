// What is measured, in the text format of Prometheus. Each metric is declared once.
import { product } from "../model/product.ts";

/** What a metric is about, by the names of its labels. */
type Labels = Readonly<Record<string, string>>;

interface Sample {
  labels?: Labels;
  value: number;
  /** What follows the name of the metric: a histogram has several kinds of samples. */
  suffix?: string;
}

/** What is known about all batches, sessions and costs of this user. */
export interface Measured {
  /** How many batches are in each state. */
  batches: ReadonlyMap<string, number>;
  /** How many tasks of those are in each state. */
  tasks: ReadonlyMap<string, number>;
  /** Sessions that run now, and the memory that they use. */
  sessions: { running: number; memoryBytes: number };
  /** Which kinds of holds are on, with their ends in milliseconds since 1970; undefined for those that are not. */
  holds: ReadonlyMap<string, number | undefined>;
  /** How many sessions at once the accounts sustain, as far as that was found out by trying. */
  ceiling: number | undefined;
  /** How attempts ended. */
  attempts: readonly {
    outcome: string;
    /** Which failure, clock or canceller it was; empty for any other outcome. */
    why: string;
    count: number;
    retried: number;
  }[];
  /** How long they took. */
  durations: { limitsMs: readonly number[]; within: readonly number[]; count: number; sumMs: number };
  /** What was spent, by model; an empty name stands for what no model was named for. */
  spent: readonly {
    model: string;
    usd: number;
    sessions: number;
    input: number;
    output: number;
    cacheRead: number;
    cacheWritten: number;
  }[];
  /** The operator's budgets. */
  budgets: readonly { period: string; budgetUsd: number; spentUsd: number }[];
}

interface Metric {
  name: string;
  type: "gauge" | "counter" | "histogram";
  /** For people. */
  help: string;
  samples(measured: Measured): readonly Sample[];
}

const byState = (counts: ReadonlyMap<string, number>) =>
  [...counts].map(([state, value]) => ({ labels: { state }, value }));

/** All metrics, in the order in which they are written. */
export const metrics: readonly Metric[] = [
  {
    name: "parallel_claude_build_info",
    type: "gauge",
    help: "1, with the version of the program.",
    samples: () => [{ labels: { version: product.version }, value: 1 }],
  },
  {
    name: "parallel_claude_batches",
    type: "gauge",
    help: "Batches by state. Those that were removed by prune are not counted.",
    samples: ({ batches }) => byState(batches),
  },
  {
    name: "parallel_claude_tasks",
    type: "gauge",
    help: "Tasks of these batches by state.",
    samples: ({ tasks }) => byState(tasks),
  },
  {
    name: "parallel_claude_sessions",
    type: "gauge",
    help: "Sessions that run on this machine now.",
    samples: ({ sessions }) => [{ value: sessions.running }],
  },
  {
    name: "parallel_claude_sessions_memory_bytes",
    type: "gauge",
    help: "Memory that these sessions use.",
    samples: ({ sessions }) => [{ value: sessions.memoryBytes }],
  },
  {
    name: "parallel_claude_sessions_ceiling",
    type: "gauge",
    help: "How many sessions at once the API sustains, as found out by trying. Halves when the API throttles. Absent if it was not tried lately.",
    samples: ({ ceiling }) => (ceiling === undefined ? [] : [{ value: ceiling }]),
  },
  {
    name: "parallel_claude_held",
    type: "gauge",
    help: "1 while new sessions wait for a usage limit, the login (auth) or credit (billing), otherwise 0.",
    samples: ({ holds }) =>
      [...holds].map(([kind, until]) => ({ labels: { kind }, value: until === undefined ? 0 : 1 })),
  },
  {
    name: "parallel_claude_held_until_timestamp_seconds",
    type: "gauge",
    help: "When the wait ends, or a session tries whether it is over.",
    samples: ({ holds }) =>
      [...holds].flatMap(([kind, until]) =>
        until === undefined ? [] : [{ labels: { kind }, value: until / 1_000 }],
      ),
  },
  {
    name: "parallel_claude_attempts_total",
    type: "counter",
    help: "Attempts at tasks that have ended, by outcome, with the reason of those that did not succeed.",
    samples: ({ attempts }) =>
      attempts.map(({ outcome, why, count }) => ({ labels: { outcome, reason: why }, value: count })),
  },
  {
    name: "parallel_claude_retries_total",
    type: "counter",
    help: "Attempts after which the program tried their task again by itself.",
    samples: ({ attempts }) => [{ value: attempts.reduce((sum, { retried }) => sum + retried, 0) }],
  },
  {
    name: "parallel_claude_attempt_duration_seconds",
    type: "histogram",
    help: "How long attempts took, by the clock.",
    samples: ({ durations: { limitsMs, within, count, sumMs } }) => [
      ...limitsMs.map((limit, index) => ({
        suffix: "_bucket",
        labels: { le: String(limit / 1_000) },
        value: within[index] ?? 0,
      })),
      { suffix: "_bucket", labels: { le: "+Inf" }, value: count },
      { suffix: "_sum", value: sumMs / 1_000 },
      { suffix: "_count", value: count },
    ],
  },
  {
    name: "parallel_claude_cost_usd_total",
    type: "counter",
    help: "What sessions have cost in US dollars by list prices, as Claude Code reports it.",
    samples: ({ spent }) => spent.map(({ model, usd }) => ({ labels: modelLabel(model), value: usd })),
  },
  {
    name: "parallel_claude_tokens_total",
    type: "counter",
    help: "Tokens that sessions have used: input beside the cache, output, read from the cache, written to it.",
    samples: ({ spent }) =>
      spent.flatMap(({ model, input, output, cacheRead, cacheWritten }) =>
        Object.entries({ input, output, cache_read: cacheRead, cache_write: cacheWritten }).map(
          ([type, value]) => ({ labels: { ...modelLabel(model), type }, value }),
        ),
      ),
  },
  {
    name: "parallel_claude_paid_sessions_total",
    type: "counter",
    help: "Sessions that have reported a cost, by the model that cost most of each.",
    samples: ({ spent }) =>
      spent.map(({ model, sessions }) => ({ labels: modelLabel(model), value: sessions })),
  },
  {
    name: "parallel_claude_budget_usd",
    type: "gauge",
    help: "The operator's budgets for all batches together.",
    samples: ({ budgets }) =>
      budgets.map(({ period, budgetUsd }) => ({ labels: { period }, value: budgetUsd })),
  },
  {
    name: "parallel_claude_budget_spent_usd",
    type: "gauge",
    help: "What of these budgets is spent in the current day or month.",
    samples: ({ budgets }) =>
      budgets.map(({ period, spentUsd }) => ({ labels: { period }, value: spentUsd })),
  },
];

/** The type that a server names for this text. */
export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/** The text format of Prometheus. A metric without samples is left out. */
export function metricsText(measured: Measured): string {
  return metrics
    .map((metric) => ({ metric, samples: metric.samples(measured) }))
    .filter(({ samples }) => samples.length > 0)
    .map(({ metric: { name, type, help }, samples }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(
          ({ suffix = "", labels = {}, value }) => `${name}${suffix}${labelsText(labels)} ${value}`,
        ),
        "",
      ].join("\n"),
    )
    .join("");
}

function modelLabel(model: string): Labels {
  return { model: model === "" ? "unknown" : model };
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
