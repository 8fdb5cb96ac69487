// Writes files as a whole: readers see the old text or the new one. The directory may be slow, on a network or a disk that
// stalls: every call waits in another thread, and the process goes on.
// Bun has no call that opens a file exclusively or without following links.
import { constants } from "node:fs";
// Bun has no call that links, renames, lists or looks at a link itself; what has one goes through it, by a descriptor.
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { NoRegularFile } from "./files.ts";
import { join } from "./paths.ts";
import { systemCode } from "./system-error.ts";

/** Of a text in pieces, so many characters are written at once. */
const charactersAtOnce = 256 * 1024;

/** A text in pieces, which are never all in memory at once. */
type Pieces = Iterable<string> | AsyncIterable<string>;

interface HowWritten {
  /** Stands in the name of the half file that a kill leaves behind, for `removeHalfFiles`. */
  tag?: string;
  /** Permission bits. */
  mode?: number;
}

/** Replaces a file. Nothing is written through a link. */
export async function replaceFile(path: string, text: string | Pieces, how: HowWritten = {}): Promise<void> {
  const beside = await halfFileWith(path, typeof text === "string" ? [text] : text, how);
  try {
    await renameOver(beside, path);
  } catch (error) {
    await removePath(beside);
    throw error;
  }
}

/** Puts a whole file at a name that is not taken yet; false when it is. */
export async function placeNewFile(path: string, text: string, how: HowWritten = {}): Promise<boolean> {
  const beside = await halfFileWith(path, [text], how);
  try {
    await link(beside, path);
    return true;
  } catch (error) {
    if (await isThere(path)) return false;
    // A file system without hard links: the name is free, so a rename does it.
    if (!(await isThere(beside))) throw error;
    await renameOver(beside, path);
    return true;
  } finally {
    await removePath(beside);
  }
}

/**
 * Appends a text to a regular file, made if it is not there: all of it, or, where that fails, nothing. Throws
 * `NoRegularFile` for a link or a pipe.
 */
