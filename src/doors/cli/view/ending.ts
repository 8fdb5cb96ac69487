// What a command says at the end of a batch: how it ended, what went wrong and why, what it cost, and what to do next.
import { reportFileOf } from "../../../engine/output/answer.ts";
import { endOfState } from "../../../model/batch-end.ts";
import { type BatchState, type DoneTask, doneCount } from "../../../model/state.ts";
import type { StateWord } from "../../../model/state-word.ts";
import { costText, countText, durationText, numberText } from "../../../report/amounts.ts";
import { countsText, unwrittenText } from "../../../report/answer.ts";
import { endFactsOf, endText, nextText } from "../../../report/batch-end.ts";
import { reuseText } from "../../../report/reuse-text.ts";
import { failureGroups, tasksText } from "./failure-groups.ts";

/** How many causes to name. `show` has them all. */
const mostCauses = 10;

/** Several lines, for a batch that has ended or was interrupted, by `word`. */
export function endingText(state: BatchState, word: StateWord): string {
  const took = durationText((state.endedAt ?? Date.now()) - state.createdAt);
  const spent = doneCount(state.counts) > 0 ? `, ${costText(state.totalCostUsd, state.costAtLeast)}` : "";
  const end = endOfState(state, word);
  const facts = end && endFactsOf(state, end);
  const next = facts && nextText(facts, "command-line");
  return [
    `${facts ? endText(facts) : countsText(state)} ${took}${spent}.`,
    reuseText(state, "command-line"),
    ...causeLines(state),
    `Report: ${reportFileOf(state)}`,
    unwrittenText(state),
    next,
  ]
    .filter(Boolean)
    .join("\n");
}

function causeLines(state: BatchState): string[] {
  // What happened to a single task is printed right above.
  if (state.tasks.length === 1) return [];
  const groups = causesOf(state);
  const lines = groups
    .slice(0, mostCauses)
    .map(
      ({ tasks, happened }) =>
        `  ${numberText(tasks.length)} × ${happened} (${tasksText(tasks, state.batch)})`,
    );
  const left = groups.length - lines.length;
  return left > 0 ? [...lines, `  … and ${countText(left, "other cause")}`] : lines;
}

// Groups with different advice may have the same cause here; `show` separates them.
function causesOf(state: BatchState): { happened: string; tasks: DoneTask[] }[] {
  const causes = [...Map.groupBy(failureGroups(state), ({ happened }) => happened)].map(
    ([happened, groups]) => ({
      happened,
      tasks: groups.flatMap(({ tasks }) => tasks).sort((a, b) => a.number - b.number),
    }),
  );
  return causes.sort((a, b) => b.tasks.length - a.tasks.length);
}
