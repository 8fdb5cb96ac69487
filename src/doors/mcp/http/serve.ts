// MCP over HTTP. Clients of 2026-07-28 are served request by request, older ones in sessions.
import { createMcpHandler, isLegacyRequest, type McpServer } from "@modelcontextprotocol/server";
import { ClientEnded } from "../../../operations/operation.ts";
import { settledWithin } from "../../../platform/clock.ts";
import { RestingMemory } from "../../../platform/resting-memory.ts";
import { callAsMeant } from "../call-as-meant.ts";
import type { Listener } from "../updates.ts";
import { type Address, hostname } from "./address.ts";
import { admission, refusal } from "./admission.ts";
import { isOfSession, Sessions } from "./sessions.ts";

const megabyte = 1024 * 1024;
/** Longest body, in bytes. */
const longestBody = 10 * megabyte;
/** Most requests at once, including streams. */
const mostRequests = 512;
/** Most streams of notifications at once. */
const mostSubscriptions = 128;
/** How long a connection without the token may be silent, in seconds. */
const strangersIdleSeconds = 15;
/**
 * How long calls in progress may take to finish, and then their connections, in milliseconds. Clients kill after 400.
 */
const farewellMs = 240;
const closingMs = 60;

/** The client of a server. */
export interface ServedClient {
  era: "legacy" | "modern";
  /** Aborted when the client has gone. */
  client: AbortSignal;
  /** The calls in progress. */
  calls: Set<Promise<unknown>>;
  /** Whether it lives as long as its client, and may announce changes. */
  tells: boolean;
}

/** What the door serves. */
export interface Serving {
  server(client: ServedClient): McpServer;
  /** Called once with the listener for changes: the streams of the newer era. */
  listens?(listener: Listener, signal: AbortSignal): void;
  /** Called after some time without requests: gives back the memory that is only there to be faster. */
  rests?(): void;
}

/** An open door. */
export interface HttpDoor {
  /** The port that it got. */
  port: number;
  /** Ends everything in progress, and closes. */
  close(): Promise<void>;
}

/** Starts listening. Throws if the address is not available. */
export function openHttp(address: Address, token: string, serving: Serving): HttpDoor {
  const ended = new AbortController();
  const refused = admission(address, token);
  const calls = new Set<Promise<unknown>>();
  const sessions = new Sessions((client, ofSession) =>
    serving.server({
      era: "legacy",
      client: AbortSignal.any([client, ended.signal]),
      calls: ofSession,
      tells: true,
    }),
  );
  const single = createMcpHandler(
    ({ era }) => serving.server({ era, client: ended.signal, calls, tells: false }),
    { maxRequestBodySize: longestBody, maxSubscriptions: mostSubscriptions, onerror: () => undefined },
  );
  const memory = new RestingMemory(() => calls.size > 0 || sessions.calls.length > 0, {
    first: () => serving.rests?.(),
  });
  const server = Bun.serve({
    hostname: hostname(address),
    port: address.port,
    idleTimeout: strangersIdleSeconds,
    maxRequestBodySize: longestBody,
    fetch: async (request, listening) => {
      const refusing = refused(request);
      if (refusing) return refusing;
      memory.worked();
      if (listening.pendingRequests > mostRequests) return busy();
      // Calls take as long as their sessions.
      listening.timeout(request, 0);
      const body = await bodyOf(request);
      if (body instanceof Response) return body;
      if (isOfSession(request, body) && (await isLegacyRequest(request, body)))
        return sessions.fetch(request, body);
      return single.fetch(request, body === undefined ? {} : { parsedBody: body });
    },
    error: (error) => {
      console.error(error);
      return refusal(500, "Internal error.", { code: -32_603 });
    },
  });
  const { notify } = single;
  serving.listens?.(
    { listChanged: () => notify.resourcesChanged(), updated: (uri) => notify.resourceUpdated(uri) },
    ended.signal,
  );
  return {
    port: server.port ?? address.port,
    close: async () => {
      memory[Symbol.dispose]();
      ended.abort(new ClientEnded());
      await settledWithin(Promise.allSettled([...calls, ...sessions.calls]), farewellMs);
      // The SDK sends an answer some microtasks after its call has ended, and drops it once the stream is closed: the
      // client would wait in vain.
      await Bun.sleep(0);
      const closing = Promise.all([single.close(), sessions.close()]).then(() => server.stop(true));
      await settledWithin(closing, closingMs);
    },
  };
}

// Read once for both eras; undefined if there is none. Other media types than JSON are refused later.
async function bodyOf(request: Request): Promise<unknown> {
  if (request.method !== "POST") return undefined;
  try {
    const text = await request.text();
    if (text.length > longestBody) return refusal(413, "The message is longer than 10 MB.");
    return callAsMeant(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError)
      return refusal(400, "Parse error: the body is not JSON.", { code: -32_700 });
    return refusal(400, "The body could not be read.");
  }
}

function busy(): Response {
  return refusal(503, "Too many requests at once. Try again later.", { headers: { "Retry-After": "5" } });
}
