// What is sent back, with the headers that protect it.
import { product } from "../../model/product.ts";
import { stillFrame } from "../../report/frame.ts";
import { html, nothing, proseHtml } from "../../report/html.ts";
import type { Acted } from "../../report/wire/acts.ts";

/** Pages say in themselves what they may load; nobody may frame them, keep them, or read them from elsewhere. */
const always = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};
const pagePolicy = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'; form-action 'none'";
/** Of what is no page. */
const closedPolicy = "default-src 'none'; frame-ancestors 'none'";

type Body = string | Iterable<string> | AsyncIterable<string>;

/** A page. */
export function pageReply(body: Body, { status = 200, headers = {} } = {}): Response {
  return reply(body, "text/html; charset=utf-8", { status, headers, policy: pagePolicy });
}

/** A script, a table or a text. */
export function fileReply(body: Body, type: string, headers: Record<string, string> = {}): Response {
  return reply(body, type, { status: 200, headers, policy: closedPolicy });
}

/** What an action has done. */
export function actedReply(acted: Acted, status: number): Response {
  return reply(JSON.stringify(acted), "application/json", { status, headers: {}, policy: closedPolicy });
}

/** A stream of events, for as long as somebody listens. */
export function eventReply(body: ReadableStream<Uint8Array>): Response {
  const headers = { ...always, "Content-Type": "text/event-stream", "Content-Security-Policy": closedPolicy };
  return new Response(body, { headers });
}

/** Leads to another page of ours. */
export function elsewhereReply(address: string): Response {
  return new Response(null, { status: 303, headers: { ...always, Location: address } });
}

/** A page that says why there is no other. Text in backticks is code. */
export function refusal(status: number, says: string): Response {
  const page = stillFrame({
    title: product.name,
    facts: {},
    skip: { to: "says", words: "the message" },
    header: html`<h1>${product.name}</h1>`,
    main: html`<section aria-label="Message"><p id="says">${proseHtml(says)}</p></section>`,
    footer: nothing,
  });
  return pageReply(page.toString(), { status });
}

function reply(
  body: Body,
  type: string,
  { status, headers, policy }: { status: number; headers: Record<string, string>; policy: string },
): Response {
  return new Response(typeof body === "string" ? body : streamOf(body), {
    status,
    headers: { ...always, "Content-Type": type, "Content-Security-Policy": policy, ...headers },
  });
}

/** Small pieces are sent together, in characters. */
const charactersAtOnce = 64 * 1024;

function streamOf(pieces: Iterable<string> | AsyncIterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const sent = (async function* () {
    let text = "";
    for await (const piece of pieces) {
      text += piece;
      if (text.length < charactersAtOnce) continue;
      yield encoder.encode(text);
      text = "";
    }
    yield encoder.encode(text);
  })();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await sent.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await sent.return(undefined)),
  });
}
