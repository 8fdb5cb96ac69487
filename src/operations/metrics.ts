// What a monitoring system wants to know, in the text format of Prometheus.
import { z } from "zod";
import { paceFrom } from "../engine/account/pace.ts";
import { accessKinds } from "../model/outcome.ts";
import type { Counts } from "../model/state.ts";
import { endedWord, stateWords } from "../model/state-word.ts";
import { isDirectory } from "../platform/files.ts";
import { dirname } from "../platform/paths.ts";
import { replaceFile } from "../platform/whole-files.ts";
import { type Measured, metricsText } from "../report/metrics.ts";
import { durationLimitsMs } from "../store/attempt-counts.ts";
import { heldNow, settledRow, stateWordOf } from "../store/batch-status.ts";
import { Counters } from "../store/counters.ts";
import { heldKinds } from "../store/holds.ts";
import type { Store } from "../store/store.ts";
import { accountOf } from "./account.ts";
import { type Context, InputError, isStoreThere, valueOrThrow } from "./context.ts";
import { wrong } from "./fault.ts";
import { check } from "./faults.ts";
import type { Operation } from "./operation.ts";
import { budgetsOf } from "./spend/spend.ts";
import { readPath } from "./written-path.ts";

const input = z.strictObject({
  file: z
    .string()
    .min(1)
    .meta({
      description:
        "Write them to this file, which is replaced whole, so that no half of it is ever read. For the textfile collector of node_exporter, its name ends in `.prom`.",
      placeholder: "FILE",
      aliases: ["output"],
    })
    .optional(),
});

const output = z.object({
  text: z.string().meta({ description: "In the text format of Prometheus." }),
  file: z.string().optional().meta({ description: "Where they were written." }),
});

export const reportMetrics: Operation<typeof input, typeof output> = {
  title: "Report metrics for Prometheus",
  description:
    "Reports batches, tasks, sessions, limits, attempts, costs and tokens of this user, in the text format of Prometheus. Only reads: it starts and resumes nothing.",
  input,
  output,
  run: async (context, given) => {
    const { file } = valueOrThrow(check(input, given));
    const text = metricsText(measure(context));
    if (file === undefined) return { text };
    const path = placeOf(context, file);
    // The collector is another user.
    await replaceFile(path, text, { mode: 0o644 });
    return { text, file: path };
  },
};

function placeOf(context: Context, file: string): string {
  const read = readPath(file, context.workingDirectory);
  if (!("path" in read)) throw new InputError([wrong(["file"], `${JSON.stringify(file)} ${read.fault}`)]);
  const { path } = read;
  if (isDirectory(path))
    throw new InputError([wrong(["file"], `${path} is a directory; add the name of a file`)]);
  if (!isDirectory(dirname(path)))
    throw new InputError([wrong(["file"], `${path} is in a directory that does not exist`)]);
  return path;
}

/** The counters of the store that is open, for somebody who measures more than once. */
export class StoreCounters {
  #store: Store | undefined;
  #counters: Counters | undefined;

  /** Without a store, nothing was counted. */
  read(store: Store | undefined): ReturnType<Counters["read"]> {
    if (!store) return { attempts: [], spent: [] };
    // It is another one if the state directory was removed meanwhile.
    if (!this.#counters || this.#store !== store) this.#counters = new Counters(store.database);
    this.#store = store;
    return this.#counters.read();
  }
}

/** All that is measured, as it is now. Without a store, everything is zero: asking creates none. */
export function measure(context: Context, counters = new StoreCounters(), now = Date.now()): Measured {
  const store = isStoreThere(context) ? context.store : undefined;
  const { attempts: counts, spent } = counters.read(store);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const loads = store?.capacity.allLoads() ?? [];
  const held = store ? heldKinds(store.database, now) : new Map<string, number>();
  return {
    ...batchesOf(store, now),
    sessions: {
      running: sum(loads.map(({ sessions }) => sessions)),
      memoryBytes: sum(loads.map(({ usedBytes }) => usedBytes)),
    },
    holds: new Map(accessKinds.map((kind) => [kind, held.get(kind)])),
    ceiling: store && ceilingOf(store, now),
    attempts: counts,
    durations: {
      limitsMs: durationLimitsMs,
      within: durationLimitsMs.map((_, index) => sum(counts.map(({ within }) => within[index] ?? 0))),
      count: sum(counts.map(({ timed }) => timed)),
      sumMs: sum(counts.map(({ durationMs }) => durationMs)),
    },
    spent,
    budgets: budgetsOf(context, now),
  };
}

// Each state is there, so that one that has none is 0 and not unknown.
function batchesOf(store: Store | undefined, now: number): Pick<Measured, "batches" | "tasks"> {
  const states = ["running", "held", ...stateWords.filter((word) => word !== "running")];
  const batches = new Map<string, number>(states.map((state) => [state, 0]));
  const tasks = new Map<string, number>(taskStates.map((state) => [state, 0]));
  const count = (state: string, number: number, counts: Counts) => {
    batches.set(state, (batches.get(state) ?? 0) + number);
    for (const name of taskStates) tasks.set(name, (tasks.get(name) ?? 0) + counts[name]);
  };
  if (!store) return { batches, tasks };
  for (const ended of store.endedCounts()) count(endedWord(ended), ended.batches, ended.counts);
  for (const unended of store.unended()) {
    const row = settledRow(unended, store);
    count(heldNow(row, now) ? "held" : stateWordOf(row, now), 1, row.counts);
  }
  return { batches, tasks };
}

const taskStates = ["queued", "running", "succeeded", "failed", "cancelled"] as const;

// That of the account that this process has.
function ceilingOf(store: Store, now: number): number | undefined {
  const text = store.capacity.pace(accountOf(process.env, store.salt()).hash);
  return text === undefined ? undefined : paceFrom(text, now).ceiling;
}
