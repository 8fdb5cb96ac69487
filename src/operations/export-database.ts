// The results of a batch as a SQLite database: a table `results`, and a table `batch` with the facts of the batch.
import { Database } from "bun:sqlite";
import type { BatchState } from "../model/state.ts";
import { givenCount } from "../model/summary.ts";
import type { AnswerTable, Cell } from "../report/answer-table.ts";

/** The bytes of its file. */
export function databaseOf({ columns, rows }: AnswerTable, state: BatchState): Uint8Array<ArrayBuffer> {
  using database = new Database(":memory:");
  const names = distinctNames(columns).map(quoted).join(", ");
  database.run(`CREATE TABLE results (${names})`);
  const insert = database.prepare(
    `INSERT INTO results (${names}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  database.run("CREATE TABLE batch (name TEXT PRIMARY KEY, value)");
  const fact = database.prepare("INSERT INTO batch (name, value) VALUES (?, ?)");
  database.transaction(() => {
    for (const [name, value] of factsOf(state)) fact.run(name, value);
    for (const row of rows()) insert.run(...row.map(storedOf));
  })();
  return new Uint8Array(database.serialize());
}

function factsOf({ batch, createdAt, endedAt, totalCostUsd }: BatchState): [string, string | number][] {
  return [
    ["batchId", batch.batchId],
    ...(batch.name === undefined ? [] : [["name", batch.name] satisfies [string, string]]),
    ["createdAt", new Date(createdAt).toISOString()],
    ...(endedAt === undefined
      ? []
      : [["endedAt", new Date(endedAt).toISOString()] satisfies [string, string]]),
    ["totalTasks", givenCount(batch)],
    ["totalCostUsd", totalCostUsd],
  ];
}

// For SQLite, names that differ only in case are the same.
function distinctNames(columns: readonly string[]): string[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    let name = column;
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${column}_${count}`;
    taken.add(name.toLowerCase());
    return name;
  });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""').replaceAll("\0", "")}"`;
}

function storedOf(cell: Cell): string | number | null {
  if (cell === undefined) return null;
  return typeof cell === "boolean" ? Number(cell) : cell;
}
