// Tools that talk with the client meanwhile: progress, logging, and questions as clients until 2025-11-25 get them.
import { type McpServer, MissingRequiredClientCapabilityError } from "@modelcontextprotocol/server";
import { z } from "zod";

type Schema = Parameters<McpServer["server"]["elicitInput"]>[0] extends infer Params
  ? Extract<Params, { requestedSchema: unknown }>["requestedSchema"]
  : never;

const said = (text: string) => ({ content: [{ type: "text" as const, text }] });

export function serveConversations(server: McpServer): void {
  serveNotices(server);
  serveQuestions(server);
}

function serveNotices(server: McpServer): void {
  server.registerTool("test_tool_with_progress", { description: "Gets on." }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      const params = { progressToken, progress, total: 100 };
      await mcpReq.notify({ method: "notifications/progress", params });
    }
    return said("Done.");
  });
  for (const name of ["test_tool_with_logging", "test_logging_tool"]) {
    server.registerTool(name, { description: "Logs." }, async ({ mcpReq }) => {
      for (const what of ["started", "goes on", "completed"]) await mcpReq.log("info", `Tool execution ${what}`);
      return said("Done.");
    });
  }
  server.registerTool("test_reconnection", { description: "Hangs up." }, ({ http }) => {
    http?.closeSSE?.();
    return said("Done.");
  });
}

function serveQuestions(server: McpServer): void {
  const prompt = z.object({ prompt: z.string() });
  server.registerTool(
    "test_sampling",
    { description: "Asks a model.", inputSchema: prompt },
    async ({ prompt: text }, { mcpReq }) => {
      const messages = [{ role: "user" as const, content: { type: "text" as const, text } }];
      const { content } = await mcpReq.requestSampling({ messages, maxTokens: 100 });
      return said(`LLM response: ${JSON.stringify(content)}`);
    },
  );
  server.registerTool("test_missing_capability", { description: "Takes a client with a model." }, () => {
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  });
  const text = { type: "string" as const };
  const properties = { username: text, email: text };
  server.registerTool(
    "test_elicitation",
    { description: "Asks a person.", inputSchema: z.object({ message: z.string() }) },
    async ({ message }, { mcpReq }) => {
      const requestedSchema = { type: "object" as const, properties, required: ["username", "email"] };
      return said(`User response: ${JSON.stringify(await mcpReq.elicitInput({ message, requestedSchema }))}`);
    },
  );
  for (const [name, schema] of Object.entries(forms)) {
    server.registerTool(name, { description: "Asks a person." }, async ({ mcpReq }) => {
      const answer = await mcpReq.elicitInput({ message: "Please fill in.", requestedSchema: schema });
      return said(`Elicitation completed: ${JSON.stringify(answer)}`);
    });
  }
}

const options = ["option1", "option2", "option3"];
const titled = [
  { const: "value1", title: "First Option" },
  { const: "value2", title: "Second Option" },
];

const forms: Record<string, Schema> = {
  test_elicitation_sep1034_defaults: {
    type: "object",
    properties: {
      name: { type: "string", default: "John Doe" },
      age: { type: "integer", default: 30 },
      score: { type: "number", default: 95.5 },
      status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
      verified: { type: "boolean", default: true },
    },
  },
  test_elicitation_sep1330_enums: {
    type: "object",
    properties: {
      untitledSingle: { type: "string", enum: options },
      titledSingle: { type: "string", oneOf: titled },
      legacyEnum: {
        type: "string",
        enum: ["opt1", "opt2", "opt3"],
        enumNames: ["Option One", "Option Two", "Option Three"],
      },
      untitledMulti: { type: "array", items: { type: "string", enum: options } },
      titledMulti: { type: "array", items: { anyOf: titled } },
    },
  },
};
