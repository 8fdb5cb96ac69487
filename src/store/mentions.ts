// Which conversations the log mentions, read as text: a batch that mentions one may need it, in whatever event and version.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";

const rowSchema = z.object({ batchId: z.string(), body: z.string() });
const rowsSchema = z.array(rowSchema);

const idPattern = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Of these ids of conversations, those that batches mention, without the batches in `except`. Reads the whole log. */
export function mentionedBesides(
  database: Database,
  ids: ReadonlySet<string>,
  except: ReadonlySet<string>,
): Set<string> {
  const found = new Set<string>();
  const all = database.query<unknown, []>("SELECT batch_id AS batchId, body FROM events");
  for (const row of all.iterate()) {
    const { batchId, body } = rowSchema.parse(row);
    if (except.has(batchId)) continue;
    for (const [id] of body.matchAll(idPattern)) if (ids.has(id)) found.add(id);
  }
  return found;
}

/**
 * The conversations that somebody else had begun, and tasks of a batch went on in; undefined if that is not known, because
 * its sessions got arguments that may name others.
 */
export function foreignConversations(database: Database, batchId: BatchId): Set<string> | undefined {
  const asked = database.query<unknown, [string]>(
    `SELECT batch_id AS batchId, body FROM events WHERE batch_id = ?
       AND json_extract(body, '$.type') IN ('batch-created', 'tasks-added', 'retry-requested')`,
  );
  const bodies = rowsSchema.parse(asked.all(batchId));
  if (bodies.some(({ body }) => body.includes('"claudeArguments":'))) return undefined;
  return new Set(
    bodies.flatMap(({ body }) => [...body.matchAll(/"resumeSessionId":"([^"]+)"/g)].map(([, id = ""]) => id)),
  );
}
