// The command line of a session. Each value follows a `=`, so that no value can be taken for an option, and no list can
// swallow what follows it.
import { type SessionOptions, settingSourceList, toolRuleList } from "../model/options.ts";
import { type MentionOptions, messageContent } from "./mentions.ts";
import { initializeId } from "./message-shapes.ts";
import { deniedRules, settingsArgument } from "./settings.ts";
import { isJsonText } from "./settings-file.ts";

/** Moves a text to a private file and returns its path, because every user can read a command line. */
export type PutAside = (kind: "servers" | "settings", text: string) => string;

/** What an option's value may need besides the options. */
interface Given {
  /** Of the new conversation. */
  sessionId: string;
  putAside: PutAside;
}

/**
 * How an option reaches the session: as arguments, on its standard input (`initializeLine` or `promptLine`), in how its
 * process is started, or not at all because only the runner uses it.
 */
type Way =
  | "input"
  | "process"
  | "runner"
  | ((options: SessionOptions) => string[])
  | { ofEach: (options: SessionOptions, given: Given) => string[] };

/** How each option reaches the session, in the order of the arguments. */
const ways = {
  mcpConfig: {
    ofEach: (options, { putAside }) => [
      // Without this, servers in the project's `.mcp.json` start without asking.
      "--strict-mcp-config",
      `--mcp-config=${mcpConfiguration(options, putAside)}`,
    ],
  },
  resumeSessionId: {
    ofEach: ({ resumeSessionId, forkSession }, { sessionId }) => [
      ...flag("resume", resumeSessionId),
      // We choose the id, unless an earlier conversation continues.
      ...(resumeSessionId === undefined || forkSession ? flag("session-id", sessionId) : []),
    ],
  },
  forkSession: ({ resumeSessionId, forkSession }) =>
    resumeSessionId !== undefined && forkSession ? ["--fork-session"] : [],
  model: ({ model }) => flag("model", model),
  fallbackModel: ({ fallbackModel }) => flag("fallback-model", fallbackModel),
  effort: ({ effort }) => flag("effort", effort),
  agent: ({ agent }) => flag("agent", agent),
  settings: { ofEach: (options, { putAside }) => flag("settings", settingsValue(options, putAside)) },
  settingSources: ({ settingSources }) =>
    flag("setting-sources", settingSources && settingSourceList(settingSources).join(",")),
  restricted: ({ restricted }) => (restricted ? ["--restricted"] : []),
  allowedTools: ({ allowedTools }) => flag("allowedTools", rules(allowedTools)),
  disallowedTools: (options) => flag("disallowedTools", deniedRules(options).join(",")),
  tools: ({ tools }) => flag("tools", rules(tools)),
  permissionMode: ({ permissionMode }) => flag("permission-mode", permissionMode),
  maxTurns: ({ maxTurns }) => flag("max-turns", maxTurns),
  maxBudgetUsd: ({ maxBudgetUsd }) => flag("max-budget-usd", maxBudgetUsd),
  addDirectories: ({ addDirectories = [] }) =>
    addDirectories.flatMap((directory) => flag("add-dir", directory)),
  name: ({ name }) => flag("name", name),
  agents: "input",
  systemPrompt: "input",
  appendSystemPrompt: "input",
  outputSchema: "input",
  expect: "runner",
  slashCommands: "input",
  fileMentions: "input",
  workingDirectory: "process",
  env: "process",
  retries: "runner",
  reuse: "runner",
  reuseSessions: "runner",
  inputs: "runner",
  firstEventTimeoutSeconds: "runner",
  idleTimeoutSeconds: "runner",
  backgroundWaitSeconds: "runner",
  timeoutSeconds: "runner",
  // Last, so that they override the others.
  claudeArguments: ({ claudeArguments = [] }) => claudeArguments,
} satisfies Record<keyof SessionOptions, Way>;

/** What does not depend on the options of a session. */
interface Circumstances {
  /** Takes possible secrets. Without it, they stay in the arguments. */
  putAside?: PutAside;
  /** Whether it says when the API begins to answer, and every piece of an answer. */
  saysBeginning?: boolean;
}

