// Clients until 2025-11-25 over HTTP: each has a session, so that its name is known, it can cancel, and it gets
// notifications.
import { type McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { z } from "zod";
import { ClientEnded } from "../../../operations/operation.ts";
import { newSecret } from "../../../platform/secret.ts";
import { refusal } from "./admission.ts";

/** A client that just disappears leaves its session: the oldest idle ones are closed for new ones. */
const mostSessions = 256;

/** Creates the server of a session, which ends with the signal, and registers its calls in `calls`. */
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
  // Least recently used first.
  readonly #sessions = new Map<string, Session>();

  constructor(serverFor: SessionServer) {
    this.#serverFor = serverFor;
  }

  /** Answers one request, whose body was read already: it begins a session, or belongs to one. */
  async fetch(message: Request, parsedBody: unknown): Promise<Response> {
    const id = message.headers.get(idHeader);
    const session = id === null ? await this.#newSession() : this.#sessions.get(id);
    if (!session) {
      return id === null
        ? refusal(503, "Too many sessions are busy. Try again later.", { headers: { "Retry-After": "5" } })
        : refusal(404, "There is no such session (any more). Initialize again.", { code: -32_001 });
    }
    if (id !== null) this.#touch(id, session);
    const { transport } = session;
    try {
      return await transport.handleRequest(message, parsedBody === undefined ? {} : { parsedBody });
    } finally {
      // A refused `initialize` began no session, so nobody else would close its server.
      if (transport.sessionId === undefined) await transport.close();
    }
  }

  /** All calls in progress. */
  get calls(): Promise<unknown>[] {
    return [...this.#sessions.values()].flatMap(({ calls }) => [...calls]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ transport }) => transport.close()));
  }

  async #newSession(): Promise<Session | undefined> {
    if (this.#sessions.size >= mostSessions && !this.#oldestIdle()) return undefined;
    const client = new AbortController();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: newSecret,
      // Only now is it certain that the session begins, and may replace another one.
      onsessioninitialized: async (id) => {
        if (this.#sessions.size >= mostSessions) await this.#close(this.#oldestIdle());
        this.#sessions.set(id, session);
      },
      onsessionclosed: (id) => {
        this.#sessions.delete(id);
        client.abort(new ClientEnded());
      },
    });
    const session: Session = { transport, calls: new Set() };
    await this.#serverFor(client.signal, session.calls).connect(transport);
    return session;
  }

  #oldestIdle(): string | undefined {
    for (const [id, { calls }] of this.#sessions) if (calls.size === 0) return id;
    return undefined;
  }

  async #close(id: string | undefined): Promise<void> {
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (id === undefined || !session) return;
    this.#sessions.delete(id);
    await session.transport.close();
  }

  #touch(id: string, session: Session): void {
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
  }
}

/** Whether a request belongs to a session, or begins one. Others are independent, as from one-shot scripts. */
export function isOfSession({ headers }: Request, body: unknown): boolean {
  return headers.has(idHeader) || request.safeParse(body).data?.method === "initialize";
}
