// A place for files that nobody else may read or prepare.
// Bun has no call that makes a directory.
import { mkdirSync } from "node:fs";
import { join, temporaryDirectory } from "./paths.ts";
import { removePath } from "./removal.ts";

/** A new directory that only this user can enter, removed when disposed of. Throws if somebody else made one of its name. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = join(temporaryDirectory(), `parallel-claude-${crypto.randomUUID()}`);
  mkdirSync(path, { mode: 0o700 });
  return { path, [Symbol.dispose]: () => removePath(path) };
}
