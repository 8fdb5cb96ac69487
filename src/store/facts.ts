// What a store notes of itself: texts by their names.
import type { Database } from "bun:sqlite";
import { z } from "zod";

const row = z.object({ value: z.string() });

/** The text that is noted under a name; undefined if there is none. */
export function factIn(database: Database, name: string): string | undefined {
  const found = database.query<unknown, [string]>("SELECT value FROM facts WHERE name = ?").get(name);
  return found ? row.parse(found).value : undefined;
}

/** Notes a text under a name. */
export function noteFact(database: Database, name: string, value: string): void {
  database.query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)").run(name, value);
}
