// File operations for which Bun has no call of its own. Synchronous, where an order must hold.
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { writeAllNow } from "./output.ts";
import { systemCode } from "./system-error.ts";

/** Makes a directory, with its parents, that only this user may enter. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/**
 * Takes a directory away from everybody but this user, where it is this user's and holds nothing but what `isOurs`: one
 * that serves others too, as the temporary one does, stays as it is.
 */
export function closeToOthers(path: string, isOurs: (name: string) => boolean): void {
  const { mode, uid } = statSync(path);
  if (process.platform === "win32" || (mode & 0o077) === 0 || uid !== process.getuid?.()) return;
  if (readdirSync(path).every(isOurs)) chmodSync(path, 0o700);
}

/** Makes a directory, with its parents, as the user's umask has it. */
export function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true });
}

/** Makes a file private to the user, if it is not there yet. */
export function touchPrivately(path: string): void {
  closeSync(openSync(path, "a", 0o600));
  // A file that was there before may be open to others; on Windows the directory's rights count instead.
  if (process.platform !== "win32") chmodSync(path, 0o600);
}

/** A new file to append to, private to the user, as a descriptor. Throws when the name is taken. */
export function createForAppending(path: string): number {
  return openSync(path, "ax", 0o600);
}

/** A file to append to, private to the user, as a descriptor. */
export function openForAppending(path: string): number {
  return openSync(path, "a", 0o600);
}

/** A file to read, as a descriptor. */
export function openForReading(path: string): number {
  return openSync(path, "r");
}

export function closeDescriptor(descriptor: number): void {
  closeSync(descriptor);
}

/** Up to `buffer.length` bytes at `position`; gives how many there were. */
export function readAt(descriptor: number, buffer: Uint8Array, position: number): number {
  return readSync(descriptor, buffer, 0, buffer.length, position);
}

/** Something that is no regular file stands where one is to be read or written: a link, a pipe, a device. */
export class NoRegularFile extends Error {
  readonly code = "EFTYPE";

  constructor(path: string) {
    super(`a symbolic link, pipe, device or directory is at ${path}, and no file`);
  }
}

// Opening a pipe must not wait for its other end, and a link must not lead to another file.
const unfollowed = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

// A descriptor of a regular file that stands at this very path. Throws `NoRegularFile` for anything else.
function openRegular(path: string, flags: number, mode = 0o666): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, flags | unfollowed, mode);
  } catch (error) {
    // A link, or a pipe that nobody reads.
    const isOther = ["ELOOP", "ENXIO", "EISDIR", "EMLINK"].includes(systemCode(error) ?? "");
    throw isOther ? new NoRegularFile(path) : error;
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new NoRegularFile(path);
}

/**
 * Appends a text to a regular file, made if it is not there: all of it, or, where that fails, nothing. Throws
 * `NoRegularFile` for a link or a pipe.
 */
