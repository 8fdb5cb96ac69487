// The list of batches as resources, and what is read at their addresses.
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from "@modelcontextprotocol/server";
import { cut } from "../../model/cut.ts";
import { batchUri, parseBatchUri, uriTemplates } from "../../operations/batch-uri.ts";
import { type Context, UserError } from "../../operations/context.ts";
import { readDocument, recentBatches, titleInList } from "../../operations/resources.ts";
import { limitsFor, type Request } from "./limits.ts";

const pageSize = 50;

/** A page of the list, the newest batches first. Throws if the cursor is none of ours. */
export function listResources(context: Context, cursor: string | undefined) {
  const offset = offsetOf(cursor);
  const rows = recentBatches(context, pageSize + 1, offset);
  const resources = rows.slice(0, pageSize).map((row) => ({
    uri: batchUri(row.batchId),
    name: row.batchId,
    title: titleInList(row),
    mimeType: "application/json",
    annotations: { lastModified: new Date(row.changedAt).toISOString() },
  }));
  return { resources, ...(rows.length > pageSize ? { nextCursor: String(offset + pageSize) } : {}) };
}

/** What is at an address. Throws if there is nothing. */
export async function readResource(uri: string, from: Request) {
  const asked = parseBatchUri(uri);
  if (!asked) {
    const known = Object.values(uriTemplates).join(", ");
    throw new ResourceNotFoundError(uri, `There is no resource ${cut(uri, 200)}; expected ${known}`);
  }
  const context = await from.connection.context.get();
  try {
    const { mimeType, text } = await readDocument(context, asked, limitsFor(from, context));
    return { contents: [{ uri, mimeType, text }] };
  } catch (error) {
    if (error instanceof UserError) throw new ResourceNotFoundError(uri, error.message);
    throw error;
  }
}

function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The cursor is none that was given.");
}
