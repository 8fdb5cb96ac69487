// A conversation as text for a terminal or a pipe. Foreign text is made harmless.
import type { ConversationPart, PartOf } from "../../../model/conversation.ts";
import { cut } from "../../../model/cut.ts";
import { unreachable } from "../../../model/unreachable.ts";
import { bytesText, costText, countText, durationText, numberText } from "../../../report/amounts.ts";
import { harmless, oneLine } from "../../../report/harmless.ts";
import { type CallStyle, callText } from "./call-text.ts";

const longestThought = 300;
const longestReturn = 1_000;
const mostReturnLines = 12;
const longestUnread = 300;

/** One part, with line breaks. `before`: what was said last; an end with the same text does not repeat it. */
export function partText(part: ConversationPart, style: CallStyle, before = ""): string {
  switch (part.kind) {
    case "started":
      return style.paint(
        "faint",
        `Started${part.model === undefined ? "" : ` with ${oneLine(part.model, 100)}`}.`,
      );
    case "prompted":
      return marked(">", harmless(part.text), part.nested);
    case "said": {
      const text = harmless(part.text);
      return marked(part.nested ? " " : "", part.failed ? style.paint("red", text) : text, part.nested);
    }
    case "thought":
      return marked("…", style.paint("faint", oneLine(part.text, longestThought)), part.nested);
    case "called":
      return marked("→", callText(part.tool, part.input, style), part.nested);
    case "returned": {
      const text = shortened(part.text, style.directory);
      return marked("←", part.failed ? style.paint("red", text) : text, part.nested);
    }
    case "waits":
      return style.paint("yellow", oneLine(part.why, 300));
    case "ended":
      return endText(part, style, before);
    case "unread":
      return style.paint(
        "faint",
        `[A line of ${bytesText(part.bytes)} that is no message, or too long: ${oneLine(part.text, longestUnread)}]`,
      );
    default:
      return unreachable(part);
  }
}

/** Text after a mark, with aligned further lines; a subagent's parts are indented. */
export function marked(mark: string, text: string, nested = false): string {
  const lines = text.trimEnd().split("\n");
  const margin = nested ? "    " : "";
  const first = mark === "" ? "" : `${mark} `;
  return lines
    .map((line, index) => `${margin}${index === 0 ? first : " ".repeat(first.length)}${line}`)
    .join("\n");
}

function shortened(text: string, directory: string): string {
  const beginning = text.slice(0, 4 * longestReturn);
  const lines = harmless(beginning.replace(pathsBelow(directory), ""))
    .trimEnd()
    .split("\n");
  const shown = cut(lines.slice(0, mostReturnLines).join("\n"), longestReturn);
  const all = lines.length <= mostReturnLines && text.length <= longestReturn;
  if (shown === "") return "(nothing)";
  return all ? shown : `${shown}\n[${numberText(text.length)} characters in all]`;
}

// The directory at the beginning of a path, as in the output of a search; not within another path or an address.
function pathsBelow(directory: string): RegExp {
  const before = directory.replace(/[\\/]*$/, "").replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return before === "" ? /(?!)/ : new RegExp(`(?<=^|[\\s"'\`(\\[])${before}[\\\\/](?=[^\\s\\\\/])`, "gm");
}

function endText(
  { failed, subtype, text, numTurns, durationMs, costUsd }: PartOf<"ended">,
  style: CallStyle,
  before: string,
): string {
  const facts = [
    countText(numTurns, "turn"),
    durationText(durationMs),
    ...(costUsd === undefined ? [] : [costText(costUsd)]),
  ].join(", ");
  const word = failed
    ? style.paint("red", `Ended: ${oneLine(subtype, 100)}`)
    : style.paint("green", "Answered");
  const line = `${word} (${facts}).`;
  return text === "" || text === before ? line : `${line}\n${harmless(text)}`;
}