export function appendText(path: string, text: string): void {
  const descriptor = openRegular(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
  try {
    const { size } = fstatSync(descriptor);
    try {
      writeAllNow(descriptor, new TextEncoder().encode(text));
    } catch (error) {
      // Of a disk that is full, a part may have been taken; the next text must not be glued to it.
      ftruncateSync(descriptor, size);
      throw error;
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The lines of a regular file, one at a time, without their line feeds; none where it is not there. A last line without
 * one counts, and of a line over `mostCharacters`, nothing is given. Throws `NoRegularFile` for a link or a pipe.
 */
export function* linesOf(path: string, mostCharacters: number): Generator<string> {
  if (!isThere(path)) return;
  const descriptor = openRegular(path, constants.O_RDONLY);
  try {
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    let rest = "";
    let isTooLong = false;
    for (let read = 1; read > 0; ) {
      read = readSync(descriptor, buffer, 0, buffer.length, null);
      const pieces = (rest + decoder.decode(buffer.subarray(0, read), { stream: read > 0 })).split("\n");
      rest = pieces.pop() ?? "";
      for (const line of pieces) {
        if (!isTooLong) yield line;
        isTooLong = false;
      }
      if (rest.length > mostCharacters) [rest, isTooLong] = ["", true];
    }
    if (rest !== "" && !isTooLong) yield rest;
  } finally {
    closeSync(descriptor);
  }
}

/** Whether a text may be appended to a regular file as a line of its own; also where there is no file, or an empty one. */
export function endsWithLineFeed(path: string): boolean {
  if (!isThere(path)) return true;
  const descriptor = openRegular(path, constants.O_RDONLY);
  try {
    const { size } = fstatSync(descriptor);
    const last = new Uint8Array(1);
    return size === 0 || (readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] === 10);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether a name is taken, by whatever it is: a link that leads nowhere too. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Below something that is no directory there is nothing.
    if (systemCode(error) === "ENOTDIR") return false;
    throw error;
  }
}

/** What kind of thing is at a path, symbolic links followed. */
export function kindAt(path: string): "file" | "directory" | "other" | "nothing" {
  try {
    const found = statOf(path);
    if (!found) return "nothing";
    if (found.isFile()) return "file";
    return found.isDirectory() ? "directory" : "other";
  } catch (error) {
    if (isUnusable(error)) return "other";
    throw error;
  }
}

/** Whether a directory is there that this user may look at. */
export function isDirectory(path: string): boolean {
  try {
    return kindAt(path) === "directory";
  } catch {
    // Below a directory without rights.
    return false;
  }
}

// Too long, with a NUL, or a loop of links: nothing can be there, and nothing can be made there.
function isUnusable(error: unknown): boolean {
  const codes = ["ENAMETOOLONG", "ELOOP", "ERR_INVALID_ARG_VALUE"];
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Below something that is no directory there is nothing.
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

export function exists(path: string): boolean {
  return existsSync(path);
}

/** Whether this user may run the file. What lies below a directory that this user may not enter is out of reach. */
export function isExecutable(path: string): boolean {
  return allows(path, constants.X_OK) && kindAt(path) === "file";
}

/** Whether this user may change into the directory. */
export function canEnter(directory: string): boolean {
  return allows(directory, constants.X_OK);
}

/** Whether nobody may write the file, by its own permission bits: also where this user is above them. */
export function isReadOnly(path: string): boolean {
  const found = statOf(path);
  return found !== undefined && ((found.mode & 0o222) === 0 || !allows(path, constants.W_OK));
}

/** The permission bits of a file. */
export function permissionsOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

/** A copy beside a file, with the same permissions. Throws when the name is taken. */
export function copyBeside(path: string, copy: string): void {
  copyFileSync(path, copy, constants.COPYFILE_EXCL);
}

/** Sets the permission bits of a file, whatever the umask is. */
export function setPermissions(path: string, mode: number): void {
  chmodSync(path, mode);
}

/** Whether this user may write into the directory. */
export function isWritable(path: string): boolean {
  return allows(path, constants.W_OK);
}

/**
 * A path with its symbolic links resolved; of one that is not there, those of the part that is. A link that leads to
 * nothing is followed too: a write there creates what it leads to.
 */
export function realPath(path: string, mostLinks = 40): string {
  try {
    return realpathSync(path);
  } catch {
    // Not there yet: its parent decides where it will be.
    const parent = dirname(path);
    if (parent === path) return path;
    const target = mostLinks > 0 ? linkTarget(path) : undefined;
    const realParent = realPath(parent, mostLinks);
    return target === undefined
      ? join(realParent, basename(path))
      : realPath(resolve(realParent, target), mostLinks - 1);
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // No link, or none that this user can see.
    return undefined;
  }
}

/** A small text file, whole. Throws when it is not there. */
export function readText(path: string): string {
  return readFileSync(path, "utf8");
}

export type SmallFile =
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "nothing" }
  /** A device, a pipe, a directory, more than `mostBytes`, or not ours to read: `reason` is what follows its path. */
  | { kind: "unreadable"; reason: string };

/** A regular file of at most `mostBytes`, whole. Of anything else it reads nothing, and waits for nobody. */
export function readSmallFile(path: string, mostBytes: number): SmallFile {
  try {
    const kind = kindAt(path);
    if (kind === "nothing") return { kind };
    const noFile = { kind: "unreadable", reason: "is not a file" } as const;
    if (kind !== "file") return noFile;
    const tooLarge = {
      kind: "unreadable",
      reason: `is larger than ${mostBytes / 1_000_000} MB`,
    } as const;
    // It may have become a pipe since: without O_NONBLOCK, opening that would wait for a writer.
    const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const found = fstatSync(descriptor);
      if (!found.isFile()) return noFile;
      if (found.size > mostBytes) return tooLarge;
      const bytes = bytesUpTo(descriptor, mostBytes);
      return bytes === undefined ? tooLarge : { kind: "bytes", bytes };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    // No permission, or gone since.
    const code = systemCode(error);
    const why = code === "EACCES" || code === "EPERM" ? "permission denied" : (code ?? String(error));
    return { kind: "unreadable", reason: `cannot be read (${why})` };
  }
}

/** All that a file, a pipe or a device gives, which may take its time; nothing where it is more than `mostBytes`. */
export function readUpTo(path: string, mostBytes: number): Uint8Array | undefined {
  const descriptor = openSync(path, "r");
  try {
    return bytesUpTo(descriptor, mostBytes);
  } finally {
    closeSync(descriptor);
  }
}

function bytesUpTo(descriptor: number, mostBytes: number): Uint8Array | undefined {
  const pieces: Uint8Array[] = [];
  for (let length = 0; length <= mostBytes; ) {
    const piece = new Uint8Array(1 << 20);
    const read = readSync(descriptor, piece, 0, piece.length, null);
    if (read === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, read));
    length += read;
  }
  return undefined;
}

/**
 * The first bytes of a file as text; nothing when nothing has this name. What is no regular file has the text "", and a
 * link is followed only where that is asked for.
 */
export function readHead(path: string, bytes: number, { followsLinks = false } = {}): string | undefined {
  const real = followsLinks ? realPath(path) : path;
  if (!isThere(real)) return undefined;
  let descriptor: number;
  try {
    descriptor = openRegular(real, constants.O_RDONLY);
  } catch (error) {
    if (error instanceof NoRegularFile) return "";
    throw error;
  }
  try {
    const buffer = new Uint8Array(bytes);
    return new TextDecoder().decode(buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, 0)));
  } finally {
    closeSync(descriptor);
  }
}

