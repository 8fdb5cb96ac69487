// The files that `run` writes at its end for other programs, whatever came of its tasks.
import { z } from "zod";
import type { BatchId } from "../../../model/batch-id.ts";
import type { Context } from "../../../operations/context.ts";
import { exportBatch, type Format, placeFault } from "../../../operations/export.ts";
import { readHead } from "../../../platform/files.ts";
import { commandCall, isUserError, UsageError } from "../input/command.ts";
import type { Printer } from "../terminal/terminal.ts";

const about = (what: string, flag: string) =>
  z
    .string()
    .min(1)
    .meta({ description: what, placeholder: "FILE", flags: [flag] })
    .optional();

/** Flags that name such files. */
export const reportFlags = z.object({
  junit: about(
    "Write a JUnit report at the end, also if tasks failed. CI systems show its failures.",
    "junitXml",
  ),
  csv: about("Write a table of the results at the end, also if tasks failed.", "csvFile"),
  markdown: about("Write all answers as one Markdown document at the end, also if tasks failed.", "md"),
});
export type ReportFlags = z.output<typeof reportFlags>;

const formatsOf = { junit: "junit", csv: "csv", markdown: "md" } as const satisfies Record<
  keyof ReportFlags,
  Format
>;

/** How our files of each format begin, and what others are not. */
const oursOf = {
  junit: { begin: /^<\?xml version="1\.0"[^>]*>\s*<testsuites?\b/, what: "JUnit report" },
  csv: { begin: /^(?:key,)?task,status,outcome,/, what: "table of results" },
  md: { begin: /^# Batch [a-z2-9]{8}\b/, what: "document of results" },
};

interface Wanted {
  format: keyof typeof oursOf;
  file: string;
  flag: string;
}

function wanted(given: ReportFlags): Wanted[] {
  return Object.entries(formatsOf).flatMap(([flag, format]): Wanted[] => {
    const file = reportFlags.parse(given)[reportFlags.keyof().parse(flag)];
    return file === undefined ? [] : [{ flag, format, file }];
  });
}

/**
 * Throws `UsageError` for files that could not be written, before anything runs. Files of tasks, and others that are no
 * results, are not overwritten: somebody meant them to be read.
 */
export function checkReports(
  context: Context,
  given: ReportFlags,
  { inputs, lacksSource }: { inputs: readonly string[]; lacksSource: boolean },
): void {
  if (given.csv !== undefined && lacksSource)
    throw new UsageError([
      "`--csv` names the file for the results; `--for-each-csv FILE` reads what the tasks are about",
    ]);
  const taken = new Set<string>();
  const faults = wanted(given).flatMap(({ file, format, flag }) => {
    if (file === "-") return [`--${flag}: name a file; standard output has the answer`];
    const { path, fault } = placeFault(context, file, format);
    if (taken.has(path)) return [`--${flag}: ${path} is the file of another flag; give another name`];
    taken.add(path);
    if (fault !== undefined) return [`--${flag}: ${fault}`];
    if (inputs.some((input) => placeFault(context, input, format).path === path))
      return [`--${flag}: ${path} is read by this command; give another name`];
    const head = readHead(path, 200, { followsLinks: true }) ?? "";
    const { begin, what } = oursOf[format];
    const isForeign = head !== "" && !begin.test(head);
    return isForeign ? [`--${flag}: ${path} exists and is no ${what}; give another name`] : [];
  });
  if (faults.length > 0) throw new UsageError(faults);
}

/** Writes them, and says so. Returns whether all could be written. */
export async function writeReports(
  context: Context,
  given: ReportFlags,
  { batchId, err, isQuiet }: { batchId: BatchId; err: Printer; isQuiet: boolean },
): Promise<boolean> {
  let isWritten = true;
  for (const { format, file } of wanted(given)) {
    try {
      const { message } = await exportBatch.run(context, { batchId, format, file }, commandCall());
      if (!isQuiet) void err.tell(message);
    } catch (error) {
      if (!isUserError(error) || error instanceof UsageError) throw error;
      isWritten = false;
      void err.tell(error.message);
    }
  }
  return isWritten;
}
