// What the sessions of a round have answered, by their own word: their transcripts.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import type { Attempt, BatchState } from "../../src/model/state.ts";
import { interimText } from "./tasks.ts";
import type { Report } from "./verdict.ts";

const goodResult = z.object({
  type: z.literal("result"),
  subtype: z.literal("success"),
  is_error: z.literal(false),
  // One before the end of a background task is no answer.
  result: z.string().refine((text) => text !== interimText),
});

/** The part of a transcript that an attempt has. */
interface Part {
  task: number;
  attempt: Attempt;
  offset: number;
}

/**
 * The good results by task number: one for each attempt that has any. Reports those of which the log knows nothing, or that
 * are in nobody's part of a transcript, and attempts that do not cost what their parts say.
 */
export function goodResultsIn(
  batchDirectory: string,
  { tasks }: BatchState,
  report: Report,
): Map<number, string[]> {
  const parts = tasks.flatMap(({ number: task, attempts }) =>
    attempts.map((attempt): Part => ({ task, attempt, offset: attempt.offset ?? 0 })),
  );
  const byName = Map.groupBy(parts, ({ attempt }) => basename(attempt.transcript));
  const found = new Map<number, string[]>();
  for (const name of readdirSync(batchDirectory).sort()) {
    if (!name.endsWith(".ndjson")) continue;
    const owners = (byName.get(name) ?? []).toSorted((a, b) => a.offset - b.offset);
    const own = new Map<Part, Result[]>();
    for (const result of resultsIn(join(batchDirectory, name))) {
      // What `/clear` says is no answer to anybody.
      if (result.num_turns === 0 && result.result === "") continue;
      const owner = owners.findLast(({ offset }) => offset <= result.offset);
      const isWithin = owner && result.offset < (owner.attempt.transcriptEnd ?? Number.POSITIVE_INFINITY);
      if (owner && isWithin) own.set(owner, [...(own.get(owner) ?? []), result]);
      else if (goodResult.safeParse(result).success)
        report("twice", `${name} has an answer at ${result.offset}, and is of no attempt in the log`);
    }
    for (const [{ task, attempt }, results] of own) {
      judgeCost({ task, attempt, results }, report);
      const [text] = results.flatMap((result) => goodResult.safeParse(result).data?.result ?? []);
      if (text !== undefined) found.set(task, [...(found.get(task) ?? []), text]);
    }
  }
  return found;
}

interface Costly {
  task: number;
  attempt: Attempt;
  results: readonly Result[];
}

// One that continues a conversation goes on from what that had cost.
function judgeCost({ task, attempt: { number, usage, resumes }, results }: Costly, report: Report): void {
  const said = results.at(-1)?.total_cost_usd;
  if (resumes || said === undefined || usage === undefined) return;
  if (Math.abs(usage.costUsd - said) > 1e-9)
    report("wrong", `attempt ${number} at task ${task} cost ${usage.costUsd}, its session says ${said}`);
}

const anyResult = z.looseObject({
  result: z.string().catch(""),
  num_turns: z.number().catch(1),
  total_cost_usd: z.number().optional().catch(undefined),
});
type Result = z.infer<typeof anyResult> & { offset: number };

// With where their lines begin, in bytes.
function resultsIn(path: string): Result[] {
  let offset = 0;
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const at = offset;
      offset += Buffer.byteLength(line) + 1;
      if (!line.includes('"type":"result"')) return [];
      try {
        return [{ ...anyResult.parse(JSON.parse(line)), offset: at }];
      } catch {
        // A line that a kill has cut.
        return [];
      }
    });
}