/** The last bytes of a file as text; nothing when it is not there. */
export function readTail(path: string, bytes: number): string {
  if (!existsSync(path)) return "";
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    const buffer = new Uint8Array(Math.min(bytes, size));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return new TextDecoder().decode(buffer);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Replaces a file as a whole: readers see the old text or the new one. `tag` names the half file that a kill leaves
 * behind, for `removeHalfFiles`; two writers must not share one at the same time. Nothing is written through a link.
 */
export function replaceFile(path: string, text: string, tag?: string, mode?: number): void {
  replaceFileByPieces(path, [text], tag, mode);
}

/** Replaces a file as a whole by pieces that are never all in memory at once. */
export function replaceFileByPieces(
  path: string,
  pieces: Iterable<string>,
  tag = String(process.pid),
  mode = 0o644,
): void {
  const beside = halfFile(path, tag);
  writeNew(beside, pieces, mode);
  renameOver(beside, path);
}

/** Puts a whole file at a name that is not taken yet; false when it is. `tag` as with `replaceFile`. */
export function placeNewFile(path: string, text: string, tag = String(process.pid), mode = 0o644): boolean {
  const beside = halfFile(path, tag);
  writeNew(beside, [text], mode);
  try {
    linkSync(beside, path);
    return true;
  } catch (error) {
    if (isThere(path)) return false;
    // A file system without hard links: the name is free, so a rename does it.
    if (!isThere(beside)) throw error;
    renameOver(beside, path);
    return true;
  } finally {
    rmSync(beside, { force: true });
  }
}

// A new file of ours: whatever had its name was left behind by a kill, or put there by somebody, and goes.
function writeNew(path: string, pieces: Iterable<string>, mode: number): void {
  rmSync(path, { force: true });
  const descriptor = openSync(path, "wx", mode);
  try {
    for (const piece of pieces) writeAllNow(descriptor, new TextEncoder().encode(piece));
  } catch (error) {
    // Half of it only takes room, which may be what is missing.
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** How long a file that others have open is waited for, in milliseconds. */
const openElsewhereMs = 1_000;

// On Windows, a browser or a virus scanner that has the file open stands in the way for a moment.
function renameOver(from: string, to: string): void {
  if (process.platform !== "win32") renameSync(from, to);
  else whileOpenElsewhere(() => renameSync(from, to));
}

/** Does it again for up to a second, as long as somebody has the file open. */
export function whileOpenElsewhere(act: () => void, patienceMs = openElsewhereMs): void {
  const deadline = performance.now() + patienceMs;
  for (let pauseMs = 5; ; pauseMs *= 2) {
    try {
      act();
      return;
    } catch (error) {
      const isOpen = ["EPERM", "EBUSY", "EACCES"].includes(systemCode(error) ?? "");
      if (!isOpen || performance.now() + pauseMs > deadline) throw error;
      Bun.sleepSync(pauseMs);
    }
  }
}

/** The names in a directory. Throws where it is not there. */
export function namesIn(directory: string): string[] {
  return readdirSync(directory);
}

/** Removes what a process that was killed while it wrote left in a directory. */
export function removeHalfFiles(directory: string, tag: string): void {
  for (const name of readdirSync(directory))
    if (name.endsWith(halfFile("", tag))) rmSync(join(directory, name), { force: true });
}

function halfFile(path: string, tag: string): string {
  return `${path}.${tag}.part`;
}

/** Removes a file or a folder with all that is in it; silent when it is not there. */
export function removePath(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Which file stands at a path, told from one that was put there later; nothing where this user can reach none. */
export function fileIdentity(path: string): string | undefined {
  try {
    const found = statOf(path);
    return found && `${found.dev}:${found.ino}`;
  } catch (error) {
    // Below a directory of somebody else's, as the one may be that a container knows the store by.
    if (systemCode(error) === "EACCES" || isUnusable(error)) return undefined;
    throw error;
  }
}

/** Distinguishes a file from a later version of it. */
export interface FileStamp {
  /** With symbolic links resolved. */
  path: string;
  /** In bytes. */
  size: number;
  /** Milliseconds since 1970, with fractions where the file system has them. */
  modifiedAt: number;
}

/** The stamp of the file at a path; nothing where there is none. */
export function fileStamp(path: string): FileStamp | undefined {
  const found = statOf(path);
  return found && { path: realPath(path), size: found.size, modifiedAt: found.mtimeMs };
}

/** What this user can still put on the disk of a directory. */
export function freeSpace(directory: string): { bytes: number; files: number } {
  const found = statfsSync(directory);
  // Blocks are counted in fragments; `bsize` is how much is best read at once (statvfs(3)).
  const blockBytes = "frsize" in found && Number(found.frsize) > 0 ? Number(found.frsize) : found.bsize;
  // A file system that makes inodes as it needs them names none.
  return {
    bytes: found.bavail * blockBytes,
    files: found.files > 0 ? found.ffree : Number.POSITIVE_INFINITY,
  };
}

function allows(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    // The answer is no; why does not matter here.
    return false;
  }
}
