// A tool call in a terminal: a line with its subject, and below it the few lines that show what it changes.
import { cut } from "../../../model/cut.ts";
import { unreachable } from "../../../model/unreachable.ts";
import { countText } from "../../../report/amounts.ts";
import { harmless, oneLine } from "../../../report/harmless.ts";
import { type Change, type ToolCall, toolCall } from "../../../report/session/tool-call.ts";
import type { Printer } from "../terminal/terminal.ts";

const longestLine = 200;
const mostLines = 12;

/** How to show a call. */
export interface CallStyle {
  paint: Printer["paint"];
  /** Paths are shown relative to it. */
  directory: string;
}

/** The call, without its mark; `input` is JSON. Unexpected input is shown as names and values. */
export function callText(tool: string, input: string, style: CallStyle): string {
  const call = toolCall(tool, input, style.directory);
  const behind = call.isBehind ? style.paint("faint", " (in the background)") : "";
  const head = `${style.paint("cyan", oneLine(tool, 100))} ${call.subject}${behind}`.trimEnd();
  return [head, ...shown(marksOf(call), style)].join("\n");
}

/** A line, and the sign before it. */
type Mark = readonly [sign: string, line: string];

function marksOf({ body }: ToolCall): readonly Mark[] {
  switch (body.kind) {
    case "values":
      return [];
    case "command":
      return body.lines.slice(1).map((line): Mark => ["", line]);
    case "changes":
      return body.changes.flatMap(changeMarks);
    case "written":
      return body.lines.map((line): Mark => ["+", line]);
    case "items":
      return body.items;
    default:
      return unreachable(body);
  }
}

// What changes, with at most one unchanged line before and after it.
function changeMarks({ before, after }: Change): Mark[] {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const same = (line: string | undefined): Mark[] => (line === undefined ? [] : [[" ", line]]);
  return [
    ...same(before[start - 1]),
    ...before.slice(start, before.length - end).map((line): Mark => ["-", line]),
    ...after.slice(start, after.length - end).map((line): Mark => ["+", line]),
    ...same(end === 0 ? undefined : before.at(-end)),
  ];
}

const colours = { "-": "red", "+": "green" } as const;

function shown(marks: readonly Mark[], { paint }: CallStyle): string[] {
  const lines = marks.slice(0, mostLines).map(([sign, line]) => {
    const text = `${sign === "" ? "" : `${sign} `}${cut(harmless(line), longestLine)}`.trimEnd();
    return sign === "-" || sign === "+" ? paint(colours[sign], text) : text;
  });
  const left = marks.length - lines.length;
  return left > 0 ? [...lines, paint("faint", `… ${countText(left, "more line")}`)] : lines;
}
