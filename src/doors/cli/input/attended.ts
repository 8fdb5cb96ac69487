// Whether somebody is there to log in or pay, and what `run` says if not.
import { exitStatuses } from "../../../model/exit-status.ts";
import type { BatchState } from "../../../model/state.ts";
import { refusalOf } from "../../../operations/foreground.ts";

/** Exit status of a run that Claude or the API refused because of a missing login or credit. */
export const refusedStatus = exitStatuses.refused.status;

/** With a terminal at one of the three standard streams, but not in CI, where a terminal may be simulated. */
export function isAttended(environment: Record<string, string | undefined> = process.env): boolean {
  const { CI = "" } = environment;
  const isCi = CI !== "" && !/^(?:0|false|no|off)$/i.test(CI);
  const streams = [process.stdin, process.stdout, process.stderr];
  return !isCi && streams.some(({ isTTY }) => isTTY === true);
}

/** What to do if a task failed for a reason that only a person can fix; undefined if none did. */
export function refusedText(state: BatchState, attended: boolean): string | undefined {
  const refusal = refusalOf(state);
  if (refusal === undefined) return undefined;
  // How to log in is printed above. Another credential is another account, with which no retry continues.
  const what =
    refusal === "billing"
      ? "The API refuses the account for billing reasons. Add credit, or pay outstanding invoices."
      : "Claude is not logged in. To use a credential from the environment, set `ANTHROPIC_API_KEY`, or `CLAUDE_CODE_OAUTH_TOKEN` to a token from `claude setup-token`, and run this command again.";
  if (attended) return what;
  return `${what} \`run\` has not waited for that, because there is no terminal, or \`CI\` is set. To wait, add \`--wait-for-login\`.`;
}
