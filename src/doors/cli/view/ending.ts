// What a command says at the end of a batch: how it ended, what went wrong and why, what it cost, and what to do next.
import { reportFileOf } from "../../../engine/output/answer.ts";
import { endOfState } from "../../../model/batch-end.ts";
import { type BatchState, doneCount } from "../../../model/state.ts";
import type { StateWord } from "../../../model/state-word.ts";
import { costText, durationText } from "../../../report/amounts.ts";
import { countsText, unwrittenText } from "../../../report/answer.ts";
import { endFactsOf, endText, nextText } from "../../../report/batch-end.ts";
import { reuseText } from "../../../report/reuse-text.ts";
import type { Printer } from "../terminal/terminal.ts";
import { wrapped } from "../terminal/wrapped.ts";
import { causeLines, rowsOf } from "./cause-lines.ts";

/** A screen, as small as screens are, without the line of the prompt. */
const rows = 23;
/** How long lines may be in a pipe. */
const unlimited = 400;

/** Several lines, for a batch that has ended or was interrupted, by `word`. In a terminal, they fit on its screen. */
export function endingText(
  state: BatchState,
  word: StateWord,
  out: Pick<Printer, "isTerminal" | "width"> = { isTerminal: false, width: unlimited },
): string {
  const took = durationText((state.endedAt ?? Date.now()) - state.createdAt);
  const spent = doneCount(state.counts) > 0 ? `, ${costText(state.totalCostUsd, state.costAtLeast)}` : "";
  const end = endOfState(state, word);
  const facts = end && endFactsOf(state, end);
  const next = facts && nextText(facts, "command-line");
  const before = [
    `${facts ? endText(facts) : countsText(state)} ${took}${spent}.`,
    reuseText(state, "command-line"),
  ].filter((line) => line !== undefined);
  const behind = [`Report: ${reportFileOf(state)}`, unwrittenText(state), next].filter(
    (line) => line !== undefined,
  );
  const columns = out.isTerminal ? out.width : unlimited;
  const taken = rowsOf(
    [...before, ...behind].flatMap((line) => wrapped(line, out).split("\n")),
    columns,
  );
  // What happened to a single task is printed right above.
  const causes = state.tasks.length === 1 ? [] : causeLines(state, { rows: rows - taken, columns });
  return [...before, ...causes, ...behind].join("\n");
}
