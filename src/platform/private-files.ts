// Files that nobody but this user can read: what would otherwise stand on a command line, where everybody can.
import { exists, makePrivateDirectory, replaceFile } from "./files.ts";
import { dirname } from "./paths.ts";

/** A file whose name follows from its text, so that one that is there is the one. */
export interface PrivateFile {
  path: string;
  text: string;
}

/** Writes those that are not there yet. */
export function writePrivateFiles(files: readonly PrivateFile[]): void {
  for (const { path, text } of files) {
    if (exists(path)) continue;
    makePrivateDirectory(dirname(path));
    replaceFile(path, text, undefined, 0o600);
  }
}

/** Of a text, for a name. */
export function digestOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);
}
