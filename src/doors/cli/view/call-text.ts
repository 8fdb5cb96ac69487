// A tool call for people: a line with its subject, and below it the few lines that show what it changes.
import { cut } from "../../../model/cut.ts";
import { shownPath } from "../../../platform/paths.ts";
import { countText, numberText } from "../../../report/amounts.ts";
import { harmless, oneLine } from "../../../report/harmless.ts";
import type { Printer } from "../terminal/terminal.ts";

const longestSubject = 200;
const longestValue = 160;
const longestLine = 200;
const mostLines = 12;

/** How to show a call. */
export interface CallStyle {
  paint: Printer["paint"];
  /** Paths are shown relative to it. */
  directory: string;
}

type Input = Record<string, unknown>;
type Teller = (input: Input, style: CallStyle) => string | undefined;

/** The call, without its mark; `input` is JSON. Unexpected input is shown as names and values. */
export function callText(tool: string, input: string, style: CallStyle): string {
  const parsed: unknown = JSON.parse(input);
  const values: Input =
    typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : {};
  const told = Object.hasOwn(tellers, tool) ? tellers[tool]?.(values, style) : undefined;
  return `${style.paint("cyan", oneLine(tool, 100))} ${told ?? valuesText(parsed, values, style)}`.trimEnd();
}

const read: Teller = (input, style) => {
  const path = pathIn(input, "file_path", style);
  const [offset, limit] = [numberIn(input, "offset"), numberIn(input, "limit")];
  const pages = textIn(input, "pages");
  const first = offset ?? 1;
  const lines =
    limit !== undefined
      ? `, lines ${first} to ${first + limit - 1}`
      : offset === undefined
        ? ""
        : `, from line ${offset}`;
  return path && `${path}${lines}${pages === undefined ? "" : `, pages ${oneLine(pages, 40)}`}`;
};

const write: Teller = (input, style) => {
  const [path, content] = [pathIn(input, "file_path", style), textIn(input, "content")];
  if (path === undefined || content === undefined) return undefined;
  const lines = linesIn(content);
  return below(
    `${path} (${countText(lines.length, "line")})`,
    lines.map((line) => ["+", line]),
    style,
  );
};

const edit: Teller = (input, style) => {
  const path = pathIn(input, "file_path", style);
  const list = Array.isArray(input["edits"]) ? input["edits"] : [input];
  const edits = list.map((one: unknown) =>
    changeOf(typeof one === "object" && one !== null ? { ...one } : {}),
  );
  if (path === undefined || edits.some((one) => one === undefined)) return undefined;
  const everywhere = input["replace_all"] === true ? " (in every place)" : "";
  return below(
    `${path}${everywhere}`,
    edits.flatMap((one) => one ?? []),
    style,
  );
};

const notebookEdit: Teller = (input, style) => {
  const path = pathIn(input, "notebook_path", style);
  if (path === undefined) return undefined;
  const cell = textIn(input, "cell_id");
  const mode = textIn(input, "edit_mode");
  const facts = [cell && `cell ${oneLine(cell, 40)}`, mode && oneLine(mode, 40)].filter(Boolean).join(", ");
  const source = linesIn(textIn(input, "new_source") ?? "");
  return below(
    `${path}${facts === "" ? "" : ` (${facts})`}`,
    source.map((line) => ["+", line]),
    style,
  );
};

const bash: Teller = (input, style) => {
  const command = textIn(input, "command");
  if (command === undefined) return undefined;
  const [first = "", ...others] = linesIn(command.trim());
  const behind = input["run_in_background"] === true ? style.paint("faint", " (in the background)") : "";
  return below(
    `${cut(harmless(first), longestSubject)}${behind}`,
    others.map((line) => ["", line]),
    style,
  );
};

const search: Teller = (input, style) => {
  const pattern = textIn(input, "pattern");
  if (pattern === undefined) return undefined;
  const path = pathIn(input, "path", style);
  const files = textIn(input, "glob") ?? textIn(input, "type");
  const place = path === undefined || path === "." ? "" : ` in ${path}`;
  return `${oneLine(pattern, longestSubject)}${place}${files === undefined ? "" : `, files ${oneLine(files, 80)}`}`;
};

const agent: Teller = (input) => {
  const what = textIn(input, "description") ?? textIn(input, "prompt");
  if (what === undefined) return undefined;
  const type = textIn(input, "subagent_type");
  return `${type === undefined ? "" : `${oneLine(type, 60)}: `}${oneLine(what, longestSubject)}`;
};