export async function appendText(path: string, text: string): Promise<void> {
  await using file = await openRegular(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
  const { size } = await file.stat();
  try {
    await append(file, new TextEncoder().encode(text));
  } catch (error) {
    // Of a disk that is full, a part may have been taken; the next text must not be glued to it.
    await file.truncate(size);
    throw error;
  }
}

/**
 * The lines of a regular file, one at a time, without their line feeds; none where it is not there. A last line without
 * one counts, and of a line over `mostCharacters`, nothing is given. Throws `NoRegularFile` for a link or a pipe.
 */
export async function* linesOf(path: string, mostCharacters: number): AsyncGenerator<string> {
  if (!(await isThere(path))) return;
  await using file = await openRegular(path, constants.O_RDONLY);
  const buffer = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  let rest = "";
  let isTooLong = false;
  for (let read = 1; read > 0; ) {
    read = (await file.read(buffer, 0, buffer.length)).bytesRead;
    const pieces = (rest + decoder.decode(buffer.subarray(0, read), { stream: read > 0 })).split("\n");
    rest = pieces.pop() ?? "";
    for (const line of pieces) {
      if (!isTooLong) yield line;
      isTooLong = false;
    }
    if (rest.length > mostCharacters) [rest, isTooLong] = ["", true];
  }
  if (rest !== "" && !isTooLong) yield rest;
}

/** Whether a text may be appended to a regular file as a line of its own; also where there is no file, or an empty one. */
export async function endsWithLineFeed(path: string): Promise<boolean> {
  if (!(await isThere(path))) return true;
  await using file = await openRegular(path, constants.O_RDONLY);
  const { size } = await file.stat();
  const last = new Uint8Array(1);
  return size === 0 || ((await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] === 10);
}

/**
 * The first bytes of a file as text; nothing when nothing has this name. What is no regular file, a link among it, has
 * the text "".
 */
export async function readHead(path: string, bytes: number): Promise<string | undefined> {
  if (!(await isThere(path))) return undefined;
  try {
    await using file = await openRegular(path, constants.O_RDONLY);
    const buffer = new Uint8Array(bytes);
    const { bytesRead } = await file.read(buffer, 0, bytes, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } catch (error) {
    if (error instanceof NoRegularFile) return "";
    throw error;
  }
}

/** Whether a name is taken, by whatever it is: a link that leads nowhere too. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    // Below something that is no directory there is nothing.
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

/** Makes a directory, with its parents, as the user's umask has it. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
}

/** The names in a directory. Throws where it is not there. */
export function namesIn(directory: string): Promise<string[]> {
  return readdir(directory);
}

/** Removes a file; silent when it is not there. */
export async function removePath(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Removes what a process that was killed while it wrote left in a directory. */
export async function removeHalfFiles(directory: string, tag: string): Promise<void> {
  for (const name of await readdir(directory))
    if (name.endsWith(endOfHalf(tag))) await removePath(join(directory, name));
}

function endOfHalf(tag: string): string {
  return `.${tag}.part`;
}

let halves = 0;

// A file with this text, beside the path; its name is nobody else's, not even another runner's of the same batch.
async function halfFileWith(
  path: string,
  pieces: Pieces,
  { tag = "new", mode = 0o644 }: HowWritten,
): Promise<string> {
  const beside = `${path}.${process.pid}-${++halves}${endOfHalf(tag)}`;
  // Whatever has the name was left behind by a kill, or put there by somebody, and goes.
  await removePath(beside);
  const file = await open(beside, "wx", mode);
  try {
    let pending = "";
    for await (const piece of pieces) {
      pending += piece;
      if (pending.length < charactersAtOnce) continue;
      await write(file, pending);
      pending = "";
    }
    if (pending !== "") await write(file, pending);
  } catch (error) {
    // Half of it only takes room, which may be what is missing.
    await removePath(beside);
    throw error;
  } finally {
    await file.close();
  }
  return beside;
}

// As a Blob, for only that is written in another thread: of a string below 256 KB, `Bun.write` waits for the disk in ours.
// By descriptor, for by its path it would follow a link. Never an empty one, with which it empties the file (1.4.5).
async function write(file: FileHandle, text: string): Promise<void> {
  await Bun.write(Bun.file(file.fd), new Blob([text]));
}

// `Bun.write` would reserve room from the beginning of the file, and behind what it reserves, the system appends (1.4.5).
async function append(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; )
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
}

// Opening a pipe must not wait for whoever has its other end, and a link must not lead to another file.
const unfollowed = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

// A regular file that stands at this very path. Throws `NoRegularFile` for anything else.
async function openRegular(path: string, flags: number): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, flags | unfollowed, 0o666);
  } catch (error) {
    // A link, or a pipe that nobody reads.
    const isOther = ["ELOOP", "ENXIO", "EISDIR", "EMLINK"].includes(systemCode(error) ?? "");
    throw isOther ? new NoRegularFile(path) : error;
  }
  let isRegular = false;
  try {
    isRegular = (await file.stat()).isFile();
  } finally {
    if (!isRegular) await file.close();
  }
  if (!isRegular) throw new NoRegularFile(path);
  return file;
}

/** How long a file that others have open is waited for, in milliseconds. */
const openElsewhereMs = 1_000;

// On Windows, a browser or a virus scanner that has the file open stands in the way for a moment.
async function renameOver(from: string, to: string): Promise<void> {
  if (process.platform !== "win32") await rename(from, to);
  else await whileOpenElsewhere(() => rename(from, to));
}

/** Does it again for up to a second, as long as somebody has the file open. */
export async function whileOpenElsewhere(
  act: () => Promise<void>,
  patienceMs = openElsewhereMs,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let pauseMs = 5; ; pauseMs *= 2) {
    try {
      await act();
      return;
    } catch (error) {
      const isOpen = ["EPERM", "EBUSY", "EACCES"].includes(systemCode(error) ?? "");
      if (!isOpen || performance.now() + pauseMs > deadline) throw error;
      await Bun.sleep(pauseMs);
    }
  }
}
