// The result files of a batch in an output directory, to remove them: those alone that its log names and that say, in their
// name or their beginning, whose they are.
import type { BatchState, DoneTask } from "../../model/state.ts";
import { numberedCount } from "../../model/summary.ts";
import { sizeOf } from "../../platform/files.ts";
import { contentsOf } from "../../platform/folders.ts";
import { join } from "../../platform/paths.ts";
import { readHead } from "../../platform/whole-files.ts";
import { fileTag, isOurPage, pageTag } from "../../report/file-tag.ts";
import { outputFiles, sharedDirectoryOf } from "../../store/layout.ts";

const headBytes = 512;
/** Two tasks that end in the same millisecond get the next free one. */
const mostTaken = 1_000;

export interface ResultFiles {
  paths: string[];
  bytes: number;
  /** A folder of its own, which goes once it is empty. */
  folder?: string;
}

/** What the batch wrote that is still there. */
export async function resultFilesIn(state: BatchState): Promise<ResultFiles> {
  const { batch, tasks, outputDirectory } = state;
  const { batchId } = batch;
  const at = (name: string) => join(outputDirectory, name);
  const shared = [
    outputFiles.feed(batchId),
    outputFiles.texts(batchId),
    outputFiles.lines(batchId),
    outputFiles.data(batchId),
    outputFiles.summary(batchId),
  ];
  const parent = sharedDirectoryOf(outputDirectory, batchId);
  const pages = [
    at(outputFiles.report(batchId)),
    at(outputFiles.index),
    ...(parent === undefined ? [] : [join(parent, outputFiles.index)]),
  ];
  const paths: string[] = [];
  for (const task of tasks) if (task.status === "done") paths.push(...(await filesOf(state, task)));
  for (const path of pages) {
    const head = (await readHead(path, headBytes)) ?? "";
    if (isOurPage(head) && head.includes(pageTag(batchId))) paths.push(path);
  }
  // Their names have the batch in them, and nobody else's do. A folder or a link of such a name is not ours.
  const files = contentsOf(outputDirectory).flatMap(({ name, isFile }) => (isFile ? [name] : []));
  const there = new Set(files);
  paths.push(...shared.filter((name) => there.has(name)).map(at));
  return {
    paths,
    bytes: paths.reduce((sum, path) => sum + sizeOf(path), 0),
    ...(parent === undefined ? {} : { folder: outputDirectory }),
  };
}

// That of the last end, and what an earlier end has left.
async function filesOf(state: BatchState, { number, endedAt }: DoneTask): Promise<string[]> {
  const { batch, earlierEnds, outputDirectory } = state;
  const tag = fileTag(batch.batchId, number);
  const found: string[] = [];
  for (const end of [endedAt, ...(earlierEnds.get(number) ?? [])]) {
    for (const nameOf of [outputFiles.result, outputFiles.error]) {
      for (let later = 0; later < mostTaken; later++) {
        const path = join(outputDirectory, nameOf(number, numberedCount(batch), end + later));
        const head = await readHead(path, headBytes);
        if (head?.includes(tag)) found.push(path);
        if (head === undefined || head.includes(tag)) break;
      }
    }
  }
  return [...new Set(found)];
}
