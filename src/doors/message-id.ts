// The id of a message of which only the two ends were kept, because it is too long to be read.
import { endOfString } from "../claude/json-scan.ts";

/**
 * The id, where it stands in one of the ends, as a field of the message itself: some clients write it first, others
 * last. Nothing where it cannot be told, so that no answer ever goes to another request.
 */
export function idInEnds({ head, tail }: { head: string; tail: string }): string | number | undefined {
  return idInHead(head) ?? idInTail(tail);
}

// Only a field of the outermost object counts, and nothing inside a string does.
function idInHead(head: string): string | number | undefined {
  let depth = 0;
  for (let at = 0; at < head.length; at++) {
    const character = head[at];
    if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (character === '"') {
      const end = endOfString(head, at + 1);
      if (end === undefined) return undefined;
      const value = depth === 1 && head.slice(at, end + 1) === '"id"' ? valueAt(head, end + 1) : undefined;
      if (value !== undefined) return value;
      at = end;
    }
  }
  return undefined;
}

const idText = /-?\d+|"(?:[^"\\]|\\.)*"/.source;
const behindKey = new RegExp(`^\\s*:\\s*(?<id>${idText})\\s*[,}]`);

function valueAt(text: string, at: number): string | number | undefined {
  return read(behindKey.exec(text.slice(at, at + 1_000)));
}

// The last brace ends the message. What stands directly before it are its own fields, as long as they are plain.
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
    // No JSON after all.
    return undefined;
  }
}
