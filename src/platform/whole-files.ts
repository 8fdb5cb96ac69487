// Writes whole files: readers see the old text or the new one. The directory may be slow, on a network or a disk that
// stalls, so every call runs in another thread.
// Bun has no call that opens a file exclusively or without following links.
import { constants } from "node:fs";
// Bun has no call that links, renames, lists, looks at a link itself or writes exclusively; pieces go through it.
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  unlink,
  writeFile,
} from "node:fs/promises";
import { NoRegularFile } from "./files.ts";
import { lentBuffer } from "./lent-buffers.ts";
import { join } from "./paths.ts";
import { mayBeOpenElsewhere, openElsewhereMs } from "./removal.ts";
import { systemCode } from "./system-error.ts";

/** A text in pieces, never all in memory at once. */
type Pieces = Iterable<string> | AsyncIterable<string>;

interface HowWritten {
  /** Part of a temporary file's name; `removeHalfFiles` finds by it what a killed process left behind. */
  tag?: string;
  /** Permission bits. */
  mode?: number;
}

/** Replaces a file. Never writes through a link. */
export async function replaceFile(
  path: string,
  contents: string | Uint8Array<ArrayBuffer> | Pieces,
  how: HowWritten = {},
): Promise<void> {
  const beside = await halfFileWith(path, contents, how);
  try {
    await renameOver(beside, path);
  } catch (error) {
    await removePath(beside);
    throw error;
  }
}

/**
 * Replaces a file by what `write` puts into the one that it is given, which others cannot read. Nothing changes if that fails.
 */
export async function replaceFileBy(path: string, write: (beside: string) => Promise<void>): Promise<void> {
  const beside = await halfFileWith(path, "", { mode: 0o600 });
  try {
    await write(beside);
    await renameOver(beside, path);
  } catch (error) {
    await removePath(beside);
    throw error;
  }
}

/** Writes a whole file to a name that is not taken; false if it is. */
export async function placeNewFile(
  path: string,
  contents: string | Uint8Array<ArrayBuffer>,
  how: HowWritten = {},
): Promise<boolean> {
  const beside = await halfFileWith(path, contents, how);
  try {
    await link(beside, path);
    return true;
  } catch (error) {
    if (await isThere(path)) return false;
    // A file system without hard links. The name is free, so rename.
    if (!(await isThere(beside))) throw error;
    await renameOver(beside, path);
    return true;
  } finally {
    await removePath(beside);
  }
}

/**
 * Appends a text to a regular file, created if missing: all of it, or nothing if that fails. Throws `NoRegularFile` for a
 * link or a pipe.
 */
