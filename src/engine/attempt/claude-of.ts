// Which `claude` a batch runs: the one found when it was created, or its replacement after an update.
import { type FoundClaude, findClaude } from "../../claude/find.ts";
import type { Batch } from "../../model/event.ts";
import { isExecutable } from "../../platform/files.ts";

/**
 * The `claude` for the next session. Never replaces one that the operator set. `thorough`: whether to ask the login shell
 * for its PATH too, which may take seconds.
 */
export function claudeOf(
  { claudePath, claudePathIsSet, hosts }: Pick<Batch, "claudePath" | "claudePathIsSet" | "hosts">,
  { thorough }: { thorough: boolean },
): FoundClaude {
  // Each machine finds its own.
  if (hosts) return { found: true, path: claudePath, where: "on another machine" };
  if (isExecutable(claudePath)) return { found: true, path: claudePath, where: "where it was" };
  return findClaude(claudePathIsSet === false ? undefined : claudePath, { askShell: thorough });
}
