// A directory that is in no repository, as a commit all the same: in a repository that only we know.
import { fileStamp, realPath } from "../platform/files.ts";
import { homeDirectory, isWithin, join } from "../platform/paths.ts";
import { temporaryFolder } from "../platform/temporary-folder.ts";
import { bareRepository } from "./bundle.ts";
import { gitList, type Surroundings } from "./git.ts";
import { commitOf, treeOfFiles } from "./working-tree.ts";

/** The most that is sent of such a directory: bytes, and files. */
const mostBytes = 100_000_000;
const mostFiles = 20_000;

/** How long Git may look for files, in milliseconds. */
const mostMs = 60_000;

/** Why a directory cannot be sent, as it follows its name in a sentence; undefined if it can. Throws `GitFailed`. */
export async function whyNotPlain(directory: string): Promise<string | undefined> {
  const path = realPath(directory);
  if (isWithin(homeDirectory(), path))
    return "contains your home directory, and is in no Git repository; name a directory below that";
  using folder = temporaryFolder();
  const repository = join(folder.path, "repository");
  await bareRepository(repository, "");
  const where = { directory: path, repository, timeoutMs: mostMs };
  const names = await gitList(["ls-files", "--others", "--exclude-standard", "-z"], where);
  const inner = names.find((name) => name.endsWith("/"));
  if (inner !== undefined)
    return `contains the Git repository ${inner.slice(0, -1)}, of which nothing would be sent; name a directory in that`;
  const isTooMuch =
    names.length > mostFiles
      ? `${mostFiles} files`
      : sizeOver(names, path)
        ? `${mostBytes / 1_000_000} MB`
        : undefined;
  return isTooMuch === undefined
    ? undefined
    : `is in no Git repository, and has more than ${isTooMuch}; make it one, or let \`.gitignore\` name what is not needed`;
}

function sizeOver(names: readonly string[], directory: string): boolean {
  let bytes = 0;
  return names.some((name) => {
    bytes += fileStamp(join(directory, name))?.size ?? 0;
    return bytes > mostBytes;
  });
}

/** What is in a directory now, as a commit without history in a repository of ours, made if it is missing. Throws `GitFailed`. */
export async function commitOfDirectory(directory: string, repository: string): Promise<string> {
  await bareRepository(repository, "");
  using folder = temporaryFolder();
  const where: Surroundings = { directory, repository, index: join(folder.path, "index") };
  return await commitOf(await treeOfFiles(where), { message: "The files of a directory" }, where);
}
