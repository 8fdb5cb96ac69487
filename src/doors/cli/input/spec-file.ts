// The spec of one task, read from a file of its own or from one line of many.
import { textIn } from "../../../operations/inputs/decode.ts";
import { messageOf } from "../../../platform/system-error.ts";
import { countText } from "../../../report/amounts.ts";
import { UsageError } from "./command.ts";
import { bytesOf, reasonOf } from "./read.ts";

/** A spec, and its place for people: `tasks.jsonl, line 3`. Not checked yet. */
export interface SpecGiven {
  spec: unknown;
  place: string;
}

/**
 * The spec in a file; `-` is standard input. `line`: only this one, counted from 1. Throws `UsageError` if there is none.
 */
export async function specIn(file: string, line: number | undefined): Promise<SpecGiven> {
  const name = file === "-" ? "standard input" : file;
  const text = await textOf(file, name);
  if (line !== undefined) return specOfLine(text, name, line);
  const spec = parsed(text);
  if (spec.ok) return { spec: spec.value, place: name };
  if (linesOf(text).length > 1 && parsed(linesOf(text)[0] ?? "").ok)
    throw new UsageError([
      `${name} has ${countText(linesOf(text).length, "line")} of JSON: choose one with \`--line\`, counted from 1`,
    ]);
  throw new UsageError([
    text.trim() === "" ? `${name} is empty: expected one task as JSON` : `${name}: no JSON (${spec.reason})`,
  ]);
}

async function textOf(file: string, name: string): Promise<string> {
  try {
    return textIn(await bytesOf(file, name));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError([`${name} cannot be read: ${reasonOf(error)}`]);
  }
}

// Lines count as for `sed -n 3p` and `wc -l`: blank ones too.
function specOfLine(text: string, name: string, line: number): SpecGiven {
  const lines = linesOf(text);
  const place = `${name}, line ${line}`;
  const found = lines[line - 1];
  if (found === undefined)
    throw new UsageError([`${name} has ${countText(lines.length, "line")}, so it has no line ${line}`]);
  if (found.trim() === "") throw new UsageError([`${place} is empty: expected one task as JSON`]);
  const spec = parsed(found);
  if (!spec.ok) throw new UsageError([`${place}: no JSON (${spec.reason})`]);
  return { spec: spec.value, place };
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

type Parsed = { ok: true; value: unknown } | { ok: false; reason: string };

function parsed(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
