// Shows a batch while it runs: live in a terminal, as plain lines elsewhere.
import { type Standstill, standstillKind } from "../../../model/standstill.ts";
import type { DoneTask } from "../../../model/state.ts";
import type { LiveBatch } from "../../../operations/live-batch.ts";
import { heldText } from "../../../report/answer.ts";
import type { Printer } from "../terminal/terminal.ts";
import { LiveView, PlainView, type View } from "./live-view.ts";
import { faceOf, progressLines } from "./progress-lines.ts";

export interface BatchView extends View {
  /** Call it after each change of the batch. */
  show(): void;
}

interface Manner {
  /** Tasks that had ended before the first look. */
  already?: readonly DoneTask[];
  /** Whether to report a hold, once, without a live view. */
  isHoldSaid?: boolean;
}

export function batchView(
  printer: Printer,
  batch: LiveBatch,
  { already = [], isHoldSaid = false }: Manner = {},
): BatchView {
  const view = printer.isLive
    ? new LiveView(printer, () => ({
        state: batch.state,
        activities: batch.activities(),
        hold: batch.hold(),
        now: Date.now(),
      }))
    : new PlainView(printer);
  const ended = progressLines((line) => view.say(line), faceOf(printer), already);
  let said: Standstill | undefined;
  return {
    say: (text) => view.say(text),
    end: () => view.end(),
    show: () => {
      if (isHoldSaid && !printer.isLive) {
        const hold = batch.hold();
        if (hold && !isSame(hold, said)) view.say(heldText(hold));
        said = hold;
      }
      ended(batch.state);
    },
  };
}

// Reporting its figures again and again would be a line a second.
function isSame(standstill: Standstill, before: Standstill | undefined): boolean {
  return before !== undefined && standstillKind(standstill) === standstillKind(before);
}
