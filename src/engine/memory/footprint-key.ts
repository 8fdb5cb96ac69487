// What sessions with about the same memory use have in common.
import type { Batch } from "../../model/event.ts";
import type { SessionOptions } from "../../model/options.ts";
import { workingDirectoryOf } from "../../model/task-options.ts";

// Cached: most tasks of a batch share their options.
const known = new WeakMap<SessionOptions, string>();

/** A key for it: which directory, tools and MCP servers. */
export function footprintKey(batch: Batch, options: SessionOptions): string {
  const before = known.get(options);
  if (before !== undefined) return before;
  const { mcpConfig, tools, agent } = options;
  const parts = [batch.claudePath, workingDirectoryOf(batch, options), mcpConfig, tools, agent];
  const name = new Bun.CryptoHasher("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
  known.set(options, name);
  return name;
}
