// What a tool call is about, for people: its subject in a line, and what it changes, runs or lists.
import { cut } from "../../model/cut.ts";
import { shownPath } from "../../platform/paths.ts";
import { countText, numberText } from "../amounts.ts";
import { linesOf } from "../diff/text-diff.ts";
import { harmless, oneLine } from "../harmless.ts";

const longestSubject = 200;
const longestValue = 160;

/** A call. `subject` is harmless. */
export interface ToolCall {
  /** In a line; empty if there is nothing to say. */
  subject: string;
  /** Whether it goes on in the background. */
  isBehind?: boolean;
  body: CallBody;
}

/** What a call has beside its subject, unchanged. */
type CallBody =
  /** Nothing that its values would not say. */
  | { kind: "values" }
  /** A command with all its lines. */
  | { kind: "command"; lines: readonly string[] }
  /** Parts of a file that become others. */
  | { kind: "changes"; changes: readonly Change[] }
  /** What is written. */
  | { kind: "written"; lines: readonly string[] }
  /** A list of things to do, with a sign before each. */
  | { kind: "items"; items: readonly (readonly [sign: string, text: string])[] };

/** The lines of a part of a file, and those that take its place. */
export interface Change {
  before: readonly string[];
  after: readonly string[];
}

type Input = Record<string, unknown>;
/** `directory`: paths are shown relative to it. */
type Teller = (input: Input, directory: string) => ToolCall | undefined;

/** The call of a tool; `input` is JSON. Unexpected input is shown as names and values. */
export function toolCall(tool: string, input: string, directory: string): ToolCall {
  const parsed: unknown = JSON.parse(input);
  const values: Input =
    typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : {};
  const told = Object.hasOwn(tellers, tool) ? tellers[tool]?.(values, directory) : undefined;
  return told ?? { subject: valuesText(parsed, values, directory), body: { kind: "values" } };
}

function only(subject: string | undefined): ToolCall | undefined {
  return subject === undefined ? undefined : { subject, body: { kind: "values" } };
}

const read: Teller = (input, directory) => {
  const path = pathIn(input, "file_path", directory);
  const [offset, limit] = [numberIn(input, "offset"), numberIn(input, "limit")];
  const pages = textIn(input, "pages");
  const first = offset ?? 1;
  const lines =
    limit !== undefined
      ? `, lines ${first} to ${first + limit - 1}`
      : offset === undefined
        ? ""
        : `, from line ${offset}`;
  return only(path && `${path}${lines}${pages === undefined ? "" : `, pages ${oneLine(pages, 40)}`}`);
};

const write: Teller = (input, directory) => {
  const [path, content] = [pathIn(input, "file_path", directory), textIn(input, "content")];
  if (path === undefined || content === undefined) return undefined;
  const lines = linesOf(content);
  return { subject: `${path} (${countText(lines.length, "line")})`, body: { kind: "written", lines } };
};

const edit: Teller = (input, directory) => {
  const path = pathIn(input, "file_path", directory);
  const list = Array.isArray(input["edits"]) ? input["edits"] : [input];
  const changes = list.map((one: unknown) =>
    changeIn(typeof one === "object" && one !== null ? { ...one } : {}),
  );
  if (path === undefined || changes.some((one) => one === undefined)) return undefined;
  const everywhere = input["replace_all"] === true ? " (in every place)" : "";
  return {
    subject: `${path}${everywhere}`,
    body: { kind: "changes", changes: changes.flatMap((one) => one ?? []) },
  };
};

function changeIn(input: Input): Change | undefined {
  const [before, after] = [textIn(input, "old_string"), textIn(input, "new_string")];
  if (before === undefined || after === undefined) return undefined;
  return { before: linesOf(before), after: linesOf(after) };
}

const notebookEdit: Teller = (input, directory) => {
  const path = pathIn(input, "notebook_path", directory);
  if (path === undefined) return undefined;
  const cell = textIn(input, "cell_id");
  const mode = textIn(input, "edit_mode");
  const facts = [cell && `cell ${oneLine(cell, 40)}`, mode && oneLine(mode, 40)].filter(Boolean).join(", ");
  const lines = linesOf(textIn(input, "new_source") ?? "");
  return { subject: `${path}${facts === "" ? "" : ` (${facts})`}`, body: { kind: "written", lines } };
};

const bash: Teller = (input) => {
  const command = textIn(input, "command");
  if (command === undefined) return undefined;
  const lines = linesOf(command.trim());
  return {
    subject: cut(harmless(lines[0] ?? ""), longestSubject),
    isBehind: input["run_in_background"] === true,
    body: { kind: "command", lines },
  };
};

const search: Teller = (input, directory) => {
  const pattern = textIn(input, "pattern");
  if (pattern === undefined) return undefined;
  const path = pathIn(input, "path", directory);
  const files = textIn(input, "glob") ?? textIn(input, "type");
  const place = path === undefined || path === "." ? "" : ` in ${path}`;
  return only(
    `${oneLine(pattern, longestSubject)}${place}${files === undefined ? "" : `, files ${oneLine(files, 80)}`}`,
  );
};

const agent: Teller = (input) => {
  const what = textIn(input, "description") ?? textIn(input, "prompt");
  if (what === undefined) return undefined;
  const type = textIn(input, "subagent_type");
  return only(`${type === undefined ? "" : `${oneLine(type, 60)}: `}${oneLine(what, longestSubject)}`);
};

const todoSigns = new Map<unknown, string>([
  ["completed", "[x]"],
  ["in_progress", "[>]"],
]);

const todoWrite: Teller = (input) => {
  const { todos } = input;
  if (!Array.isArray(todos)) return undefined;
  const items = todos.map((todo: unknown) => {
    const item: Input = typeof todo === "object" && todo !== null ? { ...todo } : {};
    return [todoSigns.get(item["status"]) ?? "[ ]", textIn(item, "content") ?? ""] as const;
  });
  const done = items.filter(([sign]) => sign === "[x]").length;
  const subject = `${numberText(done)} of ${countText(items.length, "item")} done`;
  return { subject, body: { kind: "items", items } };
};

const webFetch: Teller = (input) => {
  const [url, prompt] = [textIn(input, "url"), textIn(input, "prompt")];
  if (url === undefined) return undefined;
  return only(
    `${oneLine(url, longestSubject)}${prompt === undefined ? "" : ` · ${oneLine(prompt, longestValue)}`}`,
  );
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

// A single command, file or pattern is shown alone; several values, each with its name.
function valuesText(parsed: unknown, values: Input, directory: string): string {
  const said = Object.entries(values).filter(([name]) => name !== "description");
  const entries = said.length > 0 ? said : Object.entries(values);
  if (entries.length === 0) return isNothing(parsed) ? "" : oneLine(JSON.stringify(parsed), longestValue);
  const texts = entries.map(([name, value]): [name: string, text: string] => {
    if (typeof value !== "string") return [name, JSON.stringify(value)];
    return [name, /path|file|dir/i.test(name) ? shownPath(value, directory) : value];
  });
  const [first] = texts;
  if (texts.length === 1 && first && typeof values[first[0]] === "string")
    return oneLine(first[1], longestSubject);
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

function pathIn(input: Input, name: string, directory: string): string | undefined {
  const path = textIn(input, name);
  return path === undefined ? undefined : oneLine(shownPath(path, directory), longestSubject);
}
