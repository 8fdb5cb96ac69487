// Faults in the params of a request, as sentences: the SDK answers with its schema library's list of issues.
import type { McpServer } from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { z } from "zod";
import { placeText } from "../../operations/place-text.ts";
import { typeWords } from "../../operations/type-words.ts";

/** Rewords such errors on their way out, with any transport of the server. */
export function answerInSentences({ server }: McpServer): void {
  const connect = server.connect.bind(server);
  server.connect = (transport) => {
    const send = transport.send.bind(transport);
    transport.send = (message, options) => send("error" in message ? inSentences(message) : message, options);
    return connect(transport);
  };
}

/**
 * For a method that is registered with its own schema: `paramsOf` checks its params, because the SDK gives no sentences.
 */
export const anyParams = z.looseObject({});

/** The params of a request. Throws what is wrong with them, in sentences. */
export function paramsOf<Schema extends z.ZodType>(schema: Schema, params: unknown): z.output<Schema> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const issues = issuesSchema.parse(parsed.error.issues);
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, issues.map(sentenceOf).join(" "));
}

const issueSchema = z.object({
  code: z.string(),
  path: z.array(z.union([z.string(), z.number()])),
  message: z.string(),
  expected: z.string().optional(),
});
const issuesSchema = z.array(issueSchema).min(1);
type Issue = z.infer<typeof issueSchema>;

function inSentences<Message extends { error: { code: number; message: string } }>(
  message: Message,
): Message {
  const { error } = message;
  const issues = issuesIn(error.message);
  if (!issues) return message;
  const text = issues.map(sentenceOf).join(" ");
  return { ...message, error: { ...error, code: ProtocolErrorCode.InvalidParams, message: text } };
}

function issuesIn(text: string): Issue[] | undefined {
  const start = /(?:^|: )(?=\[\s*\{)/.exec(text);
  if (!start) return undefined;
  try {
    return issuesSchema.safeParse(JSON.parse(text.slice(start.index + start[0].length))).data;
  } catch {
    // Not the list: the message stays unchanged.
    return undefined;
  }
}

function sentenceOf({ path, code, message, expected }: Issue): string {
  const [outer, ...inner] = path;
  const place = placeText(outer === "params" && inner.length > 0 ? inner : path) || "The request";
  const name = place === "The request" ? place : `\`${place}\``;
  if (code === "too_small") return `${name} is empty.`;
  const wanted = code === "invalid_type" && expected !== undefined ? typeWords[expected] : undefined;
  if (wanted === undefined) return `${name} is not valid.`;
  return message.endsWith("received undefined")
    ? `${name} is missing: expected ${wanted}.`
    : `${name} must be ${wanted}.`;
}
