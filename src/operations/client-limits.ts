// Limits by client: how long a call may take, and how long an answer may be. One table, with its sources.
import { callsMoveAfterMs } from "./claude-code-client.ts";
import { clientTitles } from "./clients/client-names.ts";
import type { InForce } from "./configuration.ts";

/** The limits of the calling client. */
export interface ClientLimits {
  /** Longest wait of a call, in seconds. */
  waitSeconds: number;
  /** Longest answer as JSON, in characters. A longer one is cut, and says so. */
  answerCharacters: number;
}

/** What a client has said about itself. */
export interface ClientFacts {
  /** `clientInfo.name`, from `initialize` or, since 2026-07-28, from the request. */
  name?: string | undefined;
  /** Its environment, if it started us; unknown over HTTP. */
  environment?: Record<string, string | undefined> | undefined;
}

interface Row extends ClientLimits {
  /** Its name, for people. */
  client: string;
  /** `clientInfo.name`, in small letters. */
  names: RegExp;
  /** Whether it is this client of that name, by its environment. Without this, any. */
  fits?(environment: Record<string, string | undefined>): boolean;
  /** Which of the two forms of an answer its model sees. Each is complete, so nothing depends on this. */
  sees: "text" | "data" | "either";
  /** The source of the numbers. */
  source: string;
}

/**
 * About 25,000 tokens: Claude Code's default limit for one answer, and an eighth of a context window of 200,000. Callers
 * can ask for the next part.
 */
const usualCharacters = 100_000;

/** For unknown clients. */
const usual: ClientLimits = { waitSeconds: 45, answerCharacters: usualCharacters };

/** Standard output takes more than a client. */
export const commandLineCharacters = 50_000_000;

/** Below Claude Code's limit for silence, so that calls without a progress token survive too. */
const longestWaitSeconds = 1_500;

const claudeCode = /^claude[ -]?code/;

/** In the order of matching. */
export const clientTable: readonly Row[] = [
  {
    client: clientTitles["claude-desktop"],
    names: /^(claude-ai|claude[ -]?desktop)/,
    sees: "text",
    ...usual,
    source:
      "A call is dropped at about 60 s in places, and progress does not extend that (anthropics/claude-code#22542, #63379).",
  },
  {
    client: `${clientTitles["claude-code"]}, \`-p\` or SDK`,
    names: claudeCode,
    fits: (environment) => callsMoveAfterMs(environment) === undefined,
    sees: "data",
    waitSeconds: longestWaitSeconds,
    answerCharacters: usualCharacters,
    source:
      "The limit of a call is hours, that of silence 30 min, reset by progress; over 50,000 characters become a preview unless `anthropic/maxResultSizeChars` allows them (seen, 2.1.330).",
  },
  {
    client: `${clientTitles["claude-code"]}, interactive`,
    names: claudeCode,
    sees: "data",
    waitSeconds: 110,
    answerCharacters: usualCharacters,
    source:
      "Moves a call to the background after 120 s, or `CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS`, and shows no progress from then on; a client started us with `-p` if `CLAUDE_CODE_ENTRYPOINT` begins with `sdk-` (seen, 2.1.332).",
  },
  {
    client: clientTitles.codex,
    names: /^codex/,
    sees: "either",
    waitSeconds: 100,
    answerCharacters: usualCharacters,
    source: "120 to 300 s a call (reported).",
  },
  {
    client: clientTitles.cursor,
    names: /^cursor/,
    sees: "either",
    waitSeconds: 240,
    answerCharacters: usualCharacters,
    source: "About 5 min a call (reported).",
  },
  {
    client: "any other",
    names: /^/,
    sees: "either",
    ...usual,
    source: "Both SDKs give up after 60 s by default (seen).",
  },
];

/** The limits of a client. The operator's setting for how long it waits comes first. */
export function limitsOf(
  { name = "", environment = {} }: ClientFacts,
  { configuration, settings }: InForce,
): ClientLimits {
  const row =
    clientTable.find(({ names, fits }) => names.test(name.toLowerCase()) && (fits?.(environment) ?? true)) ??
    usual;
  const { answerCharacters } = row;
  const isSet = settings.some(
    (setting) => setting.name === "syncWaitSeconds" && setting.source !== "default",
  );
  if (isSet) {
    return {
      // Read only by calls that wait, so that a broken value stops nothing else.
      get waitSeconds() {
        return configuration.syncWaitSeconds;
      },
      answerCharacters,
    };
  }
  const moveMs = claudeCode.test(name.toLowerCase()) ? callsMoveAfterMs(environment) : undefined;
  // A twelfth earlier, like 110 s for 120 s, because the answer must arrive in time.
  const waitSeconds = moveMs === undefined ? row.waitSeconds : Math.floor((moveMs / 1_000) * (11 / 12));
  return { waitSeconds: Math.max(1, Math.min(waitSeconds, longestWaitSeconds)), answerCharacters };
}
