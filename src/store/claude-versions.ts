// Which version each `claude` on this machine calls itself, so that each file is asked once.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { FileStamp } from "../platform/files.ts";

/** Every update of Claude Code may be a file of its own; the oldest answers go. */
const mostKept = 16;

// A fact rather than a table: a program that does not know it passes over it, and the schema stays the same.
const factName = "claude-versions";

const keptSchema = z.object({
  path: z.string(),
  size: z.number(),
  modifiedAt: z.number(),
  /** Older programs kept nothing where it did not say a version. */
  version: z.string().optional(),
});
/** What a file answered. */
export type KeptVersion = z.infer<typeof keptSchema>;

/** What this very file answered when it was asked; nothing when it has changed since, or was never asked. */
export function keptVersion(database: Database, file: FileStamp): KeptVersion | undefined {
  return allKept(database).find((kept) => isOf(kept, file));
}

/** Remembers what a file answered, in place of what its path had answered before. */
export function keepVersion(database: Database, kept: KeptVersion): void {
  const step = database.transaction(() => {
    const others = allKept(database).filter(({ path }) => path !== kept.path);
    const value = JSON.stringify([kept, ...others].slice(0, mostKept));
    database.query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)").run(factName, value);
  });
  step.immediate();
}

function allKept(database: Database): KeptVersion[] {
  const row = database.query<unknown, [string]>("SELECT value FROM facts WHERE name = ?").get(factName);
  if (!row) return [];
  const { value } = z.object({ value: z.string() }).parse(row);
  // A newer program may have written more than this one knows: then nothing is remembered.
  return z.array(keptSchema).catch([]).parse(JSON.parse(value));
}

function isOf(kept: KeptVersion, { path, size, modifiedAt }: FileStamp): boolean {
  return kept.path === path && kept.size === size && kept.modifiedAt === modifiedAt;
}
