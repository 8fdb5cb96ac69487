// The command line of a session. Each value stands behind `=`, where no value can be taken for an option
// and no list can swallow what follows it.
import { type SessionOptions, settingSourceList, toolRuleList } from "../model/options.ts";
import { type MentionOptions, messageContent } from "./mentions.ts";
import { initializeId } from "./message-shapes.ts";
import { deniedRules, settingsArgument } from "./settings.ts";
import { isJsonText } from "./settings-file.ts";

/** A text that goes into a file of its own, and gives the file's path: every user can read a command line. */
export type PutAside = (kind: "servers" | "settings", text: string) => string;

/**
 * The arguments for `claude`, its name not among them. The prompt is no argument: it goes to stdin, as does what
 * `initializeLine` has. What may hold secrets is put aside.
 */
export function argumentsFor(
  options: SessionOptions,
  sessionId: string,
  putAside: PutAside = (_, text) => text,
): string[] {
  const rules = (list: string | string[] | undefined) =>
    list === undefined ? undefined : toolRuleList(list).join(",");
  return [
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    // Without this, servers of the project's own `.mcp.json` are started unasked.
    "--strict-mcp-config",
    `--mcp-config=${mcpConfiguration(options, putAside)}`,
    ...identityArguments(options, sessionId),
    ...flag("model", options.model),
    ...flag("fallback-model", options.fallbackModel),
    ...flag("effort", options.effort),
    ...flag("agent", options.agent),
    ...flag("settings", settingsValue(options, putAside)),
    ...flag("setting-sources", options.settingSources && settingSourceList(options.settingSources).join(",")),
    ...(options.restricted ? ["--restricted"] : []),
    ...flag("allowedTools", rules(options.allowedTools)),
    ...flag("disallowedTools", deniedRules(options).join(",")),
    ...flag("tools", rules(options.tools)),
    ...flag("permission-mode", options.permissionMode),
    ...flag("max-turns", options.maxTurns),
    ...flag("max-budget-usd", options.maxBudgetUsd),
    ...(options.addDirectories ?? []).flatMap((directory) => flag("add-dir", directory)),
    ...flag("name", options.name),
    ...(options.claudeArguments ?? []),
  ];
}

/** The line on stdin that asks the session, which works in `workingDirectory`. */
export function promptLine(
  prompt: string,
  options: Pick<SessionOptions, "slashCommands"> & MentionOptions,
  workingDirectory: string,
): string {
  // One leading blank makes plain text of what would be a slash command; `--disable-slash-commands` does not.
  const text = !options.slashCommands && prompt.startsWith("/") ? ` ${prompt}` : prompt;
  const content = messageContent(text, options, workingDirectory);
  return `${JSON.stringify({ type: "user", message: { role: "user", content } })}\n`;
}

/**
 * What a session is asked that goes on where an attempt before it was cut off. A slash command is given once more as it
 * is: behind other words it would be text.
 */
export function resumePrompt(
  prompt: string,
  { slashCommands }: Pick<SessionOptions, "slashCommands">,
): string {
  if (slashCommands && prompt.startsWith("/")) return prompt;
  return `Your last turn was cut off before it was finished. Look at what is already done, go on from there, and finish this task:\n\n${prompt}`;
}

/** The line on stdin that ends the running turn: Bash children die, and the result says what was spent. */
export const interruptLine = controlLine("end", { subtype: "interrupt" });

/**
 * The line on stdin before the prompt that asks a session which agents it has, and gives it what is nobody else's
 * business: system prompts, agents, the schema of the answer. Nothing is spent. Nothing where a session needs none of that.
 */
export function initializeLine(options: SessionOptions): string | undefined {
  const { agent, agents, systemPrompt, appendSystemPrompt, outputSchema } = options;
  // A text is JSON itself by now: a file was read before.
  const jsonSchema: unknown = typeof outputSchema === "string" ? JSON.parse(outputSchema) : outputSchema;
  const given = Object.entries({ systemPrompt, appendSystemPrompt, agents, jsonSchema }).filter(
    ([, value]) => value !== undefined,
  );
  if (agent === undefined && given.length === 0) return undefined;
  return controlLine(initializeId, { subtype: "initialize", ...Object.fromEntries(given) });
}

/** The line on stdin that stops something that a session has in the background. */
export function stopTaskLine(taskId: string): string {
  return controlLine(`stop-${taskId}`, { subtype: "stop_task", task_id: taskId });
}

function controlLine(requestId: string, request: object): string {
  return `${JSON.stringify({ type: "control_request", request_id: requestId, request })}\n`;
}

// A session id is always ours to choose, except when an earlier conversation is continued.
function identityArguments(options: SessionOptions, sessionId: string): string[] {
  if (options.resumeSessionId === undefined) return flag("session-id", sessionId);
  const resume = flag("resume", options.resumeSessionId);
  return options.forkSession ? [...resume, "--fork-session", ...flag("session-id", sessionId)] : resume;
}

function mcpConfiguration({ mcpConfig }: SessionOptions, putAside: PutAside): string {
  if (mcpConfig === undefined) return '{"mcpServers":{}}';
  if (typeof mcpConfig === "string")
    return isJsonText(mcpConfig) ? putAside("servers", mcpConfig) : mcpConfig;
  return putAside("servers", JSON.stringify(mcpConfig));
}

function settingsValue(options: SessionOptions, putAside: PutAside): string {
  const text = settingsArgument(options);
  return options.settings !== undefined && isJsonText(text) ? putAside("settings", text) : text;
}

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}