/** The arguments for `claude`, without its name. The prompt goes to stdin, as does `initializeLine`. */
export function argumentsFor(
  options: SessionOptions,
  sessionId: string,
  { putAside = (_, text) => text, saysBeginning = false }: Circumstances = {},
): string[] {
  const given = { sessionId, putAside };
  return [
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    ...(saysBeginning ? ["--include-partial-messages"] : []),
    ...every.flatMap((way) => (typeof way === "string" ? [] : argumentsBy(way, options, given))),
  ];
}

const every: readonly Way[] = Object.values(ways);
/** Of options that thousands of sessions share, and that nobody changes. */
const argumentsOfOptions = new WeakMap<SessionOptions, Map<Way, string[]>>();

function argumentsBy(way: Exclude<Way, string>, options: SessionOptions, given: Given): string[] {
  if (typeof way === "object") return way.ofEach(options, given);
  const known = argumentsOfOptions.get(options) ?? new Map<Way, string[]>();
  argumentsOfOptions.set(options, known);
  const found = known.get(way) ?? way(options);
  known.set(way, found);
  return found;
}

function rules(list: string | string[] | undefined): string | undefined {
  return list === undefined ? undefined : toolRuleList(list).join(",");
}

/** The line on stdin with the prompt. The session works in `workingDirectory`. */
export function promptLine(
  prompt: string,
  options: Pick<SessionOptions, "slashCommands"> & MentionOptions,
  workingDirectory: string,
): string {
  // A leading blank turns a slash command into plain text; `--disable-slash-commands` does not.
  const text = !options.slashCommands && prompt.startsWith("/") ? ` ${prompt}` : prompt;
  const content = messageContent(text, options, workingDirectory);
  return `${JSON.stringify({ type: "user", message: { role: "user", content } })}\n`;
}

/**
 * The prompt for a session that continues an attempt that was cut off. A slash command is repeated alone, because after
 * other words it would be plain text.
 */
export function resumePrompt(
  prompt: string,
  { slashCommands }: Pick<SessionOptions, "slashCommands">,
): string {
  if (slashCommands && prompt.startsWith("/")) return prompt;
  return `Your last turn was cut off before it was finished. Look at what is already done, go on from there, and finish this task:\n\n${prompt}`;
}

/** The line on stdin that ends the running turn: Bash children die, and the result reports what was spent. */
export const interruptLine = controlLine("end", { subtype: "interrupt" });

/** The line on stdin that begins a new conversation, with a new id, in the same process. Spends nothing. */
export const clearLine = `${JSON.stringify({ type: "user", message: { role: "user", content: "/clear" } })}\n`;

/**
 * The line on stdin before the prompt: asks which agents the session has, and passes what must stay private: system
 * prompts, agents, the schema of the answer. Spends nothing. With the answer, the session has started.
 */
export function initializeLine(options: SessionOptions): string {
  return controlLine(initializeId, { subtype: "initialize", ...givenByInitialize(options) });
}

/** Whether the prompt must wait for the answer to `initialize`: it names the agents, and what was passed has been taken. */
export function waitsForInitialize(options: SessionOptions): boolean {
  return options.agent !== undefined || Object.keys(givenByInitialize(options)).length > 0;
}

function givenByInitialize(options: SessionOptions): Record<string, unknown> {
  const { agents, systemPrompt, appendSystemPrompt } = options;
  const jsonSchema = schemaOf(options);
  const given = Object.entries({ systemPrompt, appendSystemPrompt, agents, jsonSchema });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** The schema of the answer, if there is one. */
export function schemaOf({
  outputSchema,
}: Pick<SessionOptions, "outputSchema">): Record<string, unknown> | undefined {
  // A text is JSON here: files were read before.
  return typeof outputSchema === "string" ? JSON.parse(outputSchema) : outputSchema;
}

/** The line on stdin that stops a background task of the session. */
export function stopTaskLine(taskId: string): string {
  return controlLine(`stop-${taskId}`, { subtype: "stop_task", task_id: taskId });
}

function controlLine(requestId: string, request: object): string {
  return `${JSON.stringify({ type: "control_request", request_id: requestId, request })}\n`;
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
