// Replies in the wire format of the Messages API: as one object, and as a stream of events.

/** What the model is made to say. */
export type Reply =
  | { kind: "text"; text: string }
  | { kind: "tool"; name: string; input: unknown }
  /** Begins, and never ends. */
  | { kind: "hold" };

interface About {
  model: string;
  /** Makes the ids differ. */
  number: number;
  /** Tokens that the call takes from the cache and writes there. */
  cached?: Cached | undefined;
}

/** What a call takes from the cache of the API and writes there, in tokens. */
export interface Cached {
  read: number;
  written: number;
}

type Finished = Exclude<Reply, { kind: "hold" }>;

/** What each call uses, so that its price is always the same. */
export const tokensOfCall = { input: 1_000, output: 2_000 };
const usageOf = ({ cached: { read, written } = { read: 0, written: 0 } }: About) => ({
  input_tokens: tokensOfCall.input,
  cache_creation_input_tokens: written,
  cache_read_input_tokens: read,
  cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 },
  service_tier: "standard",
  inference_geo: "not_available",
});

/** The whole message of a call without streaming. */
export function answer(reply: Finished, about: About): object {
  const content =
    reply.kind === "text"
      ? { type: "text", text: reply.text }
      : { type: "tool_use", id: toolUseId(about), name: reply.name, input: reply.input };
  return {
    ...opening(about),
    content: [content],
    stop_reason: stopReason(reply),
    usage: { ...usageOf(about), output_tokens: tokensOfCall.output },
  };
}

/** The server-sent events of a streaming call; held replies stay open until the connection goes. */
export function eventStream(reply: Reply, about: About): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      const send = (event: Event) =>
        controller.enqueue(
          new TextEncoder().encode(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
        );
      send({ type: "message_start", message: opening(about) });
      if (reply.kind === "hold") {
        for (const event of textBlock("One moment")) send(event);
        return;
      }
      for (const event of reply.kind === "text" ? textBlock(reply.text) : toolBlock(reply, about))
        send(event);
      for (const event of closing(reply)) send(event);
      controller.close();
    },
  });
}

/** A body that begins and never ends. */
export function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("\n")) });
}

type Event = { type: string; [field: string]: unknown };

function textBlock(text: string): Event[] {
  return contentBlock({ type: "text", text: "" }, { type: "text_delta", text });
}

function toolBlock(reply: { name: string; input: unknown }, about: About): Event[] {
  const start = { type: "tool_use", id: toolUseId(about), name: reply.name, input: {} };
  return contentBlock(start, { type: "input_json_delta", partial_json: JSON.stringify(reply.input) });
}

function contentBlock(start: object, delta: object): Event[] {
  return [
    { type: "content_block_start", index: 0, content_block: start },
    { type: "content_block_delta", index: 0, delta },
    { type: "content_block_stop", index: 0 },
  ];
}

function closing(reply: Finished): Event[] {
  const delta = { stop_reason: stopReason(reply), stop_sequence: null };
  return [
    { type: "message_delta", delta, usage: { output_tokens: tokensOfCall.output } },
    { type: "message_stop" },
  ];
}

function opening(about: About): object {
  const { model, number } = about;
  return {
    id: `msg_${number}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: { ...usageOf(about), output_tokens: 1 },
  };
}

function stopReason({ kind }: Finished): string {
  return kind === "text" ? "end_turn" : "tool_use";
}

function toolUseId({ number }: About): string {
  return `toolu_${number}`;
}
