// The MCP server on standard input and output. Stateless: nothing is opened, locked or searched before the first call,
// and two copies do not disturb each other.
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { ClientEnded } from "../../../operations/operation.ts";
import { settledWithin } from "../../../platform/clock.ts";
import { RestingMemory } from "../../../platform/resting-memory.ts";
import { ContextAtFirstUse } from "../context-at-first-use.ts";
import { newServer } from "../server.ts";
import { StdioTransport } from "./transport.ts";

/** How long calls in progress may take to finish, in milliseconds. Clients kill 400 ms after they ask. */
const farewellMs = 300;

/** Serves until the client has gone; returns the exit status. */
export async function serve(): Promise<number> {
  const context = new ContextAtFirstUse(async () => {
    const { newContext, serverBusyTimeoutMs } = await import("../../../operations/context.ts");
    return newContext("tools", { busyTimeoutMs: serverBusyTimeoutMs });
  });
  const client = new AbortController();
  const closed = Promise.withResolvers<void>();
  const transport = new StdioTransport(() => client.abort(new ClientEnded()));
  const calls = new Set<Promise<unknown>>();
  using memory = new RestingMemory(() => calls.size > 0, { first: () => context.giveMemoryBack() });
  const server = serveStdio(
    ({ era }) =>
      newServer({ context, era, environment: process.env, client: client.signal, calls }, { tells: true }),
    {
      transport: onSend(onClose(transport, closed.resolve), () => memory.worked()),
      onerror: () => undefined,
    },
  );
  // Windows has SIGBREAK instead of SIGTERM.
  for (const signal of ["SIGINT", "SIGTERM", "SIGBREAK"] as const) process.on(signal, () => closed.resolve());
  await closed.promise;
  // A sync batch has lost its caller: each waiting call writes that to the log, and returns.
  client.abort(new ClientEnded());
  await settledWithin(Promise.allSettled(calls), farewellMs);
  await settledWithin(server.close(), farewellMs);
  await context.end();
  return 0;
}

// The SDK sets its own `onclose` on the transport, so ours is called first.
function onClose(transport: StdioTransport, closed: () => void): StdioTransport {
  const close = transport.close.bind(transport);
  transport.close = async () => {
    await close();
    closed();
  };
  return transport;
}

// Whatever the server has done ends with a message.
function onSend(transport: StdioTransport, sending: () => void): StdioTransport {
  const send = transport.send.bind(transport);
  transport.send = (message) => {
    sending();
    return send(message);
  };
  return transport;
}
