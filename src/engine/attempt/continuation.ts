// Whether another attempt can continue the conversation of one, and what is said where it cannot.
import type { SessionOptions } from "../../model/options.ts";
import type { AttemptOutcome, FailureReason } from "../../model/outcome.ts";
import type { Attempt } from "../../model/state.ts";
import { outcomeText } from "../../report/outcome-text.ts";

const refusals: readonly FailureReason[] = ["conversation", "prompt-too-long", "request"];

/**
 * Whether an attempt showed that the conversation which it continued is of no use any more: it is broken, too long or
 * gone, and was refused before Claude could say anything. `replies` are messages of Claude's.
 */
export function isRefused(resumes: boolean, replies: number, outcome: AttemptOutcome): boolean {
  return resumes && replies === 0 && outcome.kind === "failed" && refusals.includes(outcome.reason);
}

type Ended = Pick<Attempt, "resumes" | "resumable" | "outcome">;

/**
 * Whether the task is begun anew because of how an attempt ended. Not where its caller named the conversation: what
 * the task says may mean nothing without it.
 */
export function beginsAnew({ resumes, resumable, outcome }: Ended, options: SessionOptions): boolean {
  if (options.resumeSessionId !== undefined && !options.forkSession) return false;
  // Claude said nothing, else the conversation would be resumable.
  return outcome !== undefined && !resumable && isRefused(resumes, 0, outcome);
}

/** What is said of an attempt that begins anew after `before`; nothing where there was nothing to continue. */
export function whyAnew(before: Attempt | undefined, options: SessionOptions): string | undefined {
  if (!before?.outcome) return undefined;
  const anew =
    options.resumeSessionId === undefined
      ? "the task began again from its start"
      : "the task began again from the conversation in `resumeSessionId`";
  if (before.unsaved)
    return `Claude Code had not saved the conversation of attempt ${before.number}, so ${anew}.`;
  if (before.outcome.kind !== "failed" || !beginsAnew(before, options)) return undefined;
  return `The conversation so far could not be continued (${outcomeText(before.outcome)}), so ${anew}.`;
}
