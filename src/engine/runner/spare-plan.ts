// What a session would be that starts before the next task that takes it.
import { repositoryOf } from "../../claude/repository.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
import { realPath } from "../../platform/files.ts";
import { claudeOf } from "../attempt/claude-of.ts";
import { directoryNeed, type Means, planAttempt } from "../attempt/plan-attempt.ts";
import type { SparePlan } from "../attempt/warm-spares.ts";
import type { Workspace } from "../attempt/workspace.ts";
import { footprintKey } from "../memory/footprint-key.ts";
import type { PrefixGroups } from "../scheduler/prefix-groups.ts";

interface SpareParts {
  workspace: Workspace;
  prefixes: Pick<PrefixGroups, "wouldLead">;
  means: Omit<Means, "claudePath" | "workingDirectory" | "saysBeginning">;
}

/**
 * The plan of a spare for the next attempt at a task; undefined if that needs a session of its own. A session that will lead
 * its group is one, because others wait for it, and so never for a slot.
 */
export function sparePlan(
  state: BatchState,
  number: number,
  { workspace, prefixes, means }: SpareParts,
): SparePlan | undefined {
  const { batch } = state;
  if (taskOf(state, number).status !== "queued" || prefixes.wouldLead(number)) return undefined;
  const workingDirectory = workspace.known?.(batch, directoryNeed(state, number));
  if (workingDirectory === undefined || buildsOnOthers(batch.concurrency, workingDirectory)) return undefined;
  const claude = claudeOf(batch, { thorough: false });
  if (!claude.found) return undefined;
  const planned = planAttempt(state, number, { ...means, claudePath: claude.path, workingDirectory });
  const { session: plan, options } = planned;
  // It gets the process of a task that has ended.
  if (!plan.kind || options.reuseSessions === "auto") return undefined;
  return { plan, options, need: { footprintKey: footprintKey(batch, optionsOf(batch, number)) } };
}

// Tasks that run one after the other in a repository probably build on one another. A session is shown the state of the
// repository as it was at its start, so each starts after the one before has ended.
function buildsOnOthers(concurrency: number | "auto", directory: string): boolean {
  return concurrency === 1 && repositoryOf(realPath(directory)) !== undefined;
}
