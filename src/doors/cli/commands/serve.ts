// `serve`: the MCP server, on standard input and output, or over HTTP.
import { z } from "zod";
import { variableOf } from "../../../model/configuration.ts";
import { product } from "../../../model/product.ts";
import { type Context, newContext, serverBusyTimeoutMs, UserError } from "../../../operations/context.ts";
import { clientToken } from "../../../operations/http-token.ts";
import { codeOf, messageOf } from "../../../platform/system-error.ts";
import { type Address, addressFrom, isLoopback, urlHost } from "../../mcp/http/address.ts";
import { type Command, type Invocation, jsonFlag, jsonText, UsageError } from "../input/command.ts";
import { endingSignals } from "../signals/ending-signals.ts";
import type { Terminal } from "../terminal/terminal.ts";

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
  showToken: z
    .boolean()
    .meta({
      description:
        "Print the configuration for a client of the server at the address of `--http`, with the token, and exit.",
    })
    .optional(),
  json: jsonFlag.shape.json,
});

export const serve: Command = {
  name: "serve",
  otherNames: ["server", "http", "mcp", "start-server"],
  summary: "Run the MCP server on standard input and output; also without a command, if there is no terminal",
  description:
    "Runs the MCP server. On standard input and output, it serves the client that started it. Over HTTP, it serves many clients, each of which must send the token. The first start creates the token, stores it in the state directory, and prints it with a configuration to paste. Later, `--show-token` prints it again. To listen on an address that other machines can reach, set `allowRemoteHttp`.",
  examples: [
    ["serve", "Serve the client that started it"],
    ["serve --http 8080", "Serve several clients, on 127.0.0.1"],
    ["serve --http 8080 --show-token", "Print the configuration for its clients again"],
  ],
  input: z.object({}),
  withoutFlags: [],
  own,
  positionals: [],
  run: async ({ own: flags, context, terminal }: Invocation) => {
    const { http, showToken = false, json = false } = own.parse(flags);
    if (http === undefined && showToken)
      throw new UsageError(["--show-token needs `--http [HOST:]PORT`, the address of the server"]);
    if (http === undefined && json)
      throw new UsageError([
        "--json needs --http, because standard output carries the answers to the client",
      ]);
    if (http === undefined) return (await import("../../mcp/stdio/serve.ts")).serve();
    const address = addressFrom(http);
    if (!address.ok) throw new UsageError(address.faults);
    if (showToken) return printToken(address.value, context, terminal);
    checkReach(address.value, context);
    return serveHttp(address.value, { terminal, json });
  },
};

async function printToken({ host, port }: Address, context: Context, { out }: Terminal): Promise<number> {
  if (port === 0) throw new UsageError(["--show-token needs the port on which the server listens"]);
  const { token } = await clientToken(context);
  await out.print(jsonText(clientConfiguration(urlOf(host, port), token)));
  return 0;
}

function urlOf(host: string, port: number): string {
  return `http://${urlHost(host)}:${port}/mcp`;
}

function checkReach({ host }: Address, { configuration }: Context): void {
  if (isLoopback(host) || configuration.allowRemoteHttp) return;
  throw new UserError(
    `Other machines can reach ${host}. Anyone who has the token can run Claude Code on this machine with your rights, and the connection is not encrypted. Nothing was started. Omit the host to listen on 127.0.0.1 only, or allow it with ${variableOf("allowRemoteHttp")}=true or \`allowRemoteHttp\` in the configuration.`,
  );
}

async function serveHttp(
  address: Address,
  { terminal: { out, err }, json }: { terminal: Terminal; json: boolean },
): Promise<number> {
  using context = newContext("tools", { busyTimeoutMs: serverBusyTimeoutMs });
  const { token, isNew, file } = await clientToken(context);
  const stopped = Promise.withResolvers<void>();
  for (const signal of endingSignals) process.on(signal, () => stopped.resolve());
  // Imported here, so that other commands do not load the SDK.
  const [{ openHttp }, { newServer }, { announceChanges }, { ContextAtFirstUse }] = await Promise.all([
    import("../../mcp/http/serve.ts"),
    import("../../mcp/server.ts"),
    import("../../mcp/updates.ts"),
    import("../../mcp/context-at-first-use.ts"),
  ]);
  const shared = new ContextAtFirstUse(() => context);
  const open = () =>
    openHttp(address, token, {
      server: ({ tells, ...connection }) => newServer({ context: shared, ...connection }, { tells }),
      listens: (listener, signal) => announceChanges(shared, listener, signal),
      rests: () => shared.giveMemoryBack(),
    });
  const door = listening(open, address);
  const url = urlOf(address.host, door.port);
  // Only once, because a service's output is in a log that others may read.
  const shown = isNew ? clientConfiguration(url, token) : undefined;
  if (json) await out.print(jsonText({ url, tokenFile: file, ...shown }));
  void err.print(
    [
      `${product.name} ${product.version} listens on ${url}`,
      `Its token is kept in ${file}; anyone who has it can run Claude Code with your rights.`,
      shown
        ? `For a client's configuration (shown this once; \`--show-token\` prints it again):\n${jsonText(shown)}`
        : `For a client's configuration: \`${product.name} serve --http ${urlHost(address.host)}:${door.port} --show-token\``,
    ].join("\n"),
  );
  await stopped.promise;
  await door.close();
  return 0;
}

function listening<Door>(open: () => Door, { host, port }: Address): Door {
  try {
    return open();
  } catch (error) {
    const reason = messageOf(error);
    const texts: Record<string, string> = {
      EADDRINUSE: `Port ${port} of ${host} is in use. Choose another port, or use any free one with \`--http ${host}:0\`.`,
      EADDRNOTAVAIL: `${host} is not an address of this machine. Omit the host to listen on 127.0.0.1.`,
      EACCES: `Port ${port} requires more rights than you have. Choose one from 1024 on, or use any free one with \`--http ${host}:0\`.`,
    };
    throw new UserError(texts[codeOf(error) ?? ""] ?? `Cannot listen on ${host}:${port}: ${reason}`);
  }
}

function clientConfiguration(url: string, token: string) {
  const server = { type: "http", url, headers: { Authorization: `Bearer ${token}` } };
  return { mcpServers: { "claude-code": server } };
}
