// The page of a batch, shown in the browser of this desktop.
import { z } from "zod";
import { reportFileOf } from "../engine/output/answer.ts";
import { product } from "../model/product.ts";
import { settledWithin } from "../platform/clock.ts";
import { openCommand } from "../platform/desktop.ts";
import { exists } from "../platform/files.ts";
import { messageOf } from "../platform/system-error.ts";
import { batchInput } from "./batch-input.ts";
import { UserError, valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import { findBatch } from "./find-batch.ts";
import type { Operation } from "./operation.ts";

const input = batchInput.extend({
  print: z.boolean().meta({ description: "Only print the path of the page." }).optional(),
});

const output = z.object({
  batchId: z.string(),
  reportFile: z.string(),
  opened: z.boolean(),
  failure: z.string().optional().meta({ description: "Why it could not be opened." }),
});

export const openPage: Operation<typeof input, typeof output> = {
  title: "Open the page of a batch in a browser",
  description:
    "Opens the page of a batch in the browser. The page updates while the batch runs. Prints the path of the page, also if no browser can be opened.",
  input,
  output,
  run: async (context, given) => {
    const { batchId, print = false } = valueOrThrow(check(input, given));
    const { state } = findBatch(context, batchId);
    const page = { batchId: state.batch.batchId, reportFile: reportFileOf(state) };
    if (!exists(page.reportFile))
      throw new UserError(
        `The page ${page.reportFile} does not exist: it was removed, or is not written yet. \`${product.name} show ${page.batchId}\` shows the batch here.`,
      );
    if (print) return { ...page, opened: false };
    const failure = await openingFailure(page.reportFile);
    return { ...page, opened: failure === undefined, ...(failure === undefined ? {} : { failure }) };
  },
};

/** A running browser takes the page, and its opener exits at once. In milliseconds. */
const openMs = 5_000;

/** Shows a page in the browser of this desktop. Why it could not be opened; undefined if it was. */
export async function openingFailure(path: string): Promise<string | undefined> {
  const command = openCommand(path);
  if (!command) return "there is no desktop here";
  try {
    const opener = Bun.spawn(command, {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      detached: true,
    });
    opener.unref();
    if (!(await settledWithin(opener.exited, openMs))) return undefined;
    const code = await opener.exited;
    return code === 0 ? undefined : `\`${command[0]}\` ended with ${code}`;
  } catch (error) {
    return messageOf(error);
  }
}
