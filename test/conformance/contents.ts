// What the conformance suite expects of every server: tools with all kinds of content, resources, prompts.
import { fromJsonSchema, type McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Toolbox } from "./toolbox.ts";

/** A red pixel. */
const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A sound without samples. */
const wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

const image = { type: "image" as const, data: png, mimeType: "image/png" };
const said = (text: string) => ({ type: "text" as const, text });
const embedded = (uri: string, mimeType: string, text: string) => ({
  type: "resource" as const,
  resource: { uri, mimeType, text },
});

export function serveContents(server: McpServer, tools: Toolbox): void {
  addTools(tools);
  serveResources(server);
  servePrompts(server);
}

function addTools(tools: Toolbox): void {
  const contents = {
    test_simple_text: [said("This is a simple text response for testing.")],
    test_image_content: [image],
    test_audio_content: [{ type: "audio" as const, data: wav, mimeType: "audio/wav" }],
    test_embedded_resource: [
      embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
    ],
    test_multiple_content_types: [
      said("Multiple content types test:"),
      image,
      embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
  };
  for (const [name, content] of Object.entries(contents)) tools.add(name, () => ({ content }));
  tools.add("test_error_handling", () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
  const taken = () => ({ content: [said("Taken.")] });
  tools.addWith("json_schema_2020_12_tool", fromJsonSchema(richSchema), taken);
  const headerSchema = { type: "object" as const, properties: { region: repeatedInHeader } };
  tools.addWith("test_custom_header", fromJsonSchema({ ...headerSchema, required: ["region"] }), taken);
}

// The word is not one of JSON Schema.
const repeatedInHeader = { type: "string" as const, "x-mcp-header": "Region" };

const richSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object" as const,
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  // biome-ignore lint/suspicious/noThenProperty: it is the word of JSON Schema.
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};

function serveResources(server: McpServer): void {
  const text = { description: "A text.", mimeType: "text/plain" };
  server.registerResource("static-text", "test://static-text", text, ({ href }) => ({
    contents: [
      { uri: href, mimeType: "text/plain", text: "This is the content of the static text resource." },
    ],
  }));
  server.registerResource("watched", "test://watched-resource", text, ({ href }) => ({
    contents: [{ uri: href, mimeType: "text/plain", text: "Watched." }],
  }));
  const picture = { description: "A picture.", mimeType: "image/png" };
  server.registerResource("static-binary", "test://static-binary", picture, ({ href }) => ({
    contents: [{ uri: href, mimeType: "image/png", blob: png }],
  }));
  server.registerResource(
    "template",
    new ResourceTemplate("test://template/{id}/data", { list: undefined }),
    { description: "One of many.", mimeType: "application/json" },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: "application/json",
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  );
}

function servePrompts(server: McpServer): void {
  const byUser = (content: ReturnType<typeof said> | ReturnType<typeof embedded> | typeof image) => ({
    role: "user" as const,
    content,
  });
  server.registerPrompt("test_simple_prompt", { description: "Says one thing." }, () => ({
    messages: [byUser(said("This is a simple prompt for testing."))],
  }));
  server.registerPrompt(
    "test_prompt_with_arguments",
    { description: "Has arguments.", argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => ({
      messages: [byUser(said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
    }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "Has a resource in it.", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        byUser(embedded(resourceUri, "text/plain", "Embedded resource content for testing.")),
        byUser(said("Please process the embedded resource above.")),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "Has an image in it." }, () => ({
    messages: [byUser(image), byUser(said("Please analyze the image above."))],
  }));
  server.server.setRequestHandler("completion/complete", ({ params: { argument } }) => ({
    completion: { values: ["paris", "park"].filter((word) => word.startsWith(argument.value)) },
  }));
}
