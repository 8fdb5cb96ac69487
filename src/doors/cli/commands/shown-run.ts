// A batch in the foreground, as `run` and `run-task` show it.
import { product } from "../../../model/product.ts";
import type { BatchState } from "../../../model/state.ts";
import { soleResult, summaryText } from "../../../operations/answer-now.ts";
import type { Context } from "../../../operations/context.ts";
import type { ForegroundBatch } from "../../../operations/foreground.ts";
import { doneTasks } from "../../../operations/news.ts";
import { leadToTheSame } from "../../../platform/output.ts";
import { jsonText } from "../input/command.ts";
import { Interruption } from "../signals/interruption.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { batchView } from "../view/batch-view.ts";
import { shownMarkdown } from "../view/markdown-text.ts";

/**
 * Runs it to its end, or to the pause after its sample, and shows on standard error how far it is. Returns the exit status
 * if a signal ended it sooner. `keysFor`: in a terminal, keys change the batch.
 */
export async function shownToItsEnd(
  batch: ForegroundBatch,
  { out, err }: Terminal,
  { isAttended, isQuiet = false, keysFor }: { isAttended: boolean; isQuiet?: boolean; keysFor?: Context },
): Promise<number | undefined> {
  const { state } = batch;
  const view = batchView(err, batch, {
    already: doneTasks(state),
    isHoldSaid: true,
    isQuiet,
    ...(keysFor ? { keysFor } : {}),
  });
  using interruption = new Interruption(batch, () =>
    view.say(
      `Stopping the running sessions. Press Ctrl-C again to kill them at once. Results so far are in ${state.outputDirectory}, and in \`${product.name} show ${state.batch.batchId}\`.`,
    ),
  );
  // As when a terminal is closed: sessions must not go on spending for nobody. If standard output goes elsewhere,
  // somebody may still want it.
  void err.readerGone.then(() => {
    if (leadToTheSame(out.descriptor, err.descriptor)) interruption.nobodyReads();
  });
  try {
    // Anything else than the view would be drawn over.
    await batch.run({ isAttended, changed: view.show, complain: view.say });
  } finally {
    await view.end();
  }
  return interruption.status;
}

/** Prints the summary, or the answer of the only task. */
export async function printAnswer(state: BatchState, { out }: Terminal, isPlain = false): Promise<void> {
  const summary = summaryText(state);
  if (summary !== undefined) return out.print(shownMarkdown(summary, out, isPlain));
  const answer = soleResult(state);
  if (!answer) return;
  const { result = "", structuredResult } = answer;
  await out.print(
    structuredResult === undefined ? shownMarkdown(result, out, isPlain) : jsonText(structuredResult),
  );
}
