// The text of a client's configuration file.
import { readSmallFile } from "../../platform/files.ts";
import { Unreadable } from "./unreadable.ts";

/** Longer configurations are not read, in bytes. */
const mostBytes = 100_000_000;

/** The text of a file; undefined if there is none. Throws `Unreadable`, also if decoding would lose bytes. */
export function fileText(file: string): string | undefined {
  const read = readSmallFile(file, mostBytes);
  if (read.kind === "nothing") return undefined;
  if (read.kind === "unreadable") throw new Unreadable(`it ${read.reason}`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(read.bytes);
  } catch {
    throw new Unreadable("it is not text in UTF-8");
  }
}
