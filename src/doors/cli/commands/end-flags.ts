// What commands that follow a batch to its end have in common: how much they say, which failures they report, and where.
import { z } from "zod";
import { type BatchEnd, exitStatusOf } from "../../../model/batch-end.ts";
import { failOn, isTooMany } from "../../../model/fail-on.ts";
import type { BatchState } from "../../../model/state.ts";
import type { StateWord } from "../../../model/state-word.ts";
import type { Printer } from "../terminal/terminal.ts";
import { isGithubActions } from "../terminal/workflow-commands.ts";

export const endFlags = z.object({
  quiet: z
    .boolean()
    .meta({
      description: "Print no progress: only errors, what holds the batch, and how it ended.",
      short: "q",
      flags: ["silent"],
    })
    .optional(),
  failOn: failOn
    .meta({
      description:
        "Which failures make the exit status 1: `any`, `none`, at least this many tasks, or this percentage of them (default: any).",
      placeholder: "any|none|N|N%",
    })
    .optional(),
  github: z
    .boolean()
    .meta({
      description:
        "Write annotations for failed tasks, and a summary of the step (default: only in GitHub Actions).",
    })
    .optional(),
});
export type EndFlags = z.output<typeof endFlags>;

/** The exit status at the end of a batch. */
export function endStatus(
  { failOn: limit = "any" }: EndFlags,
  end: Pick<BatchEnd, "kind"> | undefined,
  state: BatchState,
): number {
  return exitStatusOf(end, !isTooMany(limit, state));
}

/** Reports the end to GitHub, where that is wanted. */
export async function reportEnd(
  { github = isGithubActions() }: EndFlags,
  end: { state: BatchState; word: StateWord; err: Printer },
): Promise<void> {
  if (!github) return;
  const { reportToGithub } = await import("../view/github.ts");
  await reportToGithub(end.state, end);
}
