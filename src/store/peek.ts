// A look into the store for who must be quick and may not disturb: it is never made, migrated or written.
import { Database } from "bun:sqlite";
import { z } from "zod";
import { exists } from "../platform/files.ts";
import { batchColumns, parseRow, selectionOf } from "./batch-columns.ts";
import { layoutOf } from "./layout.ts";

const identifying = batchColumns.pick({ batchId: true, name: true, createdAt: true });
const glimpsed = identifying.extend({ tasks: z.number() });

/** A batch, as little as helps to choose one. */
export type BatchGlimpse = z.output<typeof glimpsed>;

/** The newest batches; none where there is no store, or none that can be read now. */
export function glimpseBatches(stateDirectory: string, limit: number): BatchGlimpse[] {
  const path = layoutOf(stateDirectory).database;
  if (!exists(path)) return [];
  try {
    using database = new Database(path, { readonly: true });
    database.run("PRAGMA busy_timeout = 200");
    const rows = database.query<unknown, [number]>(
      `SELECT ${selectionOf(identifying)}, queued + running + succeeded + failed + cancelled AS tasks
         FROM batches ORDER BY rowid DESC LIMIT ?`,
    );
    return rows.all(limit).map((row) => parseRow(glimpsed, row));
  } catch {
    // A shell that completes a word has no place for a complaint, and the command itself will tell.
    return [];
  }
}
