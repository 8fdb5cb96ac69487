// Which version each `claude` on this machine reports, so that each file is run only once.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import type { FileStamp } from "../platform/files.ts";
import { factIn, noteFact } from "./facts.ts";

/** Every update of Claude Code may be a new file; the oldest answers are dropped. */
const mostKept = 16;

// A fact, not a table: older programs ignore it, and the schema stays the same.
const factName = "claude-versions";

const keptSchema = z.object({
  path: z.string(),
  size: z.number(),
  modifiedAt: z.number(),
  /** Older programs stored nothing if there was no version. */
  version: z.string().optional(),
});
// A newer program may have written more than this one knows: then nothing is known.
const allKeptSchema = z.array(keptSchema).catch([]);

/** What a file answered. */
export type KeptVersion = z.infer<typeof keptSchema>;

/** What exactly this file answered; undefined if it has changed since, or was never run. */
export function keptVersion(database: Database, file: FileStamp): KeptVersion | undefined {
  return allKept(database).find((kept) => isOf(kept, file));
}

/** Stores what a file answered, replacing the answer for its path. */
export function keepVersion(database: Database, kept: KeptVersion): void {
  const step = database.transaction(() => {
    const others = allKept(database).filter(({ path }) => path !== kept.path);
    const value = JSON.stringify([kept, ...others].slice(0, mostKept));
    noteFact(database, factName, value);
  });
  step.immediate();
}

function allKept(database: Database): KeptVersion[] {
  const value = factIn(database, factName);
  return value === undefined ? [] : allKeptSchema.parse(JSON.parse(value));
}

function isOf(kept: KeptVersion, { path, size, modifiedAt }: FileStamp): boolean {
  return kept.path === path && kept.size === size && kept.modifiedAt === modifiedAt;
}
