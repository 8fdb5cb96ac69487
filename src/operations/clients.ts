// What each client bears: how long a call may take, and how long an answer may be. One table, with its sources.
import type { InForce } from "./configuration.ts";

/** What the one who asks bears. */
export interface ClientLimits {
  /** Longest wait of a call, in seconds. */
  waitSeconds: number;
  /** Longest answer as JSON, in characters. A longer one is cut, and says so. */
  answerCharacters: number;
}

/** A client, as far as it has said who it is. */
export interface ClientFacts {
  /** `clientInfo.name`, from `initialize` or, since 2026-07-28, from the request. */
  name?: string | undefined;
}

interface Row extends ClientLimits {
  /** What is shown of it, to people. */
  client: string;
  /** `clientInfo.name`, in small letters. */
  names: RegExp;
  /** Which of the two forms of an answer its model sees. Each is complete, so that nothing hangs on this. */
  sees: "text" | "data" | "either";
  /** Where the numbers come from. */
  source: string;
}

/**
 * About 25,000 tokens: what Claude Code lets through of one answer by default, and an eighth of a context window of
 * 200,000. Whoever wants more asks for the next piece.
 */
export const usualCharacters = 100_000;

/** Nothing better is known of a client. */
const usual: ClientLimits = { waitSeconds: 45, answerCharacters: usualCharacters };

/** Standard output bears more than a client does. */
export const commandLineCharacters = 50_000_000;

/** In the order in which names are looked for. */
export const clientTable: readonly Row[] = [
  {
    client: "Claude Desktop",
    names: /^(claude-ai|claude[ -]?desktop)/,
    sees: "text",
    ...usual,
    source:
      "A call is dropped at about 60 s in places, and progress does not extend that (anthropics/claude-code#22542, #63379).",
  },
  {
    client: "Claude Code",
    names: /^claude[ -]?code/,
    sees: "data",
    // Below the limit for silence, so that a call without a progress token lives too.
    waitSeconds: 1_500,
    answerCharacters: usualCharacters,
    source:
      "The limit of a call is hours, that of silence 30 min, reset by progress; over 50,000 characters become a preview unless `anthropic/maxResultSizeChars` allows them (seen, 2.1.330).",
  },
  {
    client: "Codex",
    names: /^codex/,
    sees: "either",
    waitSeconds: 100,
    answerCharacters: usualCharacters,
    source: "120 to 300 s a call (reported).",
  },
  {
    client: "Cursor",
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

/** What a client bears. How long it waits is what the operator says, where he says it. */
export function limitsOf({ name = "" }: ClientFacts, { configuration, settings }: InForce): ClientLimits {
  const row = clientTable.find(({ names }) => names.test(name.toLowerCase())) ?? usual;
  const { waitSeconds, answerCharacters } = row;
  const isSet = settings.some(
    (setting) => setting.name === "syncWaitSeconds" && setting.source !== "default",
  );
  return { waitSeconds: isSet ? configuration.syncWaitSeconds : waitSeconds, answerCharacters };
}
