// Prompts: ways to use the server well, for people to pick.
import { type McpServer, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { cut } from "../../model/cut.ts";
import { prompts } from "./prompt-texts.ts";

export function servePrompts({ server }: McpServer): void {
  server.setRequestHandler("prompts/list", () => ({
    prompts: prompts.map(({ text: _, arguments: all, ...prompt }) => ({
      ...prompt,
      arguments: all.map(({ values: __, ...argument }) => argument),
    })),
  }));
  server.setRequestHandler("prompts/get", ({ params: { name, arguments: given = {} } }) => {
    const prompt = prompts.find((candidate) => candidate.name === name);
    if (!prompt) throw wrong(`There is no prompt ${cut(name, 100)}; there are ${names().join(", ")}.`);
    const missing = prompt.arguments.filter((argument) => argument.required && !given[argument.name]?.trim());
    if (missing.length > 0) {
      throw wrong(
        missing.map((argument) => `\`${argument.name}\` is missing: ${argument.description}`).join("\n"),
      );
    }
    return {
      description: prompt.description,
      messages: [{ role: "user" as const, content: { type: "text" as const, text: prompt.text(given) } }],
    };
  });
}

function names(): string[] {
  return prompts.map(({ name }) => name);
}

function wrong(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
