// Asks whether the rest of a batch should run that has paused.
import type { Terminal } from "../terminal/terminal.ts";

/** Whether somebody is there and says yes, with the estimate above. Waits for the answer. */
export function asksForRest({ out, err }: Terminal): boolean {
  return out.isTerminal && err.isTerminal && process.stdin.isTTY === true && confirm("Run the rest now?");
}
