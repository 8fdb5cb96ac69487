// Claude Code as our client: when it moves a call to the background, by the environment that it gives its servers.

/** As long as Claude Code waits for a call itself, where nobody says otherwise. */
const usualMs = 120_000;

/**
 * After how long Claude Code moves a call of ours to the background, from where it shows no progress any more; nothing
 * where it never does. Seen in 2.1.332: interactive sessions have the entry point `cli`, and `-p` and the SDK one that
 * begins with `sdk-`, even where they inherited another. Only the former move calls, unless a variable says otherwise.
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
