// Changes one table in a TOML file, and no character elsewhere.
import { Unreadable } from "./unreadable.ts";

/** The value of a file. Throws `Unreadable` with the place of the fault. */
export function readToml(text: string): unknown {
  try {
    return Bun.TOML.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const line = faultyLine(text);
    throw new Unreadable(
      `${line === undefined ? "" : `line ${line}: `}${error.message.replace("TOML Parse error: ", "")}`,
    );
  }
}

/** The text with these values in the table at `path`; other values of the table stay. */
export function setInToml(text: string, path: readonly string[], values: Record<string, unknown>): string {
  const lineFeed = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text.split(/\r?\n/);
  const begin = findLine(lines, 0, (line) => isSame(tableOf(line), path));
  if (begin < 0) {
    const table = [`[${path.map(keyText).join(".")}]`, ...entriesOf(values)].join(lineFeed);
    const before = text.trimEnd();
    return `${before === "" ? "" : `${before}${lineFeed}${lineFeed}`}${table}${lineFeed}`;
  }
  let end = tableEnd(lines, begin);
  for (const [key, value] of Object.entries(values)) {
    const line = `${keyText(key)} = ${valueText(value)}`;
    const found = findLine(lines, begin + 1, (one) => keyIn(one) === key);
    if (found < 0 || found >= end) {
      // After the last line of the table with content.
      let last = end;
      while (last > begin + 1 && lines[last - 1]?.trim() === "") last--;
      lines.splice(last, 0, line);
      end++;
    } else {
      const taken = linesOfValue(lines, found);
      const remark = remarkBehind(lines.slice(found, found + taken).join("\n"));
      lines.splice(found, taken, `${line}${remark}`);
      end -= taken - 1;
    }
  }
  return lines.join(lineFeed);
}

/** The text without the table at `path` and all tables below it. */
export function removeFromToml(text: string, path: readonly string[]): string {
  const lineFeed = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text.split(/\r?\n/);
  for (;;) {
    const begin = findLine(lines, 0, (line) => isSame(tableOf(line)?.slice(0, path.length), path));
    if (begin < 0) return lines.join(lineFeed);
    const end = tableEnd(lines, begin);
    lines.splice(begin, end - begin);
    // The blank line before it belonged to it.
    if (
      begin > 0 &&
      lines[begin - 1]?.trim() === "" &&
      (lines[begin] ?? "").trim() === "" &&
      begin < lines.length
    )
      lines.splice(begin - 1, 1);
  }
}

// Up to the next table. Remarks directly above that one belong to it; those at the end of the file to nobody.
function tableEnd(lines: readonly string[], begin: number): number {
  const next = findLine(lines, begin + 1, (line) => /^\s*\[/.test(line));
  const last = next < 0 ? lines.length - (lines.at(-1) === "" ? 1 : 0) : next;
  let end = begin + 1;
  for (const { at, after, line } of statements(lines, begin + 1))
    if (at < last && !/^\s*#/.test(line)) end = after;
  return end;
}

// The first line that begins a heading, a setting or a remark, and is as wanted; -1 if there is none.
function findLine(lines: readonly string[], from: number, isWanted: (line: string) => boolean): number {
  for (const { at, line } of statements(lines, from)) if (isWanted(line)) return at;
  return -1;
}

// Headings, settings, remarks and blank lines, with their first line and the one after them: a line of a text or a list
// is none, whatever it looks like.
function* statements(
  lines: readonly string[],
  from: number,
): Generator<{ at: number; after: number; line: string }> {
  for (let at = from; at < lines.length; ) {
    const line = lines[at] ?? "";
    const after = at + (/^\s*(?:[[#]|$)/.test(line) ? 1 : linesOfValue(lines, at));
    yield { at, after, line };
    at = after;
  }
}

/** The keys of a table's heading: `[a."b c"]` gives `a` and `b c`. */
function tableOf(line: string): string[] | undefined {
  if (!/^\s*\[[^[]/.test(line)) return undefined;
  try {
    return pathOf(Bun.TOML.parse(line));
  } catch {
    // Not a heading that we can read.
    return undefined;
  }
}

function keyIn(line: string): string | undefined {
  const written = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/.exec(
    line,
  )?.[1];
  if (written === undefined) return undefined;
  const [key, ...deeper] = pathOf(Bun.TOML.parse(`${written} = {}`));
  return deeper.length === 0 ? key : undefined;
}

function pathOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const [only] = Object.entries(value);
  return only ? [only[0], ...pathOf(only[1])] : [];
}

// A list may span several lines: as many as complete it.
function linesOfValue(lines: readonly string[], begin: number): number {
  for (let count = 1; begin + count <= lines.length; count++) {
    try {
      Bun.TOML.parse(lines.slice(begin, begin + count).join("\n"));
      return count;
    } catch {
      // Not complete yet.
    }
  }
  throw new Unreadable(`line ${begin + 1}: the value has no end`);
}

/**
 * The remark after a value, with the blanks before it. A `#` inside a text is none, because the part before it is
 * incomplete.
 */
function remarkBehind(setting: string): string {
  for (let at = setting.indexOf("#"); at >= 0; at = setting.indexOf("#", at + 1)) {
    const before = setting.slice(0, at);
    try {
      Bun.TOML.parse(before);
      return setting.slice(before.trimEnd().length);
    } catch {
      // Inside a text or a list.
    }
  }
  return "";
}

// The shortest prefix that no further line can complete is hard to find. Finds the first that fails for a reason other
// than its end.
function faultyLine(text: string): number | undefined {
  const lines = text.split(/\r?\n/);
  let begin = 0;
  for (let end = 1; end <= lines.length; end++) {
    try {
      Bun.TOML.parse(lines.slice(begin, end).join("\n"));
      begin = end;
    } catch {
      // It may only need more lines.
    }
  }
  return begin < lines.length ? begin + 1 : undefined;
}

function entriesOf(values: Record<string, unknown>): string[] {
  return Object.entries(values).map(([key, value]) => `${keyText(key)} = ${valueText(value)}`);
}

function keyText(key: string): string {
  return /^[\w-]+$/.test(key) ? key : stringText(key);
}

// TOML's basic strings are JSON's, except that DEL must be escaped.
function stringText(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007F");
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = entriesOf({ ...value });
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" ? stringText(value) : String(value);
}

function isSame(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return one !== undefined && one.length === other.length && one.every((key, index) => key === other[index]);
}