const todoSigns = new Map<unknown, string>([
  ["completed", "[x]"],
  ["in_progress", "[>]"],
]);

const todoWrite: Teller = (input, style) => {
  const { todos } = input;
  if (!Array.isArray(todos)) return undefined;
  const items = todos.map((todo: unknown): Mark => {
    const item: Input = typeof todo === "object" && todo !== null ? { ...todo } : {};
    return [todoSigns.get(item["status"]) ?? "[ ]", textIn(item, "content") ?? ""];
  });
  const done = items.filter(([sign]) => sign === "[x]").length;
  return below(`${numberText(done)} of ${countText(items.length, "item")} done`, items, style);
};

const webFetch: Teller = (input) => {
  const [url, prompt] = [textIn(input, "url"), textIn(input, "prompt")];
  if (url === undefined) return undefined;
  return `${oneLine(url, longestSubject)}${prompt === undefined ? "" : ` · ${oneLine(prompt, longestValue)}`}`;
};

const tellers: Record<string, Teller> = {
  Agent: agent,
  Bash: bash,
  Edit: edit,
  Glob: search,
  Grep: search,
  MultiEdit: edit,
  NotebookEdit: notebookEdit,
  PowerShell: bash,
  Read: read,
  Task: agent,
  TodoWrite: todoWrite,
  WebFetch: webFetch,
  Write: write,
};

/** A line, and the sign before it. */
type Mark = [sign: string, line: string];

// What changes, with at most one unchanged line before and after it.
function changeOf(input: Input): Mark[] | undefined {
  const [before, after] = [textIn(input, "old_string"), textIn(input, "new_string")];
  if (before === undefined || after === undefined) return undefined;
  const [old, next] = [linesIn(before), linesIn(after)];
  const most = Math.min(old.length, next.length);
  let start = 0;
  while (start < most && old[start] === next[start]) start++;
  let end = 0;
  while (end < most - start && old.at(-1 - end) === next.at(-1 - end)) end++;
  const same = (line: string | undefined): Mark[] => (line === undefined ? [] : [[" ", line]]);
  return [
    ...same(old[start - 1]),
    ...old.slice(start, old.length - end).map((line): Mark => ["-", line]),
    ...next.slice(start, next.length - end).map((line): Mark => ["+", line]),
    ...same(end === 0 ? undefined : old.at(-end)),
  ];
}

const colours = { "-": "red", "+": "green" } as const;

function below(head: string, marks: readonly Mark[], { paint }: CallStyle): string {
  const shown = marks.slice(0, mostLines).map(([sign, line]) => {
    const text = `${sign === "" ? "" : `${sign} `}${cut(harmless(line), longestLine)}`.trimEnd();
    return sign === "-" || sign === "+" ? paint(colours[sign], text) : text;
  });
  const left = marks.length - shown.length;
  const rest = left > 0 ? [paint("faint", `… ${countText(left, "more line")}`)] : [];
  return [head, ...shown, ...rest].join("\n");
}

// A single command, file or pattern is shown alone; several values, each with its name.
function valuesText(parsed: unknown, values: Input, style: CallStyle): string {
  const said = Object.entries(values).filter(([name]) => name !== "description");
  const entries = said.length > 0 ? said : Object.entries(values);
  if (entries.length === 0) return isNothing(parsed) ? "" : oneLine(JSON.stringify(parsed), longestValue);
  const texts = entries.map(([name, value]): [name: string, text: string] => {
    if (typeof value !== "string") return [name, JSON.stringify(value)];
    return [name, /path|file|dir/i.test(name) ? shownPath(value, style.directory) : value];
  });
  const [only] = texts;
  if (texts.length === 1 && only && typeof values[only[0]] === "string")
    return oneLine(only[1], longestSubject);
  const pairs = texts.map(([name, text]) => `${oneLine(name, 40)}: ${oneLine(text, 100)}`);
  return cut(pairs.join(", "), longestSubject);
}

function isNothing(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function textIn(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === "string" ? value : undefined;
}

function numberIn(input: Input, name: string): number | undefined {
  const value = input[name];
  return typeof value === "number" ? value : undefined;
}

function pathIn(input: Input, name: string, { directory }: CallStyle): string | undefined {
  const path = textIn(input, name);
  return path === undefined ? undefined : oneLine(shownPath(path, directory), longestSubject);
}

function linesIn(text: string): string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
}
