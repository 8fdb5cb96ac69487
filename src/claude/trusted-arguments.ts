// Arguments for `claude` that a caller may add where the operator allows it, and why some of them never work.

/** Those that decide how we speak with a session, which conversation it has, or when it ends. */
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
 * Those that may be added: they grant nothing that the operator did not, and we can still read the session. Claude Code
 * has others that it does not list, such as `--inherit-permission-mode`, so that a list of bad ones would have gaps.
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

/** Those for which there is an option, which is checked. */
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

/** Whether an option of `claude` of that name may be added. */
export function mayBeAdded(name: string): boolean {
  return accepted.some((known) => known === name);
}

/** Whether `claude` has an option of that name that this program sets itself. */
export function isOurs(name: string): boolean {
  return ours.some((known) => known === name);
}

/** Why an argument cannot be added; nothing where it can. */
export function refusedArgument(argument: string): string | undefined {
  // A value of its own would be swallowed by a list before it, or be taken for a prompt.
  const [, dashes, name = ""] = /^(--?)([A-Za-z][\w-]*)(?:=[\s\S]*)?$/.exec(argument) ?? [];
  if (dashes === undefined) return "write an option with its value after `=`: `--betas=NAME`";
  // `-pfoo` is `-p` with a value, or several switches in one.
  const option = dashes === "-" ? name.slice(0, 1) : name;
  const ownOption = Object.hasOwn(byOption, option) ? byOption[option] : undefined;
  if (ownOption !== undefined) return `use the option \`${ownOption}\``;
  if (isOurs(option)) return "this program sets it itself, or depends on it to read the session";
  if (!mayBeAdded(option))
    return `it is not known to leave permissions and the session as they are; accepted are ${accepted.map((known) => `--${known}`).join(", ")}`;
  return undefined;
}
