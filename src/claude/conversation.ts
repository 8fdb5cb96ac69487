// Where the CLI stores a conversation, so that it can be continued, and what it had cost.
import { z } from "zod";
import type { Spent } from "../model/outcome.ts";
import type { Environment } from "../platform/environment.ts";
import { exists, readTail, realPath } from "../platform/files.ts";
import { foldersIn } from "../platform/folders.ts";
import { homeDirectory, join } from "../platform/paths.ts";
import { modelUsages } from "./message-shapes.ts";
import { usagesOf } from "./spending.ts";

/** The CLI cuts longer folder names here and appends a hash. */
const longestFolderName = 200;
/** How much of the end of a conversation to search for its cost, in bytes. */
const longestSearchedBytes = 64 * 1024 * 1024;

/**
 * The file in which `--resume` finds a conversation; undefined if there is none. The CLI stores them below its
 * configuration directory, in a folder named after the real path of the working directory, with a `-` for every character
 * that is no letter or digit (seen with 2.1.197 and 2.1.332). Newer versions find it from any directory, and leave it
 * where it began (seen with 2.1.285).
 */
export function conversationFile(
  sessionId: string,
  workingDirectory: string,
  environment: Environment,
): string | undefined {
  const home = environment["HOME"] ?? homeDirectory();
  const projects = join(environment["CLAUDE_CONFIG_DIR"] ?? join(home, ".claude"), "projects");
  const name = realPath(workingDirectory).replace(/[^A-Za-z0-9]/g, "-");
  const isShort = name.length <= longestFolderName;
  const fileIn = (folder: string) => join(projects, folder, `${sessionId}.jsonl`);
  // There may be hundreds of folders, and nearly always it is here.
  if (isShort && exists(fileIn(name))) return fileIn(name);
  const isExpected = (folder: string) =>
    !isShort && folder.startsWith(`${name.slice(0, longestFolderName)}-`);
  const [expected, others] = partition(foldersIn(projects), isExpected);
  return [...expected, ...others].map(fileIn).find(exists);
}

function partition<Item>(items: readonly Item[], fits: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(fits), items.filter((item) => !fits(item))];
}

const costState = z.object({
  type: z.literal("cost-state"),
  totalCostUSD: z.number(),
  modelUsage: modelUsages,
});

/**
 * What a conversation had cost at its last clean end. From 2.1.277 on, a process that continues it includes this cost.
 * Undefined for older versions and after a kill: then the process counts from 0.
 */
export function costOfConversation(file: string): Spent | undefined {
  let before = -1;
  for (let bytes = 256 * 1024; bytes <= longestSearchedBytes; bytes *= 4) {
    const tail = readTail(file, bytes);
    const found = lastCostState(tail);
    if (found || tail.length === before) return found;
    before = tail.length;
  }
  return undefined;
}

function lastCostState(text: string): Spent | undefined {
  for (let end = text.length; end > 0; ) {
    const begin = text.lastIndexOf('\n{"type":"cost-state"', end - 1);
    if (begin < 0) return undefined;
    const found = costStateIn(text.slice(begin + 1).split("\n", 1)[0] ?? "");
    if (found) return found;
    end = begin;
  }
  return undefined;
}

function costStateIn(line: string): Spent | undefined {
  try {
    const parsed = costState.safeParse(JSON.parse(line));
    if (!parsed.success) return undefined;
    return { costUsd: parsed.data.totalCostUSD, models: usagesOf(parsed.data.modelUsage) };
  } catch {
    // Half a line of a killed process: the CLI skips it too.
    return undefined;
  }
}
