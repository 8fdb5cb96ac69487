// A look into the store for who must be quick and may not disturb: it is never made, migrated or written.
import { Database } from "bun:sqlite";
import { z } from "zod";
import { exists } from "../platform/files.ts";
import { layoutOf } from "./layout.ts";

const rowSchema = z.object({
  batch_id: z.string(),
  name: z.string().nullable(),
  tasks: z.number(),
  created_at: z.number(),
});

/** A batch, as little as helps to choose one. */
export interface BatchGlimpse {
  batchId: string;
  name?: string;
  tasks: number;
  createdAt: number;
}

/** The newest batches; none where there is no store, or none that can be read now. */
export function glimpseBatches(stateDirectory: string, limit: number): BatchGlimpse[] {
  const path = layoutOf(stateDirectory).database;
  if (!exists(path)) return [];
  try {
    using database = new Database(path, { readonly: true });
    database.run("PRAGMA busy_timeout = 200");
    const rows = database.query<unknown, [number]>(
      `SELECT batch_id, name, queued + running + succeeded + failed + cancelled AS tasks, created_at
         FROM batches ORDER BY rowid DESC LIMIT ?`,
    );
    return rows.all(limit).map((value) => {
      const { batch_id: batchId, name, tasks, created_at: createdAt } = rowSchema.parse(value);
      return { batchId, ...(name === null ? {} : { name }), tasks, createdAt };
    });
  } catch {
    // A shell that completes a word has no place for a complaint, and the command itself will tell.
    return [];
  }
}
