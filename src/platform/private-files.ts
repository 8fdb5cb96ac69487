// Files that nobody but this user can read: what would otherwise stand on a command line, where everybody can.
import { exists, makePrivateDirectory } from "./files.ts";
import { dirname } from "./paths.ts";
import { replaceFile } from "./whole-files.ts";

/** A file whose name follows from its text, so that one that is there is the one. */
export interface PrivateFile {
  path: string;
  text: string;
}

/** Writes those that are not there yet. */
export async function writePrivateFiles(files: readonly PrivateFile[]): Promise<void> {
  for (const { path, text } of files) {
    if (exists(path)) continue;
    makePrivateDirectory(dirname(path));
    await replaceFile(path, text, { mode: 0o600 });
  }
}

/** Of a text, for a name. */
export function digestOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);
}
