// `serve`: the MCP server, on standard input and output, or over HTTP.
import { z } from "zod";
import { variableOf } from "../../model/configuration.ts";
import { product } from "../../model/product.ts";
import { stateDirectoryOf } from "../../operations/configuration.ts";
import { type Context, Fault, newContext, serverBusyTimeoutMs } from "../../operations/context.ts";
import { StoreProblem } from "../../store/database.ts";
import { httpToken } from "../../store/http-token.ts";
import { layoutOf } from "../../store/layout.ts";
import { type Address, addressFrom, isLoopback, urlHost } from "../http/address.ts";
import { type Asked, type Command, jsonFlag, jsonText, UsageFault } from "./command.ts";
import type { Terminal } from "./terminal.ts";

const own = z.object({
  http: z
    .string()
    .meta({
      placeholder: "[HOST:]PORT",
      flags: ["port", "listen"],
      description:
        "Serve over HTTP at this address (default host: 127.0.0.1) instead of standard input and output. Port 0 uses any free port.",
    })
    .optional(),
  json: jsonFlag.shape.json,
});

export const serve: Command = {
  name: "serve",
  otherNames: ["server", "http", "mcp", "start-server"],
  summary: "Run the MCP server on standard input and output; also without a command, if there is no terminal",
  description:
    "Runs the MCP server. On standard input and output, it serves the client that started it. Over HTTP, it serves many clients, each of which must send the token. The token is created at the first use, kept in the state directory, and printed with a configuration to paste. To listen on an address that other machines can reach, set `allowRemoteHttp`.",
  examples: [
    ["serve", "Serve the client that started it"],
    ["serve --http 8080", "Serve several clients, on 127.0.0.1"],
  ],
  input: z.object({}),
  withoutFlags: [],
  own,
  positionals: [],
  run: async ({ own: flags, context, terminal }: Asked) => {
    const { http, json = false } = own.parse(flags);
    if (http === undefined && json)
      throw new UsageFault([
        "--json needs --http, because standard output carries the answers to the client",
      ]);
    if (http === undefined) return (await import("../mcp.ts")).serve();
    const address = addressFrom(http);
    if (!address.ok) throw new UsageFault(address.faults);
    checkReach(address.value, context);
    return serveHttp(address.value, { terminal, json });
  },
};

function checkReach({ host }: Address, { configuration }: Context): void {
  if (isLoopback(host) || configuration.allowRemoteHttp) return;
  throw new Fault(
    `Other machines can reach ${host}. Anyone who has the token can run Claude Code on this machine with your rights, and the connection is not encrypted. Nothing was started. Omit the host to listen on 127.0.0.1 only, or allow it with ${variableOf("allowRemoteHttp")}=true or \`allowRemoteHttp\` in the configuration.`,
  );
}

async function serveHttp(
  address: Address,
  { terminal: { out, err }, json }: { terminal: Terminal; json: boolean },
): Promise<number> {
  using context = newContext({ busyTimeoutMs: serverBusyTimeoutMs });
  const layout = layoutOf(stateDirectoryOf(context.configuration));
  const token = tokenOrFault(layout);
  const stopped = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopped.resolve());
  // Only who serves pays for the SDK.
  const [{ openHttp }, { newServer }, { watchBatches }] = await Promise.all([
    import("../http.ts"),
    import("../mcp/server.ts"),
    import("../mcp/updates.ts"),
  ]);
  const open = () =>
    openHttp(address, token, {
      server: ({ tells, ...connection }) => newServer({ context, ...connection }, { tells }),
      listens: (listener, signal) => watchBatches(context, listener, signal),
    });
  const door = listening(open, address);
  const url = `http://${urlHost(address.host)}:${door.port}/mcp`;
  if (json)
    await out.print(jsonText({ url, tokenFile: layout.httpTokenFile, ...clientConfiguration(url, token) }));
  void err.print(
    `${product.name} ${product.version} listens on ${url}\nIts token is kept in ${layout.httpTokenFile}; anyone who has it can run Claude Code with your rights.\nFor a client's configuration:\n${jsonText(clientConfiguration(url, token))}`,
  );
  await stopped.promise;
  await door.close();
  return 0;
}

function tokenOrFault(layout: ReturnType<typeof layoutOf>): string {
  try {
    return httpToken(layout);
  } catch (error) {
    if (error instanceof StoreProblem) throw new Fault(error.message);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault(`The token cannot be kept in ${layout.httpTokenFile}: ${reason}`);
  }
}

function listening<Door>(open: () => Door, { host, port }: Address): Door {
  try {
    return open();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault(
      code === "EADDRINUSE"
        ? `Port ${port} of ${host} is in use. Choose another port, or use any free one with \`--http 0\`.`
        : `Cannot listen on ${host}:${port}: ${reason}`,
    );
  }
}

function clientConfiguration(url: string, token: string) {
  const server = { type: "http", url, headers: { Authorization: `Bearer ${token}` } };
  return { mcpServers: { "claude-code": server } };
}
