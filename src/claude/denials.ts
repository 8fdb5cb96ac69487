// Tools that a session was not allowed to use, and what would allow them.
import { toolRuleList } from "../model/options.ts";
import type { Denial, Mismatch, Remedy } from "../model/outcome.ts";
import { ruleOf } from "../model/rule-text.ts";
import { unreachable } from "../model/unreachable.ts";
import type { CallContext, GivenOptions } from "./call-context.ts";
import { commandRemedy, commandTexts } from "./command-remedy.ts";
import { accessTo } from "./file-access.ts";
import type { InitMessage, ResultMessage } from "./message.ts";
import type { Refusal } from "./refusals.ts";
import { toolsThatReachOut } from "./settings.ts";
import { coversCommand, fileWriters, mismatchOf, type ToolRule, toolRuleOf } from "./tool-rules.ts";

type DeniedCall = ResultMessage["permission_denials"][number];
type Options = Extract<Remedy, { kind: "options" }>;

/** The parts of a transcript that describe denials. */
export interface DenialEvidence {
  /** All results of the session. */
  results: readonly ResultMessage[];
  init?: InitMessage | undefined;
  /** Calls that gave an error instead of a result, by id. */
  refusals: ReadonlyMap<string, Refusal>;
}

/** Denied calls, and calls of tools that an option removed. */
export function denialsOf({ results, init, refusals }: DenialEvidence, given: GivenOptions = {}): Denial[] {
  const session = {
    given,
    workingDirectory: init?.cwd ?? "/",
    mode: init?.permissionMode ?? given.permissionMode ?? "default",
  };
  const calls = results.flatMap(({ permission_denials }) => permission_denials);
  // A later result may repeat the calls of an earlier one.
  const distinct = calls.filter(
    ({ tool_use_id }, index) =>
      tool_use_id === undefined || calls.findIndex((call) => call.tool_use_id === tool_use_id) === index,
  );
  const denied = distinct.map((call) => {
    const refusal = refusals.get(call.tool_use_id ?? "");
    const context = { ...session, message: refusal?.message ?? "", byHook: refusal?.byHook ?? false };
    return denialOf(call, context);
  });
  return [...denied, ...absentTools(refusals, given)];
}

function denialOf({ tool_name: tool, tool_input: input }: DeniedCall, context: CallContext): Denial {
  const found =
    obstacleTo(context) ??
    protectedPath(tool, input) ??
    disallowed(tool, input, context) ??
    optionsFor(tool, input, context);
  const remedy = found.kind === "options" ? withoutGiven(found, context) : found;
  const unmatched = remedy.kind === "options" ? unmatchedRule(tool, input, context) : undefined;
  return {
    tool,
    rule: (remedy.kind === "options" && remedy.allowedTools?.join(",")) || callAsRule(tool, input),
    remedy,
    ...(unmatched ? { unmatched } : {}),
  };
}

// No rule overrides these, not even one for the whole tool.
function obstacleTo({ message, byHook }: CallContext): Remedy | undefined {
  if (byHook || /^\w+:\S+ hook error: /.test(message)) return { kind: "none", obstacle: "hook" };
  if (/which is a sensitive file\.$/.test(message)) return { kind: "none", obstacle: "protected-path" };
  if (/contains a suspicious Windows path pattern/.test(message))
    return { kind: "none", obstacle: "odd-path" };
  if (/cannot be auto-allowed by permission rules/.test(message))
    return { kind: "none", obstacle: "dangerous" };
  if (/denied by your permission settings/.test(message)) return { kind: "none", obstacle: "settings-deny" };
  // The generic text for any tool, although Bash has its own texts: a rule that asks wins over one that allows.
  if (/^Claude requested permissions to use Bash,/.test(message))
    return { kind: "none", obstacle: "settings-ask" };
  return undefined;
}

// The message says so if a rule for the whole tool was given; without one, it is the same as for other files.
function protectedPath(tool: string, input: DeniedCall["tool_input"]): Remedy | undefined {
  const path = pathIn(input);
  return path !== undefined && fileWriters.has(tool) && /(?:^|[\\/])\.(?:claude|git)[\\/]/i.test(path)
    ? { kind: "none", obstacle: "protected-path" }
    : undefined;
}

// Does not advise what was given already and did not help.
function withoutGiven(remedy: Options, { given, mode }: CallContext): Remedy {
  if (remedy.notDisallowed) return remedy;
  const rules = toolRuleList(given.allowedTools ?? []);
  const allowedTools = remedy.allowedTools?.filter((rule) => !rules.includes(rule)) ?? [];
  const addDirectories = remedy.addDirectories?.filter((path) => !given.addDirectories?.includes(path)) ?? [];
  const isOther = remedy.permissionMode !== undefined && remedy.permissionMode !== mode;
  const helps = allowedTools.length > 0 || addDirectories.length > 0 || isOther || remedy.tools;
  return helps ? remedy : { kind: "none", obstacle: "all-given" };
}

