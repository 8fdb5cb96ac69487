// Clients until 2025-11-25 over HTTP: each has a session, so that it is known by name, can cancel, and is told of changes.
import { type McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { z } from "zod";
import { ClientEnded } from "../../operations/operation.ts";
import { newSecret } from "../../platform/secret.ts";
import { refusal } from "./admission.ts";

/** A client that just went away leaves its session: the oldest idle ones make room. */
const mostSessions = 256;

/** Makes the server of a session, which ends with the signal, and puts its calls where they are seen. */
export type SessionServer = (client: AbortSignal, calls: Set<Promise<unknown>>) => McpServer;

interface Session {
  transport: WebStandardStreamableHTTPServerTransport;
  /** In progress. */
  calls: Set<Promise<unknown>>;
}

const request = z.object({ id: z.union([z.string(), z.number()]), method: z.string() });
const idHeader = "mcp-session-id";

export class Sessions {
  readonly #serverFor: SessionServer;
  // In the order of their last use.
  readonly #sessions = new Map<string, Session>();

  constructor(serverFor: SessionServer) {
    this.#serverFor = serverFor;
  }

  /** Answers one request, whose body was read already: one that begins a session, or is part of one. */
  async fetch(message: Request, parsedBody: unknown): Promise<Response> {
    const id = message.headers.get(idHeader);
    const session = id === null ? await this.#newSession() : this.#sessions.get(id);
    if (!session) {
      return id === null
        ? refusal(503, "Too many sessions are busy. Try again later.", { headers: { "Retry-After": "5" } })
        : refusal(404, "There is no such session (any more). Initialize again.", { code: -32_001 });
    }
    if (id !== null) this.#touch(id, session);
    cancelWithConnection(session, message.signal, parsedBody);
    return session.transport.handleRequest(message, parsedBody === undefined ? {} : { parsedBody });
  }

  /** All calls in progress. */
  get calls(): Promise<unknown>[] {
    return [...this.#sessions.values()].flatMap(({ calls }) => [...calls]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ transport }) => transport.close()));
  }

  async #newSession(): Promise<Session | undefined> {
    if (this.#sessions.size >= mostSessions && !(await this.#makeRoom())) return undefined;
    const client = new AbortController();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: newSecret,
      onsessioninitialized: (id) => void this.#sessions.set(id, session),
      onsessionclosed: (id) => {
        this.#sessions.delete(id);
        client.abort(new ClientEnded());
      },
    });
    const session: Session = { transport, calls: new Set() };
    await this.#serverFor(client.signal, session.calls).connect(transport);
    return session;
  }

  async #makeRoom(): Promise<boolean> {
    for (const [id, { calls, transport }] of this.#sessions) {
      if (calls.size > 0) continue;
      this.#sessions.delete(id);
      await transport.close();
      return true;
    }
    return false;
  }

  #touch(id: string, session: Session): void {
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
  }
}

// A connection that broke cannot bring the answer any more; calls learn of it as of a cancellation.
function cancelWithConnection({ transport }: Session, signal: AbortSignal, body: unknown): void {
  const ids = (Array.isArray(body) ? body : [body]).flatMap((one) => request.safeParse(one).data?.id ?? []);
  signal.addEventListener(
    "abort",
    () => {
      for (const requestId of ids) {
        const params = { requestId, reason: "The client has disconnected." };
        transport.onmessage?.({ jsonrpc: "2.0", method: "notifications/cancelled", params });
      }
    },
    { once: true },
  );
}

/** Whether a request belongs to a session, or begins one. Others stand alone, as those of one-shot scripts. */
export function isOfSession({ headers }: Request, body: unknown): boolean {
  return headers.has(idHeader) || request.safeParse(body).data?.method === "initialize";
}
