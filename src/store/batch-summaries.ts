// Reads the store without creating, migrating or writing it, for shell completion.
import { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import { exists } from "../platform/files.ts";
import { batchColumns, parseRow, selectionOf } from "./batch-columns.ts";
import { layoutOf } from "./layout.ts";

const identifying = batchColumns.pick({ batchId: true, name: true, createdAt: true });
const summary = identifying.extend({ tasks: z.number() });

/** The parts of a batch that help to choose one. */
export type BatchSummary = z.output<typeof summary>;

/** The newest batches; none if there is no store, or it cannot be read now. */
export function readBatchSummaries(stateDirectory: string, limit: number): BatchSummary[] {
  const path = layoutOf(stateDirectory).database;
  if (!exists(path)) return [];
  try {
    using database = new Database(path, { readonly: true });
    database.run("PRAGMA busy_timeout = 200");
    const rows = database.query<unknown, [number]>(
      `SELECT ${selectionOf(identifying)}, queued + running + succeeded + failed + cancelled AS tasks
         FROM batches ORDER BY rowid DESC LIMIT ?`,
    );
    return rows.all(limit).map((row) => parseRow(summary, row));
  } catch {
    // Shell completion cannot show errors; the command itself will.
    return [];
  }
}

const keyRow = z.object({ key: z.string().nullable() });

/** The keys of a batch's tasks, in their order, without tasks that have none. None if the store cannot be read now. */
export function readTaskKeys(stateDirectory: string, batchId: BatchId, limit: number): string[] {
  const path = layoutOf(stateDirectory).database;
  if (!exists(path)) return [];
  try {
    using database = new Database(path, { readonly: true });
    database.run("PRAGMA busy_timeout = 200");
    const rows = database.query<unknown, [string, number]>(
      `SELECT json_extract(task.value, '$.key') AS key
         FROM (SELECT body FROM events WHERE batch_id = ? ORDER BY sequence LIMIT 1) AS first,
           json_each(first.body, '$.batch.tasks') AS task LIMIT ?`,
    );
    return rows.all(batchId, limit).flatMap((row) => keyRow.parse(row).key ?? []);
  } catch {
    // As above.
    return [];
  }
}
