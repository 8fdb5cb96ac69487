// Tools that need something of the client first, asked as clients of 2026-07-28 are: in rounds.
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Toolbox } from "./toolbox.ts";

/** Signs what the client keeps for us. */
export const states = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });

const said = (text: string) => ({ content: [{ type: "text" as const, text }] });

/** Asks for the user's name, or gives it. */
export function userName({ mcpReq }: ServerContext) {
  const given = acceptedContent(mcpReq.inputResponses, "user_name", z.object({ name: z.string() }));
  if (given) return given;
  return inputRequired({ inputRequests: { user_name: question("What is your name?", "name") } });
}

export function serveRounds(server: McpServer, tools: Toolbox): void {
  for (const name of ["test_input_required_result_elicitation", "test_streaming_elicitation"]) {
    tools.add(name, (request) => {
      const user = userName(request);
      return "name" in user ? said(`Hello, ${user.name}!`) : user;
    });
  }
  addOtherKinds(tools);
  addStates(tools);
  server.registerPrompt("test_input_required_result_prompt", { description: "Asks first." }, ({ mcpReq }) => {
    const given = acceptedContent(mcpReq.inputResponses, "user_context", z.object({ context: z.string() }));
    if (given) return { messages: [{ role: "user", content: { type: "text", text: given.context } }] };
    const user_context = question("What context should the prompt use?", "context");
    return inputRequired({ inputRequests: { user_context } });
  });
}

function addOtherKinds(tools: Toolbox): void {
  tools.add("test_input_required_result_sampling", ({ mcpReq }) => {
    const given = inputResponse(mcpReq.inputResponses, "capital_question");
    if (given.kind === "sampling") return said(JSON.stringify(given.result.content));
    return inputRequired({ inputRequests: { capital_question: sampling("What is the capital of France?") } });
  });
  tools.add("test_input_required_result_list_roots", ({ mcpReq }) => {
    const given = inputResponse(mcpReq.inputResponses, "client_roots");
    if (given.kind === "roots") return said(given.roots.map(({ uri }) => uri).join(", "));
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  const declared = z.object({
    [CLIENT_CAPABILITIES_META_KEY]: z.object({
      elicitation: z.unknown().optional(),
      sampling: z.unknown().optional(),
    }),
  });
  tools.add("test_input_required_result_capabilities", ({ mcpReq }) => {
    const client = declared.parse(mcpReq.envelope)[CLIENT_CAPABILITIES_META_KEY];
    return inputRequired({
      inputRequests: {
        ...(client.elicitation === undefined ? {} : { user_name: question("What is your name?", "name") }),
        ...(client.sampling === undefined ? {} : { greeting: sampling("Generate a greeting") }),
      },
    });
  });
}

function addStates(tools: Toolbox): void {
  for (const name of ["request_state", "tampered_state"]) {
    tools.add(`test_input_required_result_${name}`, async ({ mcpReq }) => {
      if (mcpReq.requestState() === "asked") return said("state-ok");
      const confirm = question("Please confirm", "ok", "boolean");
      return inputRequired({ inputRequests: { confirm }, requestState: await states.mint("asked") });
    });
  }
  tools.add("test_input_required_result_multiple_inputs", async ({ mcpReq }) => {
    if (mcpReq.requestState() === "asked") return said(JSON.stringify(mcpReq.inputResponses));
    return inputRequired({
      inputRequests: {
        user_name: question("What is your name?", "name"),
        greeting: sampling("Generate a greeting"),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await states.mint("asked"),
    });
  });
  tools.add("test_input_required_result_multi_round", async ({ mcpReq }) => {
    switch (mcpReq.requestState()) {
      case "step1": {
        const step2 = question("Step 2: What is your favorite color?", "color");
        return inputRequired({ inputRequests: { step2 }, requestState: await states.mint("step2") });
      }
      case "step2":
        return said("Both steps are done.");
      default: {
        const step1 = question("Step 1: What is your name?", "name");
        return inputRequired({ inputRequests: { step1 }, requestState: await states.mint("step1") });
      }
    }
  });
}

/** One value, of a person. */
export function question(message: string, property: string, type: "string" | "boolean" = "string") {
  const value = type === "string" ? { type } : { type };
  const requestedSchema = {
    type: "object" as const,
    properties: { [property]: value },
    required: [property],
  };
  return inputRequired.elicit({ message, requestedSchema });
}

function sampling(text: string) {
  const messages = [{ role: "user" as const, content: { type: "text" as const, text } }];
  return inputRequired.createMessage({ messages, maxTokens: 100 });
}
