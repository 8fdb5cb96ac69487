// Ports for servers that a test starts later, or stops and starts again.

/**
 * A port of loopback on which nobody listens, and which the system gives to no connection: it takes those from 32768 on. One of
 * them could be somebody else's by the time at which its server starts.
 */
export function freePort(): number {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    try {
      using server = Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => undefined } });
      return server.port;
    } catch {
      // Somebody has it.
    }
  }
}
