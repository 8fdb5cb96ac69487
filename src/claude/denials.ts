// Tools that a session was not allowed to use, and what lets them through.
import { toolRuleList } from "../model/options.ts";
import type { Denial, Mismatch, Remedy } from "../model/outcome.ts";
import type { CallContext, GivenOptions } from "./call-context.ts";
import { commandRemedy, commandTexts } from "./command-remedy.ts";
import { accessTo } from "./file-access.ts";
import type { InitMessage, ResultMessage } from "./message.ts";
import type { Refusal } from "./refusals.ts";
import { toolsThatReachOut } from "./settings.ts";
import { coversCommand, fileWriters, mismatchOf, type ToolRule, toolRuleOf } from "./tool-rules.ts";

type DeniedCall = ResultMessage["permission_denials"][number];
type Options = Extract<Remedy, { kind: "options" }>;

/** What of a transcript tells about denials. */
export interface DenialEvidence {
  /** All results of the session. */
  results: readonly ResultMessage[];
  init?: InitMessage | undefined;
  /** Calls that gave an error instead of a result, by their ids. */
  refusals: ReadonlyMap<string, Refusal>;
}

/** What was denied: calls that were not allowed, and calls of tools that were taken away by an option. */
export function denialsOf({ results, init, refusals }: DenialEvidence, given: GivenOptions = {}): Denial[] {
  const session = {
    given,
    workingDirectory: init?.cwd ?? "/",
    mode: init?.permissionMode ?? given.permissionMode ?? "default",
  };
  const calls = results.flatMap(({ permission_denials }) => permission_denials);
  // A later result may list the calls of an earlier one again.
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
  const remedy = obstacleTo(context) ?? disallowed(tool, input, context) ?? optionsFor(tool, input, context);
  const unmatched = remedy.kind === "options" ? unmatchedRule(tool, input, context) : undefined;
  return {
    tool,
    rule: (remedy.kind === "options" && remedy.allowedTools?.join(",")) || callAsRule(tool, input),
    remedy,
    ...(unmatched ? { unmatched } : {}),
  };
}

// What these texts stand for is lifted by no rule, not even by one for the whole tool.
function obstacleTo({ message, byHook }: CallContext): Remedy | undefined {
  if (byHook || /^\w+:\S+ hook error: /.test(message)) return { kind: "none", obstacle: "hook" };
  if (/which is a sensitive file\.$/.test(message)) return { kind: "none", obstacle: "protected-path" };
  if (/cannot be auto-allowed by permission rules/.test(message))
    return { kind: "none", obstacle: "dangerous" };
  if (/denied by your permission settings/.test(message)) return { kind: "none", obstacle: "settings-deny" };
  // The text for any tool, where Bash has texts of its own: a rule that asks wins over one that allows.
  if (/^Claude requested permissions to use Bash,/.test(message))
    return { kind: "none", obstacle: "settings-ask" };
  return undefined;
}

// A rule that denies wins over each that allows. One of ours can be taken out; one of the settings cannot.
function disallowed(tool: string, input: DeniedCall["tool_input"], context: CallContext): Remedy | undefined {
  if (!/^Permission to use [\s\S]* has been denied\.$/.test(context.message)) return undefined;
  const rules = toolRuleList(context.given.disallowedTools ?? []).map(toolRuleOf);
  const winning = rules.filter((rule) => concerns(rule, tool, input));
  if (winning.length === 0) return { kind: "none", obstacle: "settings-deny" };
  const notDisallowed = winning.map(({ text }) => text);
  const own = optionsFor(tool, input, { ...context, message: "" });
  // Where nothing else is known to be in the way, taking the rules out is enough.
  return own.broad === "unknown" ? { kind: "options", notDisallowed } : { ...own, notDisallowed };
}

function concerns(rule: ToolRule, tool: string, input: DeniedCall["tool_input"]): boolean {
  const command = input["command"];
  if (tool !== "Bash" || typeof command !== "string") return rule.tool === tool;
  return commandTexts(command).some((text) => coversCommand(rule, text));
}

function optionsFor(tool: string, input: DeniedCall["tool_input"], context: CallContext): Options {
  const options = optionsByTool(tool, input, context);
  // Plan mode writes nothing, whatever is allowed.
  return context.mode === "plan" ? { permissionMode: "default", ...options } : options;
}

function optionsByTool(tool: string, input: DeniedCall["tool_input"], context: CallContext): Options {
  const { command, url } = input;
  if (tool === "Bash" && typeof command === "string") return commandRemedy(command, context);
  const path = pathIn(input);
  if (path !== undefined && fileWriters.has(tool)) return writeRemedy(path, context);
  if (path !== undefined) {
    const { directory, rule } = accessTo(path, "read", context);
    if (directory !== undefined) return { kind: "options", addDirectories: [directory] };
    if (rule !== undefined) return { kind: "options", allowedTools: [rule] };
  }
  if (tool === "WebFetch" && typeof url === "string" && URL.canParse(url)) {
    return { kind: "options", allowedTools: [`WebFetch(domain:${new URL(url).hostname})`] };
  }
  return { kind: "options", allowedTools: [tool] };
}

function writeRemedy(path: string, context: CallContext): Options {
  const { directory, rule } = accessTo(path, "write", context);
  if (rule !== undefined) return { kind: "options", allowedTools: [rule] };
  return {
    kind: "options",
    ...(directory === undefined ? {} : { addDirectories: [directory] }),
    permissionMode: "acceptEdits",
  };
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

// Where an option other than a rule helps, or nothing does: the command itself, or the name of the tool.
function callAsRule(tool: string, input: DeniedCall["tool_input"]): string {
  const { command } = input;
  return typeof command === "string" ? `${tool}(${command})` : tool;
}

// These are no denials to Claude Code: to it, the tool is not there. To who asked for the task, they are.
function absentTools(refusals: ReadonlyMap<string, Refusal>, given: GivenOptions): Denial[] {
  const names = [...refusals.values()].flatMap(({ message }) => {
    const name = /No such tool available: ([A-Z]\w+)\./.exec(message)?.[1];
    return name === undefined ? [] : [name];
  });
  const disallowedNames = toolRuleList(given.disallowedTools ?? []);
  const present = given.tools === undefined ? undefined : toolRuleList(given.tools);
  return [...new Set(names)].flatMap((tool): Denial[] => {
    if (disallowedNames.includes(tool))
      return [{ tool, rule: tool, remedy: { kind: "options", allowedTools: [tool], notDisallowed: [tool] } }];
    const leftOut = present !== undefined && !present.includes(tool) && !present.includes("default");
    if (deniedByDefault.has(tool)) {
      const tools = leftOut ? { tools: [tool] } : {};
      return [{ tool, rule: tool, remedy: { kind: "options", allowedTools: [tool], ...tools } }];
    }
    if (leftOut) return [{ tool, rule: tool, remedy: { kind: "options", tools: [tool] } }];
    return [];
  });
}

/** Tools that sessions do not have unless `allowedTools` names them. */
const deniedByDefault: ReadonlySet<string> = new Set(toolsThatReachOut);
