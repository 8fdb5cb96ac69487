// Tools that the SDK's registry lists, and that are called as our own server calls its: an error of the protocol stays
// one, where the registry would make a result of it.
import {
  type CallToolResult,
  type InputRequiredResult,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
  type StandardSchemaWithJSON,
} from "@modelcontextprotocol/server";

type Answer = CallToolResult | InputRequiredResult;
type Output<Schema extends StandardSchemaWithJSON> = StandardSchemaWithJSON.InferOutput<Schema>;

export class Toolbox {
  readonly #server: McpServer;
  readonly #runs = new Map<string, (input: unknown, request: ServerContext) => Answer | Promise<Answer>>();

  constructor(server: McpServer) {
    this.#server = server;
  }

  /** One without arguments. */
  add(name: string, run: (request: ServerContext) => Answer | Promise<Answer>): void {
    this.#server.registerTool(name, { description: "Takes nothing." }, run);
    this.#runs.set(name, (_, request) => run(request));
  }

  /** One with arguments. */
  addWith<Schema extends StandardSchemaWithJSON>(
    name: string,
    inputSchema: Schema,
    run: (input: Output<Schema>, request: ServerContext) => Answer | Promise<Answer>,
  ): void {
    const schema: StandardSchemaWithJSON = inputSchema;
    const unused = () => ({ content: [] });
    this.#server.registerTool(name, { description: "Takes something.", inputSchema: schema }, unused);
    this.#runs.set(name, async (input, request) => {
      const checked = await inputSchema["~standard"].validate(input);
      if (checked.issues) throw new Error(checked.issues.map(({ message }) => message).join("; "));
      return run(checked.value, request);
    });
  }

  /** Takes the calls over from the registry, once it is complete. */
  serve(): void {
    this.#server.server.setRequestHandler("tools/call", async ({ params }, request) => {
      const run = this.#runs.get(params.name);
      if (!run) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${params.name} not found`);
      try {
        return await run(params.arguments ?? {}, request);
      } catch (error) {
        if (error instanceof ProtocolError) throw error;
        return { content: [{ type: "text", text: String(error) }], isError: true };
      }
    });
  }
}
