// The conversation in a transcript, part by part.
import type { ConversationPart } from "../model/conversation.ts";
import { partsOf } from "./conversation-lines.ts";
import type { Line } from "./lines.ts";
import { messageFrom } from "./message.ts";
import type { TranscriptLines } from "./transcript-lines.ts";

/** A part, and where its line begins in the transcript, in bytes. */
export interface PlacedPart {
  part: ConversationPart;
  offset: number;
}

/**
 * The parts in some lines of a transcript, which are made when they are asked for. `isShared`: its process may run other
 * tasks, whose conversations are left out.
 */
export function* conversationIn(
  lines: TranscriptLines,
  some: Iterable<Line>,
  isShared: boolean,
): Generator<PlacedPart> {
  for (const line of some) {
    if (isShared && messageFrom(line).kind === "reset") {
      lines.stopAt(line.offset);
      return;
    }
    for (const part of partsOf(line)) yield { part, offset: line.offset };
  }
}
