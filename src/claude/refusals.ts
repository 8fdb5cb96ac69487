// Tool calls that gave an error instead of a result: the tool result that Claude received, and who decided.
import { z } from "zod";
import { beginningOf } from "../model/cut.ts";

/** Why a call was not made, or failed. */
export interface Refusal {
  id: string;
  message: string;
  /** Whether a hook decided; known since 2.1.332 at the latest. */
  byHook: boolean;
}

const longestMessage = 1_000;

const toolResult = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  is_error: z.literal(true),
  content: z.union([z.string(), z.array(z.object({ text: z.string().catch("") })).transform(joined)]),
});
const decision = z.object({ id: z.string(), permission_decision: z.object({ source: z.string() }) });
const userMessage = z.object({
  message: z.object({ content: z.array(z.union([toolResult, z.unknown().transform(() => undefined)])) }),
  tool_result_meta: z.array(z.union([decision, z.unknown().transform(() => undefined)])).catch([]),
});

/** The refusals in a `user` message. Never throws. */
export function refusalsIn(value: unknown): Refusal[] {
  const parsed = userMessage.safeParse(value);
  if (!parsed.success) return [];
  const { message, tool_result_meta } = parsed.data;
  return message.content.flatMap((result) => {
    if (!result) return [];
    const meta = tool_result_meta.find((found) => found?.id === result.tool_use_id);
    return {
      id: result.tool_use_id,
      message: beginningOf(result.content, longestMessage),
      byHook: meta?.permission_decision.source === "hook",
    };
  });
}

function joined(blocks: { text: string }[]): string {
  return blocks.map(({ text }) => text).join("\n");
}
