// Lets the conformance suite in, which knows of no token: a proxy on loopback that adds the token to each request, and
// changes nothing else. The door behind it is the one of the product, and takes nobody without.

/** Where the suite may go, until it is disposed of. */
export function letIn(port: number, token: string): Disposable & { url: string } {
  const proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async ({ url, method, headers, body, signal }) => {
      const shown = new Headers(headers);
      shown.set("Authorization", `Bearer ${token}`);
      const { pathname, search } = new URL(url);
      const target = `http://127.0.0.1:${port}${pathname}${search}`;
      const sent = body ? await new Response(body).bytes() : null;
      const answer = await fetch(target, { method, headers: shown, body: sent, signal, decompress: false });
      return new Response(answer.body, { status: answer.status, headers: answer.headers });
    },
  });
  return { url: `http://127.0.0.1:${proxy.port}/mcp`, [Symbol.dispose]: () => void proxy.stop(true) };
}
