// Whether another attempt can continue a conversation, and what to say if not.
import { isOwnTree } from "../../model/far-directory.ts";
import type { SessionOptions } from "../../model/options.ts";
import type { AttemptOutcome, FailureReason } from "../../model/outcome.ts";
import { hostOf } from "../../model/session-ref.ts";
import type { Attempt } from "../../model/state.ts";
import { outcomeText } from "../../report/outcome-text.ts";

const refusals: readonly FailureReason[] = ["conversation", "prompt-too-long", "request"];

/**
 * Whether an attempt showed that the conversation which it continued is unusable: broken, too long or gone, and refused
 * before Claude could say anything. `replies`: messages of Claude's.
 */
export function isRefused(resumes: boolean, replies: number, outcome: AttemptOutcome): boolean {
  return resumes && replies === 0 && outcome.kind === "failed" && refusals.includes(outcome.reason);
}

type Ended = Pick<Attempt, "resumes" | "resumable" | "outcome">;

/**
 * Whether the task starts over because of how an attempt ended. Not if its caller named the conversation, without which
 * the prompt may make no sense.
 */
export function startsOver({ resumes, resumable, outcome }: Ended, options: SessionOptions): boolean {
  if (options.resumeSessionId !== undefined && !options.forkSession) return false;
  // Without any reply of Claude's; otherwise the conversation would be resumable.
  return outcome !== undefined && !resumable && isRefused(resumes, 0, outcome);
}

/** Why an attempt starts over after `before`; undefined if there was nothing to continue. */
export function whyStartedOver(before: Attempt | undefined, options: SessionOptions): string | undefined {
  if (!before?.outcome) return undefined;
  const anew =
    options.resumeSessionId === undefined
      ? "the task began again from its start"
      : "the task began again from the conversation in `resumeSessionId`";
  if (before.unsaved)
    return `Claude Code had not saved the conversation of attempt ${before.number}, so ${anew}.`;
  const host = hostOf(before.identity);
  if (host !== undefined && (before.usage?.numTurns ?? 0) > 0)
    return isOwnTree(before.workingDirectory ?? "")
      ? `The conversation of attempt ${before.number} is on ${host}. It is continued only in a directory there that the task names as \`${host}:/path\`, so ${anew}.`
      : `The conversation of attempt ${before.number} could not be continued on ${host}, so ${anew}.`;
  if (before.outcome.kind !== "failed" || !startsOver(before, options)) return undefined;
  return `The conversation so far could not be continued (${outcomeText(before.outcome)}), so ${anew}.`;
}
