// The id of a message too long to read, of which only the two ends were kept.
import { outerStrings } from "../../../claude/json-scan.ts";

/**
 * The id, if it is in one of the ends as a field of the message itself: some clients write it first, others last.
 * Undefined if uncertain, so that no answer goes to another request.
 */
export function idInEnds({ head, tail }: { head: string; tail: string }): string | number | undefined {
  return idInHead(head) ?? idInTail(tail);
}

// Only fields of the outermost object count, and nothing inside strings.
function idInHead(head: string): string | number | undefined {
  const key = '"id"';
  for (const at of outerStrings(head)) {
    const value = head.startsWith(key, at) ? valueAt(head, at + key.length) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

const idText = /-?\d+|"(?:[^"\\]|\\.)*"/.source;
const behindKey = new RegExp(`^\\s*:\\s*(?<id>${idText})\\s*[,}]`);

function valueAt(text: string, at: number): string | number | undefined {
  return read(behindKey.exec(text.slice(at, at + 1_000)));
}

// The last brace ends the message. Directly before it are its own fields, as long as they are plain.
const atTheEnd = new RegExp(
  `[,{]\\s*"id"\\s*:\\s*(?<id>${idText})\\s*(?:,\\s*"(?:jsonrpc|method)"\\s*:\\s*"[^"\\\\]*"\\s*)*\\}\\s*$`,
);

function idInTail(tail: string): string | number | undefined {
  return read(atTheEnd.exec(tail.slice(-2_000)));
}

function read(found: RegExpExecArray | null): string | number | undefined {
  const written = found?.groups?.["id"];
  if (written === undefined) return undefined;
  try {
    const id: unknown = JSON.parse(written);
    return typeof id === "string" || typeof id === "number" ? id : undefined;
  } catch {
    // Not JSON after all.
    return undefined;
  }
}
