// Calls of tools as clients really write them: the arguments are `null` for none, or an object that was sent as its text.
import { z } from "zod";

const calls = z.looseObject({
  method: z.literal("tools/call"),
  params: z.looseObject({ arguments: z.union([z.null(), z.string()]) }),
});
const inText = z.record(z.string(), z.unknown());

/** The message with arguments that are an object, where they can mean nothing else. Else the message as it came. */
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
