// Files that only this user can read, for what everybody could read on a command line.
import { exists, makePrivateDirectory } from "./files.ts";
import { dirname } from "./paths.ts";
import { replaceFile } from "./whole-files.ts";

/** A file whose name derives from its text, so an existing file has the right text. */
export interface PrivateFile {
  path: string;
  text: string;
}

/** Writes those that do not exist yet. */
export async function writePrivateFiles(files: readonly PrivateFile[]): Promise<void> {
  for (const { path, text } of files) {
    if (exists(path)) continue;
    makePrivateDirectory(dirname(path));
    await replaceFile(path, text, { mode: 0o600 });
  }
}

/** A digest of a text, for a file name. */
export function digestOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);
}
