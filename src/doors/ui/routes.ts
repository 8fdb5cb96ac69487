// Everything that `ui` serves, declared once: the address, who may ask, and what is answered.
import { isRecord } from "../../model/json-values.ts";
import { product } from "../../model/product.ts";
import { type Context, UserError } from "../../operations/context.ts";
import { onStore } from "../../operations/perform.ts";
import type { Served } from "../../operations/ui/served.ts";
import type { Watch } from "../../operations/ui/watch.ts";
import { metricsContentType } from "../../report/metrics.ts";
import { callOf, onlyWhether } from "../../report/wire/feed.ts";
import { act, actSchema } from "./act.ts";
import { eventStream } from "./event-stream.ts";
import type { Keys } from "./keys.ts";
import { actedReply, elsewhereReply, eventReply, fileReply, pageReply, refusal } from "./replies.ts";
import { whyNot } from "./why-not.ts";

/** What an answer is made from. */
export interface Asked {
  request: Request;
  url: URL;
  /** The parts of the path that its pattern leaves open. */
  parts: Readonly<Record<string, string>>;
  context: Context;
  served: Served;
  keys: Keys;
  /** The streams that are open, to end them all. */
  streams: Set<Disposable>;
  /** Lets the request take as long as it needs. */
  patiently(): void;
  /** Aborted when the server ends. */
  signal: AbortSignal;
}

export interface Route {
  method: "GET" | "POST";
  /** `:name` stands for one part of the path. */
  path: string;
  /**
   * `reader`: a browser that was let in, or a program with the token. `page`: a page of ours, which wants to change something.
   */
  who: "reader" | "page";
  answer(asked: Asked): Promise<Response> | Response;
}

export const routes: readonly Route[] = [
  { method: "GET", path: "/", who: "reader", answer: list },
  {
    method: "GET",
    path: "/events",
    who: "reader",
    answer: (asked) => events(asked, asked.served.list().watch),
  },
  { method: "GET", path: "/batches/:batch", who: "reader", answer: batch },
  { method: "GET", path: "/batches/:batch/events", who: "reader", answer: batchEvents },
  { method: "GET", path: "/batches/:batch/texts.js", who: "reader", answer: texts },
  { method: "GET", path: "/batches/:batch/table.csv", who: "reader", answer: table },
  { method: "GET", path: "/batches/:batch/tasks/:task", who: "reader", answer: task },
  { method: "GET", path: "/batches/:batch/sessions/:task", who: "reader", answer: session },
  { method: "GET", path: "/batches/:batch/sessions/:task/feed.js", who: "reader", answer: sessionFeed },
  { method: "POST", path: "/batches/:batch/:act", who: "page", answer: acted },
  { method: "GET", path: "/metrics", who: "reader", answer: metrics },
];

const script = "text/javascript; charset=utf-8";

function list({ context, served }: Asked): Promise<Response> {
  return onStore(context, async () => {
    const { watch, shown } = served.list();
    return pageReply(shown.html(watch.newest()).pieces());
  });
}

function metrics({ served }: Asked): Response {
  return fileReply(served.metrics(), metricsContentType);
}

function batch({ served, keys, parts }: Asked): Response {
  const watched = served.batch(parts["batch"] ?? "");
  if (watched === undefined) return noBatch();
  const mark = watched.watch.newest();
  return pageReply(watched.shown.html({ mark, key: keys.ofPages }).pieces());
}

function batchEvents(asked: Asked): Response {
  const watched = asked.served.batch(asked.parts["batch"] ?? "");
  return watched === undefined ? noBatch() : events(asked, watched.watch);
}

function events({ request, url, streams, patiently }: Asked, watch: Watch): Response {
  patiently();
  const mark = request.headers.get("last-event-id") ?? url.searchParams.get("since") ?? "";
  return eventReply(eventStream((follower) => watch.follow(mark, follower), streams));
}

function texts({ served, parts, patiently }: Asked): Response {
  const watched = served.batch(parts["batch"] ?? "");
  if (watched === undefined) return noBatch();
  patiently();
  return fileReply(served.texts(watched), script);
}

function table({ served, parts, patiently }: Asked): Response {
  const watched = served.batch(parts["batch"] ?? "");
  const lines = watched && served.table(watched);
  if (lines === undefined) return noBatch();
  patiently();
  return fileReply(lines, "text/csv; charset=utf-8", {
    "Content-Disposition": `attachment; filename="results-${parts["batch"]}.csv"`,
  });
}

async function task({ served, parts }: Asked): Promise<Response> {
  const watched = served.batch(parts["batch"] ?? "");
  const page = watched && (await served.task(watched, taskOf(parts)));
  if (page === undefined) return noBatch();
  return "html" in page ? pageReply(page.html) : elsewhereReply(page.elsewhere);
}

async function session({ served, parts, patiently }: Asked): Promise<Response> {
  const watched = served.batch(parts["batch"] ?? "");
  patiently();
  const page = watched && (await served.session(watched, taskOf(parts)));
  return page === undefined ? noBatch() : pageReply(page);
}

// A browser runs no script that comes with a 404, so a script says that the batch is gone.
async function sessionFeed({ url, served, parts, patiently }: Asked): Promise<Response> {
  const watched = served.batch(parts["batch"] ?? "");
  if (watched === undefined) return fileReply(callOf("sessionGone"), script);
  if (url.searchParams.has(onlyWhether)) return fileReply("", script);
  patiently();
  const update = await served.sessionUpdate(watched, taskOf(parts));
  return update === undefined ? noBatch() : fileReply(update, script);
}

async function acted({ request, parts, context, served, patiently, signal }: Asked): Promise<Response> {
  const what = actSchema.safeParse(parts["act"]);
  if (!what.success) return actedReply({ error: "There is no such action." }, 404);
  try {
    // A page means its own batch, and never another one by the beginning of its id, or by its name.
    const batchId = served.batch(parts["batch"] ?? "")?.log.batchId;
    if (batchId === undefined) return actedReply({ error: "This batch was removed." }, 404);
    const details = await jsonOf(request);
    if (details === undefined) return actedReply({ error: "The request is no JSON object." }, 400);
    patiently();
    const call = { signal, startedAt: performance.now(), progress: () => undefined };
    return actedReply({ message: await act(context, { batchId, what: what.data, details, call }) }, 200);
  } catch (error) {
    const why = whyNot(error, context);
    if (why === undefined) throw error;
    return actedReply({ error: why }, error instanceof UserError ? 422 : 503);
  }
}

// NaN is no task.
function taskOf({ task = "" }: Asked["parts"]): number {
  return /^\d{1,7}$/.test(task) ? Number(task) : Number.NaN;
}

async function jsonOf(request: Request): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = await request.json();
    return isRecord(value) ? value : undefined;
  } catch {
    // The page gets to know that it was none.
    return undefined;
  }
}

function noBatch(): Response {
  return refusal(
    404,
    `There is no such page: the batch was removed, or the address is wrong. \`${product.name} list\` shows which batches there are.`,
  );
}
