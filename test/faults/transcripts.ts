// What the sessions of a round have answered, by their own word: their transcripts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { interimText } from "./tasks.ts";

const goodResult = z.object({
  type: z.literal("result"),
  subtype: z.literal("success"),
  is_error: z.literal(false),
  // One before the end of a background task is no answer.
  result: z.string().refine((text) => text !== interimText),
});

/** The good results by task number: one for each transcript that holds any. */
export function goodResultsIn(batchDirectory: string): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const name of readdirSync(batchDirectory).sort()) {
    const number = /^task-(\d+)-attempt-.*\.ndjson$/.exec(name)?.[1];
    if (number === undefined) continue;
    const [text] = readFileSync(join(batchDirectory, name), "utf8").split("\n").flatMap(resultIn);
    if (text === undefined) continue;
    found.set(Number(number), [...(found.get(Number(number)) ?? []), text]);
  }
  return found;
}

function resultIn(line: string): string[] {
  if (!line.includes('"type":"result"')) return [];
  try {
    const parsed = goodResult.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data.result] : [];
  } catch {
    // A line that a kill has cut.
    return [];
  }
}
