// Claude Code as our client: when it moves a call to the background, from the environment of its servers.

/** How long Claude Code itself waits for a call by default. */
const usualMs = 120_000;

/**
 * After how long Claude Code moves a call of ours to the background, where it no longer shows progress; undefined if
 * never. Seen in 2.1.332: the entry point is `cli` for interactive sessions, and begins with `sdk-` for `-p` and the SDK,
 * even if they inherited another. Only interactive sessions move calls, unless a variable says otherwise.
 */
export function callsMoveAfterMs(environment: Record<string, string | undefined>): number | undefined {
  const isHeadless = environment["CLAUDE_CODE_ENTRYPOINT"]?.startsWith("sdk-") ?? false;
  if (isHeadless && !isOn(environment["CLAUDE_AUTO_BACKGROUND_TASKS"])) return undefined;
  if (isOn(environment["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"])) return undefined;
  const set = environment["CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS"];
  if (set === undefined || !/^\d+$/.test(set)) return usualMs;
  return Number(set) === 0 ? undefined : Number(set);
}

function isOn(value: string | undefined): boolean {
  return /^(1|true|yes|on)$/i.test(value ?? "");
}
