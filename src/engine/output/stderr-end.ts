// The end of what the session of an attempt wrote to stderr.
import { cut } from "../../model/cut.ts";
import type { Attempt } from "../../model/state.ts";
import { readTail } from "../../platform/files.ts";
import { harmless } from "../../report/harmless.ts";
import { stderrBeside } from "../../store/layout.ts";

const stderrBytes = 16_000;
const longestStderrLine = 2_000;

/** Made harmless; empty if there is none. A note before it says that it is only the end. */
export function stderrEndOf({
  transcript,
  transcriptEnd,
}: Pick<Attempt, "transcript" | "transcriptEnd">): string {
  // Nothing was there when its process went on with another task (`why-not-reused.ts`).
  if (transcriptEnd !== undefined) return "";
  const tail = readTail(stderrBeside(transcript), stderrBytes);
  const note =
    tail.length >= stderrBytes ? `[the last ${stderrBytes} bytes of ${stderrBeside(transcript)}]\n` : "";
  const lines = harmless(tail).trim().split("\n");
  return `${note}${lines.map((line) => cut(line, longestStderrLine)).join("\n")}`;
}
