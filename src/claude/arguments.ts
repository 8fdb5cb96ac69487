// The command line of a session. Each value stands behind `=`, where no value can be taken for an option
// and no list can swallow what follows it.
import { type SessionOptions, settingSourceList, toolRuleList } from "../model/options.ts";
import { type MentionOptions, messageContent } from "./mentions.ts";
import { initializeId } from "./message-shapes.ts";
import { deniedRules, settingsArgument } from "./settings.ts";

/** The arguments for `claude`, its name not among them. The prompt is no argument: it goes to stdin. */
export function argumentsFor(options: SessionOptions, sessionId: string): string[] {
  const rules = (list: string | string[] | undefined) =>
    list === undefined ? undefined : toolRuleList(list).join(",");
  return [
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    // Without this, servers of the project's own `.mcp.json` are started unasked.
    "--strict-mcp-config",
    `--mcp-config=${mcpConfiguration(options)}`,
    ...identityArguments(options, sessionId),
    ...flag("model", options.model),
    ...flag("fallback-model", options.fallbackModel),
    ...flag("effort", options.effort),
    ...flag("agents", options.agents && JSON.stringify(options.agents)),
    ...flag("agent", options.agent),
    ...flag("settings", settingsArgument(options)),
    ...flag("setting-sources", options.settingSources && settingSourceList(options.settingSources).join(",")),
    ...(options.restricted ? ["--restricted"] : []),
    ...flag("allowedTools", rules(options.allowedTools)),
    ...flag("disallowedTools", deniedRules(options).join(",")),
    ...flag("tools", rules(options.tools)),
    ...flag("system-prompt", options.systemPrompt),
    ...flag("append-system-prompt", options.appendSystemPrompt),
    ...flag("permission-mode", options.permissionMode),
    ...flag("max-turns", options.maxTurns),
    ...flag("max-budget-usd", options.maxBudgetUsd),
    ...flag("json-schema", jsonText(options.outputSchema)),
    ...(options.addDirectories ?? []).flatMap((directory) => flag("add-dir", directory)),
    ...flag("name", options.name),
    ...(options.claudeArguments ?? []),
  ];
}

// Planning has read what was given as a file.
function jsonText(value: string | Record<string, unknown> | undefined): string | undefined {
  return typeof value === "object" ? JSON.stringify(value) : value;
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

/** What a session is asked that goes on where an attempt before it was cut off. */
export function resumePrompt(prompt: string): string {
  return `Your last turn was cut off before it was finished. Look at what is already done, go on from there, and finish this task:\n\n${prompt}`;
}

/** The line on stdin that ends the running turn: Bash children die, and the result says what was spent. */
export const interruptLine = controlLine("end", { subtype: "interrupt" });

/** The line on stdin that asks a session what it has, before its prompt: its agents, among others. Nothing is spent. */
export const initializeLine = controlLine(initializeId, { subtype: "initialize" });

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

function mcpConfiguration({ mcpConfig }: SessionOptions): string {
  if (mcpConfig === undefined) return '{"mcpServers":{}}';
  return typeof mcpConfig === "string" ? mcpConfig : JSON.stringify(mcpConfig);
}

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}
