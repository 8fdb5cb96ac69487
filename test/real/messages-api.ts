// A stand-in for the Anthropic Messages API on loopback: what it replies is decided by the last user text.
import { z } from "zod";
import { apiErrorType } from "../fixtures/api-error-type.ts";
import { answer, endless, eventStream, type Reply } from "./messages-reply.ts";
import { type CachedCall, PromptCache } from "./prompt-cache.ts";

/** One request that came in, in the order of arrival. */
export interface ApiRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly headers: Headers;
  /** Nothing for requests without a body. */
  readonly body: MessagesBody | undefined;
  /** The newest text of the user; empty when there is none. */
  readonly userText: string;
  /** Aborts when the caller has gone. */
  readonly gone: AbortSignal;
}

/** What a `claude` needs to reach the stand-in, and what it asked of it. */
export interface MessagesApi extends AsyncDisposable {
  readonly baseUrl: string;
  readonly requests: readonly ApiRequest[];
  /** `ANTHROPIC_BASE_URL` and a made-up key. */
  readonly environment: { readonly ANTHROPIC_BASE_URL: string; readonly ANTHROPIC_API_KEY: string };
  /** Lets `AFTER <gate>: …` be answered, now and from now on. */
  open(gate: string): void;
  /** Answers calls that fit with an error, whatever they ask for. */
  refuse(fits: (request: ApiRequest) => boolean, status: number, message: string): void;
  /** The calls of `POST /v1/messages` so far. */
  calls(): readonly MessagesBody[];
  /** The calls that came, and their answers that began. */
  readonly order: readonly ("call" | "answer")[];
  /** What the calls did with the cache, in the order in which they came. */
  readonly cached: readonly CachedCall[];
  /** Gives the first request that fits, among those that came and those to come. */
  request(fits: (request: ApiRequest) => boolean): Promise<ApiRequest>;
}

const block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  content: z.unknown().optional(),
});
const messagesBody = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(false),
  system: z.union([z.string(), z.array(block)]).default(""),
  tools: z.array(z.looseObject({ name: z.string().optional() })).default([]),
  messages: z.array(z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(block)]) })),
});
export type MessagesBody = z.infer<typeof messagesBody>;
type Block = z.infer<typeof block>;
type Message = MessagesBody["messages"][number];

interface Manner {
  /** Whether it has a cache, so that its calls use different tokens. */
  caches?: boolean;
  /** How long it takes until an answer begins. */
  firstTokenMs?: number;
}

/**
 * Starts the stand-in on a free port. The last prompt decides. Its lines that begin with ` THEN ` are further steps,
 * one for each tool result since, and for each notification that work in the background has ended:
 * - `RUN: <command>` has the command run by Bash, `TOOL: <name> <json>` calls any tool, `STRUCTURED: <json>` calls
 *   StructuredOutput;
 * - `FAIL <status> [header=value …][: <message>]` is an API error;
 * - `HOLD` begins a reply that never ends; `AFTER <gate>: <text>` says the text once the gate is open;
 * - `SAY: <text>` says the text, and anything else is answered by `You said: <text>`.
 *
 * When no step is left, the last tool result is quoted. Each call uses the same tokens (`tokensOfCall`).
 */
