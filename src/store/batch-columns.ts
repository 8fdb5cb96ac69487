// The columns of a batch's row, each declared once: its contents, and how they derive from the batch's log. Reading,
// writing and the type of a row derive from this list. `migrations.ts` has the same columns in their historical order.
import type { Database, SQLQueryBindings } from "bun:sqlite";
import { z } from "zod";
import { batchIdSchema } from "../model/batch-id.ts";
import { cancellers } from "../model/outcome.ts";
import type { BatchState } from "../model/state.ts";
import { processIdentity } from "../platform/process-identity.ts";

/** The source of a row. */
interface Source {
  state: BatchState;
  /** A path as the batch's log stores it. */
  kept(path: string): string;
}

interface Writer {
  /**
   * With every event, only with one that changes it, because to write it as it is would write its index again, or only when the
   * batch is created; others write it afterwards.
   */
  written: "always" | "changed" | "once";
  from(source: Source): SQLQueryBindings | undefined;
}

const writers = new Map<z.ZodType, Writer>();

function folded<Schema extends z.ZodType>(schema: Schema, from: Writer["from"]): Schema {
  writers.set(schema, { written: "always", from });
  return schema;
}

function settled<Schema extends z.ZodType>(schema: Schema, from: Writer["from"]): Schema {
  writers.set(schema, { written: "changed", from });
  return schema;
}

function founded<Schema extends z.ZodType>(schema: Schema, from: Writer["from"]): Schema {
  writers.set(schema, { written: "once", from });
  return schema;
}

const identity = z.string().transform((text) => processIdentity.parse(JSON.parse(text)));

/** A column without a value is NULL in the store, and absent here. Those without a source are written by processes. */
export const batchColumns = z.object({
  batchId: founded(batchIdSchema, ({ state }) => state.batch.batchId),
  name: founded(z.string().exactOptional(), ({ state }) => state.batch.name),
  createdAt: founded(z.number(), ({ state }) => state.createdAt),
  changedAt: folded(z.number(), ({ state }) => state.changedAt),
  endedAt: settled(z.number().exactOptional(), ({ state }) => state.endedAt),
  cancelledBy: settled(z.enum(cancellers).exactOptional(), ({ state }) => state.cancelledBy),
  heldBecause: z.string().exactOptional(),
  heldUntil: z.number().exactOptional(),
  epoch: settled(z.number(), ({ state }) => state.epoch),
  aliveAt: founded(z.number(), ({ state }) => state.createdAt),
  runner: identity.exactOptional(),
  keeper: identity.exactOptional(),
  /** The account's hash: whose login the batch uses. */
  account: settled(z.string(), ({ state }) => state.account.hash),
  outputDirectory: settled(z.string(), ({ state, kept }) => kept(state.outputDirectory)),
  queued: folded(z.number(), ({ state }) => state.counts.queued),
  running: folded(z.number(), ({ state }) => state.counts.running),
  succeeded: folded(z.number(), ({ state }) => state.counts.succeeded),
  failed: folded(z.number(), ({ state }) => state.counts.failed),
  cancelled: folded(z.number(), ({ state }) => state.counts.cancelled),
  costUsd: folded(z.number(), ({ state }) => state.totalCostUsd),
  costAtLeast: folded(z.number().transform(Boolean), ({ state }) => Number(state.costAtLeast)),
});
export type BatchColumns = z.output<typeof batchColumns>;

const writtenColumns = Object.entries(batchColumns.shape).flatMap(([field, schema]) => {
  const writer = writers.get(schema);
  return writer ? [{ ...writer, column: columnOf(field) }] : [];
});
const changingColumns = writtenColumns.filter(({ written }) => written === "always");
const settledColumns = writtenColumns.filter(({ written }) => written === "changed");

const insertion = `INSERT INTO batches (${writtenColumns.map(({ column }) => column).join(", ")})
  VALUES (${writtenColumns.map(() => "?").join(", ")})`;
const update = updateOf(changingColumns);
const fullUpdate = updateOf([...changingColumns, ...settledColumns]);

/** Writes the row of a new batch. */
export function insertRow(database: Database, source: Source): void {
  database.query(insertion).run(...writtenColumns.map(({ from }) => from(source) ?? null));
}

/** What rarely changes in a row, of a log's state now. */
export function settledValues(source: Source): readonly SQLQueryBindings[] {
  return settledColumns.map(({ from }) => from(source) ?? null);
}

/** Updates the row of a batch from its log. `before`: the `settledValues` that it has, if that is certain. */
export function updateRow(database: Database, source: Source, before?: readonly SQLQueryBindings[]): void {
  const settled = settledValues(source);
  const isFull = before === undefined || settled.some((value, index) => value !== before[index]);
  const values = changingColumns.map(({ from }) => from(source) ?? null);
  const { batchId } = source.state.batch;
  if (isFull) database.query(fullUpdate).run(...values, ...settled, batchId);
  else database.query(update).run(...values, batchId);
}

/** The columns of these fields, as a query selects them. */
export function selectionOf({ shape }: z.ZodObject): string {
  return Object.keys(shape)
    .map((field) => `batches.${columnOf(field)} AS ${field}`)
    .join(", ");
}

const anyRow = z.record(z.string(), z.unknown());

/** Parses a row selected in this way. */
export function parseRow<Schema extends z.ZodType>(schema: Schema, row: unknown): z.output<Schema> {
  const values = anyRow.parse(row);
  return schema.parse(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)));
}

function updateOf(columns: readonly { column: string }[]): string {
  return `UPDATE batches SET ${columns.map(({ column }) => `${column} = ?`).join(", ")} WHERE batch_id = ?`;
}

function columnOf(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
