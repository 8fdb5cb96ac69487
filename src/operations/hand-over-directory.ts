// Where the files of a batch go once nobody waits for it any more.
import type { Configuration } from "../model/configuration.ts";
import type { Batch } from "../model/event.ts";
import { absolutePath, homeDirectory, join } from "../platform/paths.ts";
import { batchFolderOf, layoutOf } from "../store/layout.ts";
import { stateDirectoryOf } from "./configuration.ts";

/** The user's directory, for a batch that has none of its own; undefined for others, which keep theirs. */
export function handOverDirectory(configuration: Configuration, batch: Batch): string | undefined {
  const pages = layoutOf(stateDirectoryOf(configuration)).pages(batch.batchId);
  return batch.outputDirectory === pages
    ? laidOut(configuration, absolutePath(configuration.outputDirectory, homeDirectory()), batch.batchId)
    : undefined;
}

/** Where the files of a batch go in an output directory: into it, or into a folder of their own. */
export function laidOut(
  { outputLayout }: Configuration,
  directory: string,
  batchId: Batch["batchId"],
): string {
  return outputLayout === "flat" ? directory : join(directory, batchFolderOf(batchId));
}
