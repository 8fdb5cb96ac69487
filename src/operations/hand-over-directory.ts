// Where the files of a batch go once nobody waits for it any more.
import type { Configuration } from "../model/configuration.ts";
import type { Batch } from "../model/event.ts";
import { absolutePath, homeDirectory } from "../platform/paths.ts";
import { layoutOf } from "../store/layout.ts";
import { stateDirectoryOf } from "./configuration.ts";

/** The user's directory, for a batch that has none of its own; undefined for others, which keep theirs. */
export function handOverDirectory(configuration: Configuration, batch: Batch): string | undefined {
  const pages = layoutOf(stateDirectoryOf(configuration)).pages(batch.batchId);
  return batch.outputDirectory === pages
    ? absolutePath(configuration.outputDirectory, homeDirectory())
    : undefined;
}
