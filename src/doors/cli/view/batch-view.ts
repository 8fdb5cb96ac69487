// Shows a batch while it runs: live in a terminal, as plain lines elsewhere.

import type { DoneTask } from "../../../model/state.ts";
import { type WaitReason, waitKind } from "../../../model/wait-reason.ts";
import type { Context } from "../../../operations/context.ts";
import type { LiveBatch } from "../../../operations/live-batch.ts";
import { heldText } from "../../../report/answer.ts";
import type { Printer } from "../terminal/terminal.ts";
import { LiveView, PlainView, type View } from "./live-view.ts";
import { lineStyleOf, progressLines } from "./progress-lines.ts";

export interface BatchView extends View {
  /** Call it after each change of the batch. */
  show(): void;
}

interface Manner {
  /** Tasks that had ended before the first look. */
  already?: readonly DoneTask[];
  /** Whether to report what holds the batch, once, without a live view. */
  isHoldSaid?: boolean;
  /** Whether to show nothing of its progress but what holds it. */
  isQuiet?: boolean;
  /** Of the command, where the keys of a live view change the batch. */
  keysFor?: Context;
}

export function batchView(
  printer: Printer,
  batch: LiveBatch,
  { already = [], isHoldSaid = false, isQuiet = false, keysFor }: Manner = {},
): BatchView {
  const isLive = printer.isLive && !isQuiet;
  const view = isLive
    ? new LiveView(printer, () => ({
        state: batch.state,
        activities: batch.activities(),
        held: batch.held(),
        now: Date.now(),
      }))
    : new PlainView(printer);
  if (keysFor && view instanceof LiveView && process.stdin.isTTY) void withKeys(view, keysFor, batch);
  const ended = progressLines((line) => view.say(line), lineStyleOf(printer), already);
  let said: WaitReason | undefined;
  return {
    say: (text) => view.say(text),
    changed: () => view.changed(),
    end: () => view.end(),
    show: () => {
      if (isHoldSaid && !isLive) {
        const held = batch.held();
        if (held && !isSame(held, said)) view.say(heldText(held));
        said = held;
      }
      if (!isQuiet) ended(batch.state);
      view.changed();
    },
  };
}

// Without them, the view is as it was.
async function withKeys(view: LiveView, context: Context, { state }: LiveBatch): Promise<void> {
  try {
    const { LiveKeys } = await import("./live-keys.ts");
    await LiveKeys.open(view, context, state);
  } catch {
    // No descriptor is left, for example.
  }
}

// Reporting its figures again and again would be a line a second.
function isSame(held: WaitReason, before: WaitReason | undefined): boolean {
  return before !== undefined && waitKind(held) === waitKind(before);
}