export function startMessagesApi({ caches = false, firstTokenMs = 0 }: Manner = {}): MessagesApi {
  const cache = new PromptCache();
  const cached: CachedCall[] = [];
  const order: ("call" | "answer")[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gateCalled = (name: string) => {
    const gate = gates.get(name) ?? Promise.withResolvers<void>();
    gates.set(name, gate);
    return gate;
  };
  const refusals: { fits(request: ApiRequest): boolean; status: number; message: string }[] = [];
  const requests: ApiRequest[] = [];
  const waiting = new Set<(request: ApiRequest) => void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(incoming) {
      const request = await received(incoming);
      requests.push(request);
      for (const tell of waiting) tell(request);
      const call = caches && isCall(request) && request.body ? cache.callOf(request.body) : undefined;
      if (call) cached.push(call);
      if (isCall(request)) order.push("call");
      if (firstTokenMs > 0 && isCall(request)) await Bun.sleep(firstTokenMs);
      const gate = /^\s*AFTER (\w+):/.exec(stepOf(request.body) ?? "")?.[1];
      if (gate !== undefined) await gateCalled(gate).promise;
      const refusal = request.body && refusals.find(({ fits }) => fits(request));
      if (refusal) return failure(refusal.status, refusal.message);
      const answered = respond(request, requests.length, call);
      if (answered.ok) call?.store();
      if (isCall(request)) order.push("answer");
      return answered;
    },
  });
  const baseUrl = `http://127.0.0.1:${server.port}`;
  return {
    baseUrl,
    requests,
    environment: { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_API_KEY: "sk-ant-made-up" },
    open: (gate) => gateCalled(gate).resolve(),
    refuse: (fits, status, message) => void refusals.push({ fits, status, message }),
    cached,
    order,
    calls: () => requests.flatMap(({ path, body }) => (path === "/v1/messages" && body ? [body] : [])),
    request(fits) {
      const there = requests.find(fits);
      if (there) return Promise.resolve(there);
      const { promise, resolve } = Promise.withResolvers<ApiRequest>();
      const tell = (request: ApiRequest) => {
        if (!fits(request)) return;
        waiting.delete(tell);
        resolve(request);
      };
      waiting.add(tell);
      return promise;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

const alivePath = "/alive/";

/** A shell command that tells the stand-in its pid (see `announced`), and then stays until it is killed. */
export function stayingCommand({ baseUrl }: MessagesApi): string {
  const script = `await (await fetch("${baseUrl}${alivePath}" + process.pid)).text()`;
  return `'${process.execPath}' -e '${script}'`;
}

/** The pid of the next `stayingCommand` that came up, and the signal of its end. */
export async function announced(api: MessagesApi): Promise<{ pid: number; gone: AbortSignal }> {
  const { path, gone } = await api.request((request) => request.path.startsWith(alivePath));
  return { pid: Number(path.slice(alivePath.length)), gone };
}

/** All of the system prompt as one text. */
export function systemText(body: MessagesBody): string {
  return typeof body.system === "string" ? body.system : body.system.map(({ text }) => text ?? "").join("\n");
}

async function received(incoming: Request): Promise<ApiRequest> {
  const { pathname } = new URL(incoming.url);
  const text = incoming.method === "POST" ? await incoming.text() : "";
  const body = text === "" ? undefined : messagesBody.parse(JSON.parse(text));
  return {
    method: incoming.method,
    path: pathname,
    headers: incoming.headers,
    body,
    userText: body ? lastUserText(body) : "",
    gone: incoming.signal,
  };
}

const messagesPath = "/v1/messages";

function isCall({ method, path }: ApiRequest): boolean {
  return method === "POST" && path === messagesPath;
}

function respond({ method, path, body }: ApiRequest, number: number, cached?: CachedCall): Response {
  if (method === "HEAD") return new Response(null, { status: 200 });
  if (path.startsWith(alivePath)) return new Response(endless());
  if (method !== "POST" || !body) return failure(404, "not found");
  if (path === "/v1/messages/count_tokens") return Response.json({ input_tokens: 1 });
  if (path !== messagesPath) return failure(404, "not found");
  const step = stepOf(body) ?? "";
  const failing = /^\s*FAIL (\d{3})((?: [\w-]+=\S+?)*)(?:: (.*))?$/s.exec(step);
  if (failing) {
    const [, status = "", headers = "", message = `made to fail with ${status}`] = failing;
    return failure(Number(status), message, new URLSearchParams(headers.trim().replaceAll(" ", "&")));
  }
  return send(replyTo(body, step), { body, number, cached });
}

// The step of the last prompt that is due. None when all its steps have been taken, or there is no prompt.
function stepOf(body: MessagesBody | undefined): string | undefined {
  if (!body) return undefined;
  const at = body.messages.findLastIndex((message) => promptIn(message) !== undefined);
  const since = body.messages.slice(at + 1).flatMap(blocksOf);
  const taken = since.filter(({ type, text = "" }) => type === "tool_result" || isNotification(text));
  const prompt = at < 0 ? undefined : promptIn(body.messages[at]);
  return prompt?.split(/\n THEN /)[taken.length];
}

// That work in the background has ended; older versions say it as the user, newer ones as the system.
function isNotification(text: string): boolean {
  return /^\s*(?:<system-reminder>\s*)?(?:<task-notification>|\[SYSTEM NOTIFICATION)/.test(text);
}

function replyTo(body: MessagesBody, step: string): Reply {
  const called = /^\s*TOOL: (\w+) (.+)/s.exec(step);
  if (called) return { kind: "tool", name: called[1] ?? "", input: inputIn(called[2] ?? "{}") };
  const command = /^\s*RUN: (.+)/s.exec(step)?.[1];
  if (command !== undefined) {
    return { kind: "tool", name: "Bash", input: { command, description: "Runs what the test asks for" } };
  }
  const output = /^\s*STRUCTURED: (.+)/s.exec(step)?.[1];
  if (output !== undefined) return { kind: "tool", name: "StructuredOutput", input: JSON.parse(output) };
  const said = /^\s*(?:SAY|AFTER \w+): (.*)/s.exec(step)?.[1];
  if (said !== undefined) return { kind: "text", text: said };
  if (/^\s*HOLD/.test(step)) return { kind: "hold" };
  const result = lastUserBlocks(body).findLast(({ type }) => type === "tool_result");
  if (result) return { kind: "text", text: `The tool said: ${flat(result.content)}` };
  return { kind: "text", text: `You said: ${step}` };
}

// Our program fills a path in as it is, and those of Windows have backslashes, of which JSON makes something else.
function inputIn(text: string): unknown {
  return JSON.parse(/"[A-Za-z]:\\\w/.test(text) ? text.replaceAll("\\", "\\\\") : text);
}

interface Call {
  body: MessagesBody;
  number: number;
  cached: CachedCall | undefined;
}

function send(reply: Reply, { body, number, cached }: Call): Response {
  const about = { model: body.model, number, cached };
  const headers = { "request-id": `req_${number}` };
  if (body.stream || reply.kind === "hold") {
    return new Response(eventStream(reply, about), {
      headers: { ...headers, "content-type": "text/event-stream" },
    });
  }
  return Response.json(answer(reply, about), { headers });
}

function failure(status: number, message: string, headers = new URLSearchParams()): Response {
  const type = apiErrorType(status);
  return Response.json(
    { type: "error", error: { type, message } },
    { status, headers: [["request-id", "req_refused"], ...headers] },
  );
}

function lastUserText(body: MessagesBody): string {
  const prompted = body.messages.findLast(
    (message) => message.role === "user" && promptIn(message) !== undefined,
  );
  return promptIn(prompted) ?? "";
}

// What the CLI itself adds to a turn stands in blocks of its own. Of a prompt in several blocks, the first counts.
const addedByClaude =
  /^\s*(?:$|<system-reminder>|<task-notification>|<local-command|<command-name>|\[SYSTEM NOTIFICATION|\[Request interrupted)/;

function promptIn(message: Message | undefined): string | undefined {
  const blocks = message?.role === "user" ? blocksOf(message) : [];
  return blocks.find(({ type, text }) => type === "text" && !addedByClaude.test(text ?? ""))?.text;
}

function lastUserBlocks(body: MessagesBody): Block[] {
  const last = body.messages.findLast(({ role }) => role === "user");
  return last ? blocksOf(last) : [];
}

function blocksOf({ content }: Message): Block[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function flat(content: unknown): string {
  const blocks = z.array(block).safeParse(content);
  if (blocks.success) return blocks.data.map(({ text }) => text ?? "").join("\n");
  return typeof content === "string" ? content : JSON.stringify(content);
}
