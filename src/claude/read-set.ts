// What a session read, from its transcript: every call of a tool by the session and its subagents.
import { z } from "zod";
import { absolutePath, dirname, isAbsolute } from "../platform/paths.ts";
import { parseJson } from "./json-scan.ts";
import type { Line } from "./lines.ts";
import { type Look, lookKey } from "./looks.ts";
import { TranscriptLines, type TranscriptRange } from "./transcript-lines.ts";

/** Everything that a session is known to have read. */
export interface ReadSet {
  looks: Look[];
  /** Directories in which it read a file: Claude Code reads the instructions there by itself. */
  directories: string[];
  /** What it did that leaves its reads unknown, as it follows "the session": "used Bash". */
  unknown: string[];
  /** Tools by which it may have changed files. */
  wrote: string[];
  /** The version of Claude Code. */
  version?: string;
  /** The model that answered, as Claude Code names it. */
  model?: string;
}

const text = z.string().optional().catch(undefined);

const initShape = z.object({
  type: z.literal("system"),
  subtype: z.literal("init"),
  cwd: text,
  model: text,
  claude_code_version: text,
  plugins: z.array(z.object({ path: text }).catch({ path: undefined })).catch([]),
  memory_paths: z.object({ auto: text }).optional().catch(undefined),
});
const hookShape = z.object({ type: z.literal("system"), subtype: z.enum(["hook_started", "hook_response"]) });
const notificationShape = z.object({
  type: z.literal("system"),
  subtype: z.literal("task_notification"),
  tool_use_id: text,
  usage: z.object({ tool_uses: z.number() }).optional().catch(undefined),
});
const assistantShape = z.object({
  type: z.literal("assistant"),
  parent_tool_use_id: z.string().nullish().catch(undefined),
  message: z.object({ content: z.array(z.unknown()).catch([]) }),
});
const toolUseShape = z.object({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()).catch({}),
});
const userShape = z.object({
  type: z.literal("user"),
  message: z.object({ content: z.array(z.unknown()).catch([]) }),
});
const failureShape = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  is_error: z.literal(true),
});

interface Call {
  id: string;
  name: string;
  input: Record<string, unknown>;
  /** The call of the subagent that made it; undefined for the session itself. */
  parent?: string | undefined;
}

/** What a session read, in its part of a transcript. Throws if there is no transcript. */
export function readSetOf(transcript: string, workingDirectory: string, range?: TranscriptRange): ReadSet {
  using lines = new TranscriptLines(transcript, range);
  const found = new Transcript(workingDirectory);
  for (const line of lines.rest()) found.add(line);
  return found.readSet();
}

class Transcript {
  readonly #calls: Call[] = [];
  readonly #failed = new Set<string>();
  /** How many tools a subagent says that it has used, by the call that started it. */
  readonly #toolUses = new Map<string, number>();
  readonly #looks = new Map<string, Look>();
  readonly #directories = new Set<string>();
  readonly #unknown = new Set<string>();
  readonly #wrote = new Set<string>();
  #cwd: string;
  #version: string | undefined;
  #model: string | undefined;

  constructor(workingDirectory: string) {
    this.#cwd = workingDirectory;
  }

  add(line: Line): void {
    if (line.kind === "oversized") {
      if (!isOfNoCall(line)) this.#unknown.add("said more in one message than is read");
      return;
    }
    const value = parseJson(line.text);
    if (typeof value !== "object" || value === null || !("type" in value)) return;
    if (value.type === "assistant") this.#assistant(value);
    else if (value.type === "user") this.#user(value);
    else if (value.type === "system") this.#system(value);
  }

  readSet(): ReadSet {
    for (const call of this.#calls) this.#look(call);
    return {
      looks: [...this.#looks.values()],
      directories: [...this.#directories],
      unknown: [...this.#unknown],
      wrote: [...this.#wrote],
      ...(this.#version === undefined ? {} : { version: this.#version }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
    };
  }

  #assistant(value: object): void {
    const parsed = assistantShape.safeParse(value);
    if (!parsed.success) {
      this.#unknown.add("said something that is not understood");
      return;
    }
    const { message, parent_tool_use_id } = parsed.data;
    for (const block of message.content) {
      const use = toolUseShape.safeParse(block);
      if (use.success) this.#calls.push({ ...use.data, parent: parent_tool_use_id ?? undefined });
      else if (isServerTool(block)) this.#unknown.add("used a tool of the API");
    }
  }

  #user(value: object): void {
    const parsed = userShape.safeParse(value);
    for (const block of parsed.data?.message.content ?? []) {
      const failure = failureShape.safeParse(block);
      if (failure.success) this.#failed.add(failure.data.tool_use_id);
    }
  }

  #system(value: object): void {
    const init = initShape.safeParse(value).data;
    if (init) this.#init(init);
    if (hookShape.safeParse(value).success) this.#unknown.add("ran hooks");
    const notification = notificationShape.safeParse(value).data;
    if (notification?.tool_use_id !== undefined && notification.usage)
      this.#toolUses.set(notification.tool_use_id, notification.usage.tool_uses);
  }

  #init({ cwd, model, claude_code_version, plugins, memory_paths }: z.infer<typeof initShape>): void {
    this.#cwd = cwd ?? this.#cwd;
    this.#model = model ?? this.#model;
    this.#version = claude_code_version ?? this.#version;
    // Claude Code's own are part of its version. Others may run hooks.
    if (plugins.some(({ path }) => path !== "builtin")) this.#unknown.add("had plugins");
    const memory = memory_paths?.auto;
    if (memory !== undefined) this.#add({ kind: "file", path: absolutePath("MEMORY.md", memory) });
  }

  #look(call: Call): void {
    const { name } = call;
    const kind = Object.hasOwn(tools, name) ? tools[name] : undefined;
    if (kind === "writes") this.#wrote.add(name);
    else if (kind === undefined) this.#unknown.add(`used ${toolText(name)}`);
    else if (kind === "agent") this.#agent(call);
    else if (kind !== "nothing") this.#reads(call, kind);
  }

  #reads({ id, input }: Call, kind: "file" | "search" | "glob" | "listing"): void {
    const path = given(input, kind === "file" ? ["file_path", "notebook_path"] : ["path"]);
    if (kind === "file") {
      if (path === undefined) this.#unknown.add("read a file without a name");
      else this.#file(this.#absolute(path), this.#failed.has(id));
      return;
    }
    const at = this.#absolute(path ?? this.#cwd);
    if (kind === "listing") this.#add({ kind, path: at });
    else if (kind === "search") this.#search(at, input);
    else this.#glob(at, given(input, ["pattern"]) ?? "");
  }

