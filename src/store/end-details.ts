// What the text of an end needs beyond a batch's row. Read from a few events of its log, because folding the whole log
// takes a hundred times as long.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { unreachable } from "../model/unreachable.ts";
import { KeptPaths } from "./kept-paths.ts";
import type { Store } from "./store.ts";

const numberList = z.array(z.number());
const numbers = z.string().transform((text) => numberList.parse(JSON.parse(text)));

const events = z.array(
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("batch-created"), total: z.number() }),
    z.object({ type: z.literal("attempt-started"), task: z.number() }),
    z.object({ type: z.literal("attempt-ended"), task: z.number() }),
    z.object({ type: z.literal("cancel-requested"), tasks: numbers.nullable() }),
    z.object({ type: z.literal("retry-requested"), tasks: numbers }),
    z.object({ type: z.literal("tasks-added"), added: z.number() }),
  ]),
);

/** How many cancelled tasks of a batch never had a session. A test compares it with the fold. */
export function cancelledUnstarted(database: Database, batchId: BatchId): number {
  const rows = database
    .query<unknown, [string]>(
      `SELECT json_extract(body, '$.type') AS type, json_extract(body, '$.task') AS task,
         json_extract(body, '$.tasks') AS tasks, json_array_length(body, '$.batch.tasks') AS total,
         json_array_length(body, '$.tasks') AS added
         FROM events WHERE batch_id = ? AND (json_extract(body, '$.type') IN
           ('batch-created', 'attempt-started', 'cancel-requested', 'retry-requested', 'tasks-added')
           OR (json_extract(body, '$.type') = 'attempt-ended' AND json_extract(body, '$.attempt') = 0))
         ORDER BY sequence`,
    )
    .all(batchId);
  let all: readonly number[] = [];
  const started = new Set<number>();
  // For the others, how those that ended did.
  const ends = new Map<number, "cancelled" | "not-started">();
  for (const event of events.parse(rows)) {
    switch (event.type) {
      case "batch-created":
        all = Array.from({ length: event.total }, (_, index) => index + 1);
        break;
      case "tasks-added":
        all = Array.from({ length: all.length + event.added }, (_, index) => index + 1);
        break;
      case "attempt-started":
        started.add(event.task);
        break;
      case "attempt-ended":
        ends.set(event.task, "not-started");
        break;
      case "cancel-requested":
        for (const task of event.tasks ?? all) if (!ends.has(task)) ends.set(task, "cancelled");
        break;
      case "retry-requested":
        for (const task of event.tasks) ends.delete(task);
        break;
      default:
        unreachable(event);
    }
  }
  return [...ends].filter(([task, end]) => end === "cancelled" && !started.has(task)).length;
}

const fileFailures = z.array(z.object({ path: z.string(), message: z.string() }));

/** Which files of a batch could not be written, and why. */
export function fileFailuresOf({ database, layout }: Store, batchId: BatchId): Map<string, string> {
  const rows = database
    .query<unknown, [string]>(
      `SELECT json_extract(body, '$.path') AS path, json_extract(body, '$.message') AS message FROM events
         WHERE batch_id = ? AND json_extract(body, '$.type') = 'file-failed' ORDER BY sequence`,
    )
    .all(batchId);
  const paths = new KeptPaths(layout.stateDirectory, batchId);
  const failures = fileFailures.parse(rows);
  return new Map(failures.map(({ path, message }) => [paths.absolute(path), message]));
}
