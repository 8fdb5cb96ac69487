// Shows a transcript while it grows: as a conversation, or its raw bytes.
import { partsOf } from "../../../claude/conversation-lines.ts";
import type { Line } from "../../../claude/lines.ts";
import type { TranscriptLines } from "../../../claude/transcript-lines.ts";
import { cut } from "../../../model/cut.ts";
import { readTail } from "../../../platform/files.ts";
import { harmless } from "../../../report/harmless.ts";
import { stderrBeside } from "../../../store/layout.ts";
import type { Printer } from "../terminal/terminal.ts";
import { partText } from "./conversation-text.ts";

export interface Shower extends Disposable {
  /** Shows what is new. */
  show(): Promise<void>;
  /** Shows the rest. Call when nothing more comes. */
  finish(): Promise<void>;
}

/**
 * As a conversation, with paths relative to `directory`. Waits for its reader, so that at most one line is in memory.
 */
export function textShower(lines: TranscriptLines, out: Printer, directory: string): Shower {
  let said = "";
  const style = { paint: out.paint.bind(out), directory };
  const print = async (line: Line) => {
    for (const part of partsOf(line)) {
      // A tool result follows its call directly.
      await out.print(`${part.kind === "returned" ? "" : "\n"}${partText(part, style, said)}`);
      if (part.kind === "said") said = part.text;
    }
  };
  return {
    show: async () => {
      for (const line of lines.fresh()) await print(line);
    },
    finish: async () => {
      for (const line of lines.rest()) await print(line);
    },
    [Symbol.dispose]: () => lines[Symbol.dispose](),
  };
}

/** Its raw bytes, however long the lines are. Waits for its reader too. */
export function rawShower(lines: TranscriptLines, out: Printer): Shower {
  const show = async () => {
    for (const piece of lines.pieces()) await out.write(piece);
  };
  return { show, finish: show, [Symbol.dispose]: () => lines[Symbol.dispose]() };
}

const stderrBytes = 16_000;
const longestStderrLine = 2_000;

/** The end of a session's stderr, made harmless; empty if there is none. */
export function stderrOf(transcript: string): string {
  const tail = readTail(stderrBeside(transcript), stderrBytes);
  const note =
    tail.length >= stderrBytes ? `[the last ${stderrBytes} bytes of ${stderrBeside(transcript)}]\n` : "";
  const lines = harmless(tail).trim().split("\n");
  return `${note}${lines.map((line) => cut(line, longestStderrLine)).join("\n")}`;
}
