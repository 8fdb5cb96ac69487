// `open`: shows the page of a batch in the browser.
import { z } from "zod";
import { reportFileOf } from "../../../engine/output/answer.ts";
import { product } from "../../../model/product.ts";
import { batchInput } from "../../../operations/batch-input.ts";
import { UserError } from "../../../operations/context.ts";
import { resolveBatch } from "../../../operations/find-batch.ts";
import { openCommand } from "../../../platform/desktop.ts";
import { exists } from "../../../platform/files.ts";
import { messageOf } from "../../../platform/system-error.ts";
import { batchPositional, type Command, checkUsage, jsonFlag, jsonText } from "../input/command.ts";

const own = z.object({
  print: z.boolean().meta({ description: "Only print the path of the page." }).optional(),
  json: jsonFlag.shape.json,
});

export const open: Command = {
  name: "open",
  otherNames: ["page", "report", "browse", "view"],
  summary: "Open the page of a batch in a browser",
  description:
    "Opens the page of a batch in the browser. The page updates while the batch runs. Prints the path of the page, also if no browser can be opened.",
  examples: [
    ["open latest", "Open the page of the newest batch"],
    ["open b4k2 --print", "Print the path of the page"],
  ],
  input: batchInput,
  withoutFlags: ["batchId"],
  own,
  positionals: [batchPositional],
  run: async ({ input: given, own: flags, context, terminal }) => {
    const { batchId } = checkUsage(batchInput, given);
    const { print = false, json = false } = own.parse(flags);
    const { state } = await resolveBatch(context, batchId);
    const reportFile = reportFileOf(state);
    if (!exists(reportFile))
      throw new UserError(
        `The page ${reportFile} does not exist: it was removed, or is not written yet. \`${product.name} show ${state.batch.batchId}\` shows the batch here.`,
      );
    const failure = print ? "not asked for" : await openingFailure(reportFile);
    const opened = failure === undefined;
    if (json) await terminal.out.print(jsonText({ batchId: state.batch.batchId, reportFile, opened }));
    else await terminal.out.print(reportFile);
    if (!opened && !print) void terminal.err.tell(`The page was not opened: ${failure}.`);
    return 0;
  },
};

/** A running browser takes the page, and its opener exits at once. In milliseconds. */
const openMs = 5_000;

async function openingFailure(path: string): Promise<string | undefined> {
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
    const { promise: patience, resolve } = Promise.withResolvers<number>();
    const timer = setTimeout(() => resolve(0), openMs);
    const code = await Promise.race([opener.exited, patience]);
    clearTimeout(timer);
    return code === 0 ? undefined : `\`${command[0]}\` ended with ${code}`;
  } catch (error) {
    return messageOf(error);
  }
}
