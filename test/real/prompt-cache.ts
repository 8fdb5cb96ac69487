// The cache of the Messages API, as far as it decides what calls cost: up to each mark (`cache_control`), what an answered call
// has sent before is read, and the rest is written. It has what a call sends from the moment at which its answer begins.
import type { MessagesBody } from "./messages-api.ts";
import type { Cached } from "./messages-reply.ts";

/** A mark in a request. */
interface Mark {
  /** The same for requests that begin alike up to here. */
  key: string;
  /** Up to here. */
  tokens: number;
}

/** What a call does with the cache. */
export interface CachedCall extends Cached {
  /** Tokens up to the last mark of the system prompt: what other sessions can share. */
  shared: number;
  /** The answer begins. */
  store(): void;
}

export class PromptCache {
  readonly #keys = new Set<string>();

  /** Looks when a request comes in. */
  callOf(body: MessagesBody): CachedCall {
    const shared = marksOf([...body.tools, ...systemOf(body)], { key: body.model, tokens: 0 });
    const start = shared.end;
    const own = marksOf(body.messages.flatMap(partsOf), start);
    const marks = [...shared.marks, ...own.marks];
    const read = Math.max(0, ...marks.filter(({ key }) => this.#keys.has(key)).map(({ tokens }) => tokens));
    return {
      read,
      written: Math.max(read, ...marks.map(({ tokens }) => tokens)) - read,
      shared: shared.marks.at(-1)?.tokens ?? 0,
      store: () => {
        for (const { key } of marks) this.#keys.add(key);
      },
    };
  }
}

/** Everything of a request that other sessions can share: its model, tools and system prompt up to the last mark. */
export function sharedPart(body: MessagesBody): string {
  return marksOf([...body.tools, ...systemOf(body)], { key: body.model, tokens: 0 }).marks.at(-1)?.key ?? "";
}

function partsOf({ content }: MessagesBody["messages"][number]): readonly unknown[] {
  return typeof content === "string" ? [content] : content;
}

// Without the line that says who is billed, a hash of the prompt in it: we take it that the API does not cache that, since
// no two sessions could share anything otherwise.
function systemOf({ system }: MessagesBody): readonly unknown[] {
  if (typeof system === "string") return [{ text: system }];
  return system.filter(({ text }) => text?.startsWith("x-anthropic-billing-header:") !== true);
}

function marksOf(parts: readonly unknown[], from: Mark): { marks: Mark[]; end: Mark } {
  const marks: Mark[] = [];
  let end = from;
  for (const part of parts) {
    const text = JSON.stringify(part, (name, value) => (name === "cache_control" ? undefined : value));
    const key = new Bun.CryptoHasher("sha256").update(`${end.key} ${text}`).digest("base64url");
    end = { key, tokens: end.tokens + Math.ceil(text.length / 4) };
    if (typeof part === "object" && part !== null && "cache_control" in part) marks.push(end);
  }
  return { marks, end };
}
