// An operation's output as the result of a tool call.
import { z } from "zod";
import { taskUri } from "../../operations/batch-uri.ts";
import { countText } from "../../report/amounts.ts";
import { cutAtLine } from "../../report/lines.ts";
import { wellFormed } from "./well-formed.ts";

/** Claude Code cuts the middle out of errors over 10,000 characters: better to cut the end, and say so. */
const longestError = 9_000;
/** Most links to what was cut. */
const mostLinks = 5;

const data = z.record(z.string(), z.unknown());
const cutResult = z.object({
  taskIndex: z.int(),
  truncated: z.literal(true),
  textLength: z.int().optional(),
});
const cutBatch = z.object({ batchId: z.string(), results: z.array(z.unknown()).optional() });

/** Some clients pass their model only the text, others only the data, so each is complete. */
export function toolResult(given: unknown) {
  // The text is parsed as JSON too.
  const output = wellFormed(given);
  const structuredContent = data.parse(output);
  const text = { type: "text" as const, text: JSON.stringify(output) };
  return { content: [text, ...links(output)], structuredContent };
}

/** A problem that the caller can fix. */
export function errorResult(message: string) {
  // At a whole line, because a line is a fault.
  return { content: [{ type: "text" as const, text: cutAtLine(message, longestError) }], isError: true };
}

// Links to the whole of what was cut, for clients that follow links.
function links(output: unknown) {
  const batch = cutBatch.safeParse(output);
  if (!batch.success) return [];
  const { batchId, results = [output] } = batch.data;
  const cut = results.flatMap((result) => {
    const parsed = cutResult.safeParse(result);
    return parsed.success ? [parsed.data] : [];
  });
  return cut.slice(0, mostLinks).map(({ taskIndex, textLength }) => ({
    type: "resource_link" as const,
    uri: taskUri(batchId, taskIndex),
    name: `task ${taskIndex}`,
    description: `The whole text of task ${taskIndex}${textLength === undefined ? "" : `, ${countText(textLength, "character")}`}.`,
    mimeType: "text/plain",
  }));
}
