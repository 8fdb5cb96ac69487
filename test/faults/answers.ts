// What a batch's files say of each task, beside what its sessions said.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { BatchState } from "../../src/model/state.ts";
import { outputFiles } from "../../src/store/layout.ts";
import { goodResultsIn } from "./transcripts.ts";
import type { Report } from "./verdict.ts";

/** What every task has answered, by task number. */
export interface Answers {
  /** By the sessions' own word. */
  transcripts: Map<number, string[]>;
  lines: Map<number, Entry[]>;
  summary: Map<number, Entry[]>;
}

const entrySchema = z.object({
  taskIndex: z.number(),
  outcome: z.string(),
  result: z.string().optional(),
  resultFile: z.string().optional(),
});
type Entry = z.infer<typeof entrySchema>;

/** Where a batch's files are: its sessions' in `transcripts`, its results in `output`. */
interface Places {
  transcripts: string;
  output: string;
}

/** Reads transcripts and result files; reports those that are missing or broken. */
export function answersOf({ transcripts, output }: Places, state: BatchState, report: Report): Answers {
  const { batchId } = state.batch;
  const linesPath = join(output, outputFiles.lines(batchId));
  const summaryPath = join(output, outputFiles.summary(batchId));
  const lines = textOf(linesPath, report)
    .split("\n")
    .filter((text) => text !== "")
    .flatMap((text) => {
      try {
        return [entrySchema.parse(JSON.parse(text))];
      } catch (error) {
        report("wrong", `a line of ${linesPath} cannot be read (${error}): ${text.slice(0, 120)}`);
        return [];
      }
    });
  const summary = textOf(summaryPath, report);
  const results = summary && z.object({ results: z.array(entrySchema) }).parse(JSON.parse(summary)).results;
  return {
    transcripts: goodResultsIn(transcripts, state, report),
    lines: Map.groupBy(lines, ({ taskIndex }) => taskIndex),
    summary: Map.groupBy(results || [], ({ taskIndex }) => taskIndex),
  };
}

function textOf(path: string, report: Report): string {
  if (existsSync(path)) return readFileSync(path, "utf8");
  report("lost", `${path} is not there`);
  return "";
}
