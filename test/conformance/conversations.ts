// Tools that talk with the client meanwhile: progress, logging, and questions as clients until 2025-11-25 get them.
import {
  CLIENT_CAPABILITIES_META_KEY,
  type McpServer,
  MissingRequiredClientCapabilityError,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Toolbox } from "./toolbox.ts";

type Schema = Parameters<McpServer["server"]["elicitInput"]>[0] extends infer Params
  ? Extract<Params, { requestedSchema: unknown }>["requestedSchema"]
  : never;

const said = (text: string) => ({ content: [{ type: "text" as const, text }] });

export function addConversations(tools: Toolbox): void {
  addNotices(tools);
  addQuestions(tools);
}

function addNotices(tools: Toolbox): void {
  tools.add("test_tool_with_progress", async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      const params = { progressToken, progress, total: 100 };
      await mcpReq.notify({ method: "notifications/progress", params });
    }
    return said("Done.");
  });
  for (const name of ["test_tool_with_logging", "test_logging_tool"]) {
    tools.add(name, async ({ mcpReq }) => {
      for (const what of ["started", "goes on", "completed"])
        await mcpReq.log("info", `Tool execution ${what}`);
      return said("Done.");
    });
  }
  tools.add("test_reconnection", ({ http }) => {
    http?.closeSSE?.();
    return said("Done.");
  });
}

function addQuestions(tools: Toolbox): void {
  tools.addWith("test_sampling", z.object({ prompt: z.string() }), async ({ prompt: text }, { mcpReq }) => {
    const messages = [{ role: "user" as const, content: { type: "text" as const, text } }];
    const { content } = await mcpReq.requestSampling({ messages, maxTokens: 100 });
    return said(`LLM response: ${JSON.stringify(content)}`);
  });
  const text = { type: "string" as const };
  const properties = { username: text, email: text };
  tools.add("test_missing_capability", ({ mcpReq }) => {
    if (withModel.safeParse(mcpReq.envelope).success) return said("The client has a model.");
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  });
  tools.addWith("test_elicitation", z.object({ message: z.string() }), async ({ message }, { mcpReq }) => {
    const requestedSchema = { type: "object" as const, properties, required: ["username", "email"] };
    return said(`User response: ${JSON.stringify(await mcpReq.elicitInput({ message, requestedSchema }))}`);
  });
  for (const [name, schema] of Object.entries(forms)) {
    tools.add(name, async ({ mcpReq }) => {
      const answer = await mcpReq.elicitInput({ message: "Please fill in.", requestedSchema: schema });
      return said(`Elicitation completed: ${JSON.stringify(answer)}`);
    });
  }
}

const withModel = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({ sampling: z.looseObject({}) }),
});

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