  #file(path: string, failed: boolean): void {
    this.#add({ kind: "file", path });
    this.#directories.add(dirname(path));
    // What is not there is answered with names that are like it.
    if (failed) this.#add({ kind: "names", path: dirname(path) });
  }

  #search(path: string, { glob }: Record<string, unknown>): void {
    const endings = typeof glob === "string" ? endingsOf(glob) : undefined;
    this.#add({ kind: "search", path, ...(endings ? { endings } : {}) });
    this.#directories.add(path);
  }

  // Without a plain name at its end, it is not known whether it matches files of version control.
  #glob(path: string, pattern: string): void {
    const last = pattern.split("/").at(-1) ?? "";
    const isPlain = /[\w-]$/.test(last) && !/\.\.|\.git\b|~|\\/.test(pattern) && /[.]\w|^\w+$/.test(last);
    const base = isAbsolute(pattern)
      ? pattern.slice(0, pattern.search(/[*?[{]|$/)).replace(/\/[^/]*$/, "")
      : path;
    if (isPlain && base !== "") this.#add({ kind: "listing", path: base });
    else this.#unknown.add("used Glob with a pattern that may match anything");
  }

  // Its calls are in the transcript; it says how many there were. One that starts others does not.
  #agent({ id, parent }: Call): void {
    const seen = this.#calls.filter((call) => call.parent === id).length;
    const uses = this.#toolUses.get(id);
    if (parent !== undefined || uses === undefined || uses > seen)
      this.#unknown.add("had a subagent whose reads are not known");
  }

  #absolute(path: string): string {
    return absolutePath(path, this.#cwd);
  }

  #add(one: Look): void {
    this.#looks.set(lookKey(one), one);
  }
}

type Kind = "nothing" | "file" | "search" | "glob" | "listing" | "agent" | "writes";

// What each tool reads. One that is not listed, of this version or a later one, reads what nobody knows.
const tools: Record<string, Kind | undefined> = {
  Read: "file",
  NotebookRead: "file",
  Grep: "search",
  Glob: "glob",
  LS: "listing",
  Agent: "agent",
  Task: "agent",
  AskUserQuestion: "nothing",
  EnterPlanMode: "nothing",
  ExitPlanMode: "nothing",
  ReportFindings: "nothing",
  StructuredOutput: "nothing",
  TaskCreate: "nothing",
  TaskGet: "nothing",
  TaskList: "nothing",
  TaskUpdate: "nothing",
  TodoRead: "nothing",
  TodoWrite: "nothing",
  ToolSearch: "nothing",
  Edit: "writes",
  MultiEdit: "writes",
  NotebookEdit: "writes",
  Write: "writes",
};

/** `*.ts`, `**\/*.ts`, `*.{ts,tsx}` → their endings; undefined if it may match anything. */
function endingsOf(glob: string): string[] | undefined {
  const [, ending, several] = /^(?:\*\*\/)?\*(?:(\.[\w.-]+)|\.\{([\w.,-]+)\})$/.exec(glob) ?? [];
  if (ending !== undefined) return [ending];
  return several?.split(",").map((one) => `.${one}`);
}

function given(input: Record<string, unknown>, names: readonly string[]): string | undefined {
  const value = names.map((name) => input[name]).find((one) => typeof one === "string" && one !== "");
  return typeof value === "string" ? value : undefined;
}

// `mcp__server__tool` names a server, which may be a stranger's word.
function toolText(name: string): string {
  if (name.startsWith("mcp__")) return "an MCP tool";
  return /^\w{1,40}$/.test(name) ? name : "an unknown tool";
}

// A search of the web that the API does itself.
function isServerTool(block: unknown): boolean {
  return (
    typeof block === "object" &&
    block !== null &&
    "type" in block &&
    typeof block.type === "string" &&
    /tool_use|tool_result/.test(block.type)
  );
}

// Of an oversized line, only both ends are kept. A result of a tool, or of the session, makes no call.
function isOfNoCall({ head, tail }: Extract<Line, { kind: "oversized" }>): boolean {
  return /^\{"type":"(?:user|result)"/.test(head) || /"type":"result"/.test(tail);
}