export async function appendText(path: string, text: string): Promise<void> {
  await using file = await openRegular(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
  const { size } = await file.stat();
  try {
    await append(file, new TextEncoder().encode(text));
  } catch (error) {
    // A full disk may have taken a part, and the next text must not follow directly after it.
    await file.truncate(size);
    throw error;
  }
}

/**
 * The lines of a regular file, one at a time, without line feeds; none if there is no file. A last line without a line
 * feed counts. A line over `mostCharacters` is skipped. Throws `NoRegularFile` for a link or a pipe.
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

/** Whether a line may be appended to a regular file as it is: it ends with a line feed, is empty, or does not exist. */
export async function endsWithLineFeed(path: string): Promise<boolean> {
  if (!(await isThere(path))) return true;
  await using file = await openRegular(path, constants.O_RDONLY);
  const { size } = await file.stat();
  const last = new Uint8Array(1);
  return size === 0 || ((await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] === 10);
}

/**
 * The first bytes of a file as text; undefined if nothing has this name. Anything but a regular file, such as a link,
 * gives "".
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

/** Whether a name is taken by anything, dangling links included. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  // Nothing has this name, or a parent is not a directory.
  return ["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "");
}

/**
 * Removes a file if it holds this text. Of several processes that do so at once, none removes what another has put there
 * meanwhile.
 */
export async function removeFileWith(path: string, text: string): Promise<void> {
  // Nobody can replace it under the new name, so that is where it is read.
  const aside = `${path}.${process.pid}-${++halves}${endOfHalf("old")}`;
  try {
    await renameOver(path, aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    if ((await readFile(aside, "utf8")) !== text) await putBack(aside, path);
  } finally {
    await removePath(aside);
  }
}

// A file that has the name by now keeps it.
async function putBack(aside: string, path: string): Promise<void> {
  try {
    await link(aside, path);
  } catch (error) {
    if (!(await isThere(path))) throw error;
  }
}

/** Makes a directory, with its parents, under the user's umask. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
}

/** The names in a directory. Throws if there is none. */
export function namesIn(directory: string): Promise<string[]> {
  return readdir(directory);
}

/** Removes a file; does nothing if there is none. */
export async function removePath(path: string): Promise<void> {
  await patiently(() => removeNow(path));
}

async function removeNow(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/**
 * Removes temporary files that killed processes left in a directory. `isLeft` says of the process that wrote one whether it
 * has gone; without it, all of them go. Throws if the directory cannot be read.
 */
export async function removeHalfFiles(
  directory: string,
  tag: string,
  isLeft?: (pid: number) => boolean,
): Promise<void> {
  const end = endOfHalf(tag);
  for (const name of await readdir(directory)) {
    if (!name.endsWith(end)) continue;
    const writer = /\.(\d+)-\d+$/.exec(name.slice(0, -end.length))?.[1];
    if (!isLeft || (writer !== undefined && isLeft(Number(writer)))) await removePath(join(directory, name));
  }
}

function endOfHalf(tag: string): string {
  return `.${tag}.part`;
}

let halves = 0;

// A file with these contents beside the path. Its name is unique, even among runners of the same batch.
async function halfFileWith(
  path: string,
  contents: string | Uint8Array<ArrayBuffer> | Pieces,
  { tag = "new", mode = 0o644 }: HowWritten,
): Promise<string> {
  const beside = `${path}.${process.pid}-${++halves}${endOfHalf(tag)}`;
  if (typeof contents === "string" || contents instanceof Uint8Array) {
    await writeNew(beside, () => writeFile(beside, contents, { flag: "wx", mode }));
    return beside;
  }
  using lent = lentBuffer();
  const fillings = filled(lent.buffer, contents);
  try {
    await writeNew(beside, await writerOf(beside, fillings, mode));
  } finally {
    // They may come from an open file. What took them only in part has not closed it.
    await fillings.return(undefined);
  }
  return beside;
}

// Twice if the name was taken: left behind by a killed process, or put there by somebody.
async function writeNew(path: string, write: () => Promise<void>): Promise<void> {
  for (let isSecond = false; ; isSecond = true) {
    try {
      await write();
      return;
    } catch (error) {
      // Half a file only takes up space, which may be what is missing.
      await removePath(path);
      if (isSecond || systemCode(error) !== "EEXIST") throw error;
    }
  }
}

// What fits into one write is written as a whole. The function takes the rest only once the file is its own, so that it may
// be called again if the name was taken.
async function writerOf(path: string, fillings: Fillings, mode: number): Promise<() => Promise<void>> {
  const first = (await fillings.next()).value;
  if (!first || first.isLast) return () => writeFile(path, first?.bytes ?? "", { flag: "wx", mode });
  return async () => {
    await using file = await open(path, "wx", mode);
    await append(file, first.bytes);
    for await (const { bytes } of fillings) await append(file, bytes);
  };
}

/** What a buffer held, one time after the other. The next one overwrites it. */
type Fillings = AsyncGenerator<{ bytes: Uint8Array<ArrayBuffer>; isLast: boolean }, undefined>;

const encoder = new TextEncoder();

// A text as UTF-8. Strings of many rows, or new buffers, would be megabytes of garbage with each page.
async function* filled(buffer: Uint8Array<ArrayBuffer>, pieces: Pieces): Fillings {
  let used = 0;
  function* put(piece: string) {
    for (let from = 0; from < piece.length; ) {
      const rest = from === 0 ? piece : piece.slice(from);
      const { read, written } = encoder.encodeInto(rest, used === 0 ? buffer : buffer.subarray(used));
      used += written;
      from += read;
      if (from === piece.length) return;
      yield { bytes: buffer.subarray(0, used), isLast: false };
      used = 0;
    }
  }
  // Without waiting for each one, where they are there: a page of thousands of rows has as many.
  if (Symbol.iterator in pieces) for (const piece of pieces) yield* put(piece);
  else for await (const piece of pieces) yield* put(piece);
  if (used > 0) yield { bytes: buffer.subarray(0, used), isLast: true };
}

// `Bun.write` preallocates from the beginning of the file, and the system then appends after the preallocated part
// (1.4.5).
async function append(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; )
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
}

// Opening a pipe must not wait for its other end, and a link must not lead to another file.
const unfollowed = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

// A regular file at exactly this path. Throws `NoRegularFile` for anything else.
async function openRegular(path: string, flags: number): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, flags | unfollowed, 0o666);
  } catch (error) {
    // A link, or a pipe without a reader.
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

async function renameOver(from: string, to: string): Promise<void> {
  await patiently(() => rename(from, to));
}

// On Windows, a browser or a virus scanner may have the file open for a moment.
async function patiently(act: () => Promise<void>): Promise<void> {
  if (process.platform === "win32") await whileOpenElsewhere(act);
  else await act();
}

/** Retries for up to a second while somebody has the file open. */
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
      if (!mayBeOpenElsewhere(error) || performance.now() + pauseMs > deadline) throw error;
      await Bun.sleep(pauseMs);
    }
  }
}
