// Tool calls as clients really write them: the arguments are `null` for none, or an object sent as text.
import { z } from "zod";

const calls = z.looseObject({
  method: z.literal("tools/call"),
  params: z.looseObject({ arguments: z.union([z.null(), z.string()]) }),
});
const inText = z.record(z.string(), z.unknown());

/** The message with its arguments as an object, if they can only mean that. Otherwise the message unchanged. */
export function callAsMeant(message: unknown): unknown {
  const call = calls.safeParse(message).data;
  if (!call) return message;
  const given = call.params.arguments;
  const meant = given === null || given.trim() === "" ? {} : objectIn(given);
  return meant === undefined ? message : { ...call, params: { ...call.params, arguments: meant } };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    return inText.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
