// What the next session of a task would be, to find one that is there already, or to start it before its task.
import { repositoryOf } from "../../claude/repository.ts";
import { type BatchState, taskOf } from "../../model/state.ts";
import { optionsOf } from "../../model/task-options.ts";
import { realPath } from "../../platform/files.ts";
import { claudeOf } from "../attempt/claude-of.ts";
import { type AttemptPlan, directoryNeed, type Means, planAttempt } from "../attempt/plan-attempt.ts";
import type { StartPlan } from "../attempt/session-host.ts";
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
export function sparePlan(state: BatchState, number: number, parts: SpareParts): SparePlan | undefined {
  const { batch } = state;
  // With `reuseSessions`, it gets the process of a task that has ended.
  if (optionsOf(batch, number).reuseSessions === "auto") return undefined;
  const planned = pooledPlan(state, number, parts);
  if (!planned || buildsOnOthers(batch.concurrency, planned.session.workingDirectory)) return undefined;
  const { session: plan, options } = planned;
  return { plan, options, need: { footprintKey: footprintKey(batch, optionsOf(batch, number)) } };
}

/** The plan of the next attempt at a task that may get the process of one that has ended; undefined for any other. */
export function reusingPlan(state: BatchState, number: number, parts: SpareParts): StartPlan | undefined {
  if (optionsOf(state.batch, number).reuseSessions !== "auto") return undefined;
  return pooledPlan(state, number, parts)?.session;
}

function pooledPlan(
  state: BatchState,
  number: number,
  { workspace, prefixes, means }: SpareParts,
): AttemptPlan | undefined {
  const { batch } = state;
  if (taskOf(state, number).status !== "queued" || prefixes.wouldLead(number)) return undefined;
  const workingDirectory = workspace.known?.(batch, directoryNeed(state, number));
  const claude = claudeOf(batch, { thorough: false });
  if (workingDirectory === undefined || !claude.found) return undefined;
  const planned = planAttempt(state, number, { ...means, claudePath: claude.path, workingDirectory });
  return planned.session.kind ? planned : undefined;
}

// Tasks that run one after the other in a repository probably build on one another. A session is shown the state of the
// repository as it was at its start, so each starts after the one before has ended.
function buildsOnOthers(concurrency: number | "auto", directory: string): boolean {
  return concurrency === 1 && repositoryOf(realPath(directory)) !== undefined;
}
