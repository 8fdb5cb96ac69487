// Runs a batch to its end and prints what a view in the same process was told meanwhile. Its arguments: the state
// directory, the batch, and orders for moments in it, as JSON: which event to append when a task runs, and from when on.
// The file `SEEN` is made as soon as the view is told that a session does what `SEEN_AFTER` says.
import { closeSync, openSync } from "node:fs";
import { z } from "zod";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { eventBody } from "../../src/model/event.ts";
import { Store } from "../../src/store/store.ts";

const order = z.object({
  /** This task has this status. */
  task: z.number(),
  status: z.enum(["queued", "running", "done"]),
  /** Somebody else says this then. */
  events: z.array(eventBody),
});

const [stateDirectory = "", batchId = "", orders = "[]"] = process.argv.slice(2);
const id = batchIdSchema.parse(batchId);
const open = z.array(order).parse(JSON.parse(orders));
using store = new Store(stateDirectory);
using other = new Store(stateDirectory);
const log = store.batch(id);
if (!log) throw new Error("There is no such batch");

const told = new Set<string>();
const doing = new Set<string>();
const hasRun = await runBatch(store, log, {
  watching: ({ tasks }, activities, reason) => {
    if (reason) told.add(reason.because);
    for (const activity of activities.values()) doing.add(activity);
    const { SEEN: seen, SEEN_AFTER: after } = process.env;
    if (seen !== undefined && after !== undefined && doing.has(after)) closeSync(openSync(seen, "a"));
    const [next] = open;
    if (!next || tasks[next.task - 1]?.status !== next.status) return;
    open.shift();
    other.batch(id)?.append(() => next.events);
  },
});
const count = (table: string) =>
  store.database.query(`SELECT count(*) FROM ${table} WHERE batch_id = ?`).values(id)[0]?.[0];
console.log(
  JSON.stringify({
    hasRun,
    told: [...told],
    doing: [...doing],
    slots: count("pool_slots"),
    progress: count("progress"),
    held: store.row(id)?.held ?? null,
  }),
);
