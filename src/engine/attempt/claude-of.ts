// Which `claude` a batch runs: the one that was found when it began, and after an update the one that took its place.
import { type FoundClaude, findClaude } from "../../claude/find.ts";
import type { Batch } from "../../model/event.ts";
import { isExecutable } from "../../platform/files.ts";

/**
 * The `claude` for the next session. One that the operator chose is never replaced by another. `thorough`: whether
 * the login shell is asked for its PATH too, which may take seconds.
 */
export function claudeOf(
  { claudePath, claudePathIsSet }: Pick<Batch, "claudePath" | "claudePathIsSet">,
  { thorough }: { thorough: boolean },
): FoundClaude {
  if (isExecutable(claudePath)) return { found: true, path: claudePath, where: "where it was" };
  return findClaude(claudePathIsSet === false ? undefined : claudePath, { askShell: thorough });
}