// A rule that denies wins over all that allow. The task's own can be removed; one in the settings cannot.
function disallowed(tool: string, input: DeniedCall["tool_input"], context: CallContext): Remedy | undefined {
  if (!/^Permission to use [\s\S]* has been denied\.$/.test(context.message)) return undefined;
  const rules = toolRuleList(context.given.disallowedTools ?? []).map(toolRuleOf);
  const winning = rules.filter((rule) => concerns(rule, tool, input));
  if (winning.length === 0) return { kind: "none", obstacle: "settings-deny" };
  const notDisallowed = winning.map(({ text }) => text);
  const own = optionsFor(tool, input, { ...context, message: "" });
  // If nothing else is known to block it, removing the rules is enough.
  return own.kind === "none" || own.broad === "unknown"
    ? { kind: "options", notDisallowed }
    : { ...own, notDisallowed };
}

function concerns(rule: ToolRule, tool: string, input: DeniedCall["tool_input"]): boolean {
  const command = input["command"];
  if (tool !== "Bash" || typeof command !== "string") return rule.tool === tool;
  return commandTexts(command).some((text) => coversCommand(rule, text));
}

function optionsFor(tool: string, input: DeniedCall["tool_input"], context: CallContext): Remedy {
  const remedy = remedyByTool(tool, input, context);
  // Plan mode writes nothing, whatever is allowed.
  return remedy.kind === "options" && context.mode === "plan"
    ? { permissionMode: "default", ...remedy }
    : remedy;
}

function remedyByTool(tool: string, input: DeniedCall["tool_input"], context: CallContext): Remedy {
  const { command, url } = input;
  if (tool === "Bash" && typeof command === "string") return commandRemedy(command, context);
  const path = pathIn(input);
  if (path !== undefined) return pathRemedy(path, tool, context);
  if (tool === "WebFetch" && typeof url === "string" && URL.canParse(url)) {
    const rule = ruleOf("WebFetch", `domain:${new URL(url).hostname}`);
    if (rule !== undefined) return { kind: "options", allowedTools: [rule] };
  }
  return { kind: "options", allowedTools: [tool] };
}

function pathRemedy(path: string, tool: string, context: CallContext): Remedy {
  const isWrite = fileWriters.has(tool);
  const access = accessTo(path, isWrite ? "write" : "read", context);
  switch (access.kind) {
    case "allowed":
      return { kind: "options", ...(isWrite ? { permissionMode: "acceptEdits" } : { allowedTools: [tool] }) };
    case "rule":
      return { kind: "options", allowedTools: [access.rule] };
    case "directory": {
      const addDirectories = [access.directory];
      return { kind: "options", addDirectories, ...(isWrite ? { permissionMode: "acceptEdits" } : {}) };
    }
    case "unnameable":
      return { kind: "none", obstacle: "odd-path" };
    default:
      return unreachable(access);
  }
}

function pathIn(input: DeniedCall["tool_input"]): string | undefined {
  const { file_path, notebook_path, path } = input;
  return [file_path, notebook_path, path].find((value) => typeof value === "string");
}

function unmatchedRule(
  tool: string,
  input: DeniedCall["tool_input"],
  { given }: CallContext,
): { rule: string; why: Mismatch } | undefined {
  const { command } = input;
  const commands = tool === "Bash" && typeof command === "string" ? commandTexts(command) : [];
  for (const rule of toolRuleList(given.allowedTools ?? []).map(toolRuleOf)) {
    const why = mismatchOf(rule, tool, commands);
    if (why) return { rule: rule.text, why };
  }
  return undefined;
}

// If an option other than a rule helps, or nothing: the command itself, or the tool's name.
function callAsRule(tool: string, input: DeniedCall["tool_input"]): string {
  const { command } = input;
  return typeof command === "string" ? `${tool}(${command})` : tool;
}

// Claude Code does not count these as denials, because it has no such tool. For the caller, they are.
function absentTools(refusals: ReadonlyMap<string, Refusal>, given: GivenOptions): Denial[] {
  const names = [...refusals.values()].flatMap(({ message }) => {
    const name = /No such tool available: ([A-Z]\w+)\./.exec(message)?.[1];
    return name === undefined ? [] : [name];
  });
  const disallowedNames = toolRuleList(given.disallowedTools ?? []);
  const present = given.tools === undefined ? undefined : toolRuleList(given.tools);
  return [...new Set(names)].flatMap((tool): Denial[] => {
    if (disallowedNames.includes(tool)) return [{ tool, rule: tool, remedy: notDisallowed(tool) }];
    const leftOut = present !== undefined && !present.includes(tool) && !present.includes("default");
    if (deniedByDefault.has(tool)) {
      const tools = leftOut ? { tools: [tool] } : {};
      return [{ tool, rule: tool, remedy: { kind: "options", allowedTools: [tool], ...tools } }];
    }
    if (leftOut) return [{ tool, rule: tool, remedy: { kind: "options", tools: [tool] } }];
    return [];
  });
}

// The call never reached the permission check, so its further needs are unknown. For Bash, the next denial names the
// rule.
function notDisallowed(tool: string): Remedy {
  const own = fileWriters.has(tool)
    ? { permissionMode: "acceptEdits" as const }
    : tool === "Bash"
      ? {}
      : { allowedTools: [tool] };
  return { kind: "options", ...own, notDisallowed: [tool] };
}

/** Tools that sessions lack unless `allowedTools` names them. */
const deniedByDefault: ReadonlySet<string> = new Set(toolsThatReachOut);
