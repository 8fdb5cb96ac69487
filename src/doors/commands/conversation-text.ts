// A conversation as text for a terminal or a pipe. What comes from elsewhere is made harmless.
import type { ConversationPart } from "../../claude/conversation-lines.ts";
import { cut } from "../../model/cut.ts";
import { unreachable } from "../../model/unreachable.ts";
import { costText, countText, durationText, numberText } from "../../report/amounts.ts";
import { harmless, oneLine } from "../../report/harmless.ts";
import type { Printer } from "./terminal.ts";

const longestInput = 160;
const longestThought = 300;
const longestReturn = 1_000;
const mostReturnLines = 12;
const longestUnread = 300;

/**
 * One part, with its line breaks. `before` is what was said last: an end that only says it again does not show it.
 */
export function partText(part: ConversationPart, out: Pick<Printer, "paint">, before = ""): string {
  switch (part.kind) {
    case "started":
      return out.paint(
        "faint",
        `Started${part.model === undefined ? "" : ` with ${oneLine(part.model, 100)}`}.`,
      );
    case "prompted":
      return marked(">", harmless(part.text), part.nested);
    case "said": {
      const text = harmless(part.text);
      return marked(part.nested ? " " : "", part.failed ? out.paint("red", text) : text, part.nested);
    }
    case "thought":
      return marked("…", out.paint("faint", oneLine(part.text, longestThought)), part.nested);
    case "called":
      return marked(
        "→",
        `${out.paint("cyan", oneLine(part.tool, 100))} ${inputText(part.input)}`,
        part.nested,
      );
    case "returned": {
      const text = shortened(part.text);
      return marked("←", part.failed ? out.paint("red", text) : text, part.nested);
    }
    case "waits":
      return out.paint("yellow", oneLine(part.why, 300));
    case "ended":
      return endText(part, out, before);
    case "unread":
      return out.paint(
        "faint",
        `[${numberText(part.bytes)} bytes that are no message, or too long: ${oneLine(part.text, longestUnread)}]`,
      );
    default:
      return unreachable(part);
  }
}

/** Text behind a mark, its further lines below its first; what a sub-agent does stands further right. */
export function marked(mark: string, text: string, nested = false): string {
  const lines = text.trimEnd().split("\n");
  const margin = nested ? "    " : "";
  const first = mark === "" ? "" : `${mark} `;
  return lines
    .map((line, index) => `${margin}${index === 0 ? first : " ".repeat(first.length)}${line}`)
    .join("\n");
}

// A command, a file, a pattern alone says most; of more, all of it as one line.
function inputText(input: string): string {
  const parsed: unknown = JSON.parse(input);
  const values = typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : [];
  const said = values.filter(([name]) => name !== "description");
  const [only] = said;
  return oneLine(said.length === 1 && typeof only?.[1] === "string" ? only[1] : input, longestInput);
}

function shortened(text: string): string {
  const lines = harmless(text.slice(0, 4 * longestReturn))
    .trimEnd()
    .split("\n");
  const shown = cut(lines.slice(0, mostReturnLines).join("\n"), longestReturn);
  const all = lines.length <= mostReturnLines && text.length <= longestReturn;
  if (shown === "") return "(nothing)";
  return all ? shown : `${shown}\n[${numberText(text.length)} characters in all]`;
}

function endText(
  { failed, subtype, text, numTurns, durationMs, costUsd }: Extract<ConversationPart, { kind: "ended" }>,
  out: Pick<Printer, "paint">,
  before: string,
): string {
  const facts = [
    countText(numTurns, "turn"),
    durationText(durationMs),
    ...(costUsd === undefined ? [] : [costText(costUsd)]),
  ].join(", ");
  const word = failed ? out.paint("red", `Ended: ${oneLine(subtype, 100)}`) : out.paint("green", "Answered");
  const line = `${word} (${facts}).`;
  return text === "" || text === before ? line : `${line}\n${harmless(text)}`;
}
