// The models of a batch, for a cell of a list.
import { oneLine } from "./harmless.ts";

/** "claude-sonnet-4-5-20250929" is "sonnet-4-5"; of several, the first. Undefined if there are none. */
export function modelsText([first, ...others]: readonly string[]): string | undefined {
  if (first === undefined) return undefined;
  const short = oneLine(first, 60)
    .replace(/^claude-/, "")
    .replace(/-\d{8}$/, "");
  return others.length === 0 ? short : `${short} +${others.length}`;
}
