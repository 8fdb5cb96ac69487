// What the sessions of a round have answered, by their own word: their transcripts.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import type { BatchState } from "../../src/model/state.ts";
import { interimText } from "./tasks.ts";
import type { Report } from "./verdict.ts";

const goodResult = z.object({
  type: z.literal("result"),
  subtype: z.literal("success"),
  is_error: z.literal(false),
  // One before the end of a background task is no answer.
  result: z.string().refine((text) => text !== interimText),
});

/** The good results by task number: one for each transcript that holds any. Reports those of which the log knows nothing. */
export function goodResultsIn(
  batchDirectory: string,
  { tasks }: BatchState,
  report: Report,
): Map<number, string[]> {
  const taskOf = new Map(
    tasks.flatMap(({ number, attempts }) =>
      attempts.map(({ transcript }) => [basename(transcript), number] as const),
    ),
  );
  const found = new Map<number, string[]>();
  for (const name of readdirSync(batchDirectory).sort()) {
    if (!name.endsWith(".ndjson")) continue;
    const [text] = readFileSync(join(batchDirectory, name), "utf8").split("\n").flatMap(resultIn);
    if (text === undefined) continue;
    const number = taskOf.get(name);
    if (number === undefined) report("twice", `${name} has an answer, and is of no attempt in the log`);
    else found.set(number, [...(found.get(number) ?? []), text]);
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
