// Arguments for `claude` that a caller may add if the operator allows it, and why some never work.
import type { Refused } from "./refused.ts";

/** Arguments that decide how we communicate with a session, which conversation it has, or when it ends. */
const ours = [
  "print",
  "p",
  "input-format",
  "output-format",
  "verbose",
  "replay-user-messages",
  "include-partial-messages",
  "strict-mcp-config",
  "session-id",
  "continue",
  "c",
  "no-session-persistence",
  "resume-session-at",
  "rewind-files",
  "from-pr",
  "worktree",
  "w",
  "tmux",
  "bg",
  "background",
  "cloud",
  "remote-control",
  "await-claim",
  "permission-prompt-tool",
  "init-only",
  "maintenance",
  "debug-to-stderr",
  "prompt-suggestions",
  "ide",
  "version",
  "v",
  "help",
  "h",
] as const;

/**
 * Arguments that may be added: they grant nothing beyond what the operator did, and the session stays readable. Claude
 * Code has unlisted ones, such as `--inherit-permission-mode`, so a list of forbidden ones would have gaps.
 */
const accepted = [
  "advisor",
  "append-subagent-system-prompt",
  "append-subagent-system-prompt-file",
  "append-system-prompt-file",
  "autocompact",
  "ax-screen-reader",
  "bare",
  "betas",
  "brief",
  "chrome",
  "no-chrome",
  "debug",
  "debug-file",
  "disable-slash-commands",
  "exclude-dynamic-system-prompt-sections",
  "file",
  "forward-subagent-text",
  "include-hook-events",
  "max-thinking-tokens",
  "mcp-debug",
  "plugin-dir",
  "plugin-url",
  "safe-mode",
  "system-prompt-file",
  "system-prompt-snapshot",
  "task-budget",
  "thinking",
  "thinking-display",
] as const;

/** Arguments for which there is an option, which is checked. */
const byOption: Record<string, string> = {
  "mcp-config": "mcpConfig",
  resume: "resumeSessionId",
  r: "resumeSessionId",
  "fork-session": "forkSession",
  model: "model",
  "fallback-model": "fallbackModel",
  effort: "effort",
  agents: "agents",
  agent: "agent",
  settings: "settings",
  "setting-sources": "settingSources",
  restricted: "restricted",
  allowedTools: "allowedTools",
  "allowed-tools": "allowedTools",
  disallowedTools: "disallowedTools",
  "disallowed-tools": "disallowedTools",
  tools: "tools",
  "system-prompt": "systemPrompt",
  "append-system-prompt": "appendSystemPrompt",
  "permission-mode": "permissionMode",
  "dangerously-skip-permissions": "permissionMode",
  "allow-dangerously-skip-permissions": "permissionMode",
  "max-turns": "maxTurns",
  "max-budget-usd": "maxBudgetUsd",
  "json-schema": "outputSchema",
  "add-dir": "addDirectories",
  name: "name",
  n: "name",
};

/** Whether a `claude` option of this name may be added. */
export function mayBeAdded(name: string): boolean {
  return accepted.some((known) => known === name);
}

/** Whether this program itself sets a `claude` option of this name. */
export function isOurs(name: string): boolean {
  return ours.some((known) => known === name);
}

/** Why an argument cannot be added; undefined if it can. */
export function refusedArgument(argument: string): Refused | undefined {
  // A separate value would be swallowed by a list before it, or taken for a prompt.
  const [, dashes, name = ""] = /^(--?)([A-Za-z][\w-]*)(?:=[\s\S]*)?$/.exec(argument) ?? [];
  if (dashes === undefined) return "write an option with its value after `=`: `--betas=NAME`";
  // `-pfoo` is `-p` with a value, or several switches in one.
  const option = dashes === "-" ? name.slice(0, 1) : name;
  const ownOption = Object.hasOwn(byOption, option) ? byOption[option] : undefined;
  if (ownOption !== undefined) return { option: ownOption };
  if (isOurs(option)) return "this program sets it itself, or depends on it to read the session";
  if (!mayBeAdded(option))
    return `it is not on the list of arguments that leave permissions and the session as they are: ${accepted.map((known) => `--${known}`).join(", ")}`;
  return undefined;
}
