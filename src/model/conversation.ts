// What a conversation is made of. Terminal and page are two views of it.

/** Tokens that a call to the API read, as far as they are known when its reply begins. */
export interface TokensRead {
  /** Neither read from the cache nor written to it. */
  fresh: number;
  cacheRead: number;
  cacheWritten: number;
}

/** The reply of a model that a part belongs to: one call to the API, which may have several parts. */
export interface Reply {
  id: string;
  read?: TokensRead | undefined;
}

/** Whose words they are: those of the session, or of a subagent. */
interface Place {
  /** Whether it is from a subagent. */
  nested: boolean;
  /** The id of the call that started the subagent. */
  parent?: string | undefined;
}

/** One part of a conversation, in the order of its transcript. */
export type ConversationPart =
  | { kind: "started"; model?: string | undefined; sessionId?: string | undefined }
  | ({ kind: "prompted"; text: string } & Place)
  /** `failed`: the text is the CLI's message about an error. */
  | ({ kind: "said"; text: string; failed: boolean; reply?: Reply | undefined } & Place)
  | ({ kind: "thought"; text: string; reply?: Reply | undefined } & Place)
  /** `input` is JSON. */
  | ({
      kind: "called";
      tool: string;
      input: string;
      id?: string | undefined;
      reply?: Reply | undefined;
    } & Place)
  /** `of`: the id of the call. */
  | ({ kind: "returned"; text: string; failed: boolean; of?: string | undefined } & Place)
  | { kind: "waits"; why: string }
  | {
      kind: "ended";
      failed: boolean;
      /** The CLI's own word, such as `success` or `error_max_turns`. */
      subtype: string;
      text: string;
      numTurns: number;
      durationMs: number;
      /** Of all turns of the process so far, in US dollars. */
      costUsd?: number | undefined;
    }
  /** The beginning of a line that is no message, or too long to parse. */
  | { kind: "unread"; text: string; bytes: number };

/** A part of one kind. */
export type PartOf<Kind extends ConversationPart["kind"]> = Extract<ConversationPart, { kind: Kind }>;
