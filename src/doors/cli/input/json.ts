// Tasks as JSON: a list of prompts and objects, or one of them on each line.
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { FileFault, lineText } from "../../../operations/inputs/file-fault.ts";
import { listedLines } from "../../../operations/inputs/listed-lines.ts";
import { messageOf } from "../../../platform/system-error.ts";
import type { FileTask } from "./file-task.ts";

/** A list of strings and objects with `task` and options. */
export function tasksFromJson(text: string): FileTask[] {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true });
  const [first] = errors;
  if (first)
    throw new FileFault(wordsOf(printParseErrorCode(first.error)), lineAt(text.slice(0, first.offset)));
  if (tree?.type !== "array") throw new FileFault("expected a list: strings, or objects with `task`", 1);
  // Counts from the previous item: from the beginning each time, thousands would take seconds.
  let [line, counted] = [1, 0];
  return (tree.children ?? []).map((node) => {
    line += lineAt(text.slice(counted, node.offset)) - 1;
    counted = node.offset;
    return { task: valueAt(text, node), place: lineText(line) };
  });
}

/** One string or object on each line; skips blank lines. */
export function tasksFromJsonLines(text: string): FileTask[] {
  return [...listedLines(text)].map(({ line, number }) => {
    try {
      return { task: JSON.parse(line), place: lineText(number) };
    } catch (error) {
      throw new FileFault(`no JSON (${messageOf(error)})`, number);
    }
  });
}

function valueAt(text: string, { offset, length }: Node): unknown {
  return JSON.parse(text.slice(offset, offset + length));
}

function lineAt(before: string): number {
  return before.split("\n").length;
}

// `CommaExpected` → no JSON (comma expected).
function wordsOf(code: string): string {
  return `no JSON (${code.replace(/(?!^)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase()})`;
}
