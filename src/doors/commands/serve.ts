// `serve`: the MCP server, on standard input and output, or over HTTP.
import { z } from "zod";
import { variableOf } from "../../model/configuration.ts";
import { product } from "../../model/product.ts";
import { stateDirectoryOf } from "../../operations/configuration.ts";
import { type Context, Fault } from "../../operations/context.ts";
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
      description:
        "Serves over HTTP at this address, by itself 127.0.0.1, instead of standard input and output. Port 0 takes any free one.",
    })
    .optional(),
  json: jsonFlag.shape.json,
});

export const serve: Command = {
  name: "serve",
  summary: "The MCP server on standard input and output; also without a command, where no terminal is",
  description:
    "The MCP server. On standard input and output it serves the client that started it. Over HTTP it serves many, each of which must show the token: it is made at the first use, kept in the state directory, and printed with a configuration to paste. Listening where other machines reach it takes the setting `allowRemoteHttp`.",
  examples: [
    ["serve", "For a client that starts it itself"],
    ["serve --http 8080", "For several clients, on 127.0.0.1"],
  ],
  input: z.object({}),
  withoutFlags: [],
  own,
  positionals: [],
  run: async ({ own: flags, context, terminal }: Asked) => {
    const { http, json = false } = own.parse(flags);
    if (http === undefined && json)
      throw new UsageFault(["--json needs --http: on standard output, the client is answered"]);
    if (http === undefined) return (await import("../mcp.ts")).serve();
    const address = addressFrom(http);
    if (!address.ok) throw new UsageFault(address.faults);
    checkReach(address.value, context);
    return serveHttp(address.value, context, { terminal, json });
  },
};

function checkReach({ host }: Address, { configuration }: Context): void {
  if (isLoopback(host) || configuration.allowRemoteHttp) return;
  throw new Fault(
    `Other machines may reach ${host}, and whoever has the token runs Claude Code on this machine with your rights; the connection is not encrypted. Nothing was started. Leave the host out to listen on 127.0.0.1 only, or give leave by ${variableOf("allowRemoteHttp")}=true or \`allowRemoteHttp\` in the configuration.`,
  );
}

async function serveHttp(
  address: Address,
  context: Context,
  { terminal: { out, err }, json }: { terminal: Terminal; json: boolean },
): Promise<number> {
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
      server: ({ era, tells, ...connection }) => newServer({ context, ...connection }, { era, tells }),
      listens: (listener, signal) => watchBatches(context, listener, signal),
    });
  const door = listening(open, address);
  const url = `http://${urlHost(address.host)}:${door.port}/mcp`;
  if (json)
    await out.print(jsonText({ url, tokenFile: layout.httpTokenFile, ...clientConfiguration(url, token) }));
  void err.print(
    `${product.name} ${product.version} listens on ${url}\nIts token is kept in ${layout.httpTokenFile}; whoever has it runs Claude Code with your rights.\nFor a client's configuration:\n${jsonText(clientConfiguration(url, token))}`,
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
        ? `Port ${port} of ${host} is in use. Choose another one; with \`--http 0\` any free one is taken.`
        : `Cannot listen on ${host}:${port}: ${reason}`,
    );
  }
}

function clientConfiguration(url: string, token: string) {
  const server = { type: "http", url, headers: { Authorization: `Bearer ${token}` } };
  return { mcpServers: { "claude-code": server } };
}
