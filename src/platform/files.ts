// File operations that Bun lacks. Synchronous, because their order matters.
// Bun has no call that returns only when it is done, which an order of steps and a look at permissions need; nor one for links, modes and room.
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statfsSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "./paths.ts";
import { codeOf, systemCode } from "./system-error.ts";

/** Makes a directory, with its parents, that only this user may enter. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/**
 * Removes the rights of everybody else from a directory, if this user owns it and it contains only what `isOurs` accepts.
 * A shared directory, such as the temporary one, stays unchanged.
 */
export function closeToOthers(path: string, isOurs: (name: string) => boolean): void {
  const { mode, uid } = statSync(path);
  if (process.platform === "win32" || (mode & 0o077) === 0 || uid !== process.getuid?.()) return;
  if (readdirSync(path).every(isOurs)) chmodSync(path, 0o700);
}

/** Makes a directory, with its parents, under the user's umask. */
export function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true });
}

/** Makes a file private to the user, if it is not there yet. */
export function touchPrivately(path: string): void {
  closeSync(openSync(path, "a", 0o600));
  // An existing file may be open to others. On Windows, the directory's rights decide. Only if it is: a watch reports each
  // change of rights, also one that changes nothing.
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
}

/** Creates a file to append to, private to the user; returns its descriptor. Throws if the name is taken. */
export function createForAppending(path: string): number {
  return openSync(path, "ax", 0o600);
}

/** Writes a file that is private to the user, or replaces what is in it. Never through a link. */
export function writePrivately(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | unfollowed,
    0o600,
  );
  try {
    writeFileSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file to append to, private to the user; returns its descriptor. */
export function openForAppending(path: string): number {
  return openSync(path, "a", 0o600);
}

/** Opens a file for reading; returns its descriptor. */
export function openForReading(path: string): number {
  return openSync(path, "r");
}

export function closeDescriptor(descriptor: number): void {
  closeSync(descriptor);
}

/** Reads up to `buffer.length` bytes at `position`; returns how many were read. */
export function readAt(descriptor: number, buffer: Uint8Array, position: number): number {
  return readSync(descriptor, buffer, 0, buffer.length, position);
}

/** Thrown if a link, a pipe or a device stands where a regular file is read or written. */
export class NoRegularFile extends Error {
  readonly code = "EFTYPE";

  constructor(path: string) {
    super(`a symbolic link, pipe, device or directory is at ${path}, and no file`);
  }
}

// Opening a pipe must not wait for its other end, and a link must not lead to another file.
const unfollowed = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

// A descriptor of a regular file at exactly this path. Throws `NoRegularFile` for anything else.
function openRegular(path: string, flags: number, mode = 0o666): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, flags | unfollowed, mode);
  } catch (error) {
    // A link, or a pipe without a reader.
    const isOther = ["ELOOP", "ENXIO", "EISDIR", "EMLINK"].includes(systemCode(error) ?? "");
    throw isOther ? new NoRegularFile(path) : error;
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new NoRegularFile(path);
}

/** Whether a name is taken by anything, dangling links included. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // A parent is not a directory.
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

/** Whether there is a directory that this user may look at. */
export function isDirectory(path: string): boolean {
  try {
    return kindAt(path) === "directory";
  } catch {
    // Below a directory without permission.
    return false;
  }
}

// Too long, with a NUL, or a loop of links: nothing can exist or be created there.
function isUnusable(error: unknown): boolean {
  return ["ENAMETOOLONG", "ELOOP", "ERR_INVALID_ARG_VALUE"].includes(codeOf(error) ?? "");
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A parent is not a directory.
    if (systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

export function exists(path: string): boolean {
  return existsSync(path);
}

/** Whether this user may run the file. False below a directory that this user may not enter. */
export function isExecutable(path: string): boolean {
  return allows(path, constants.X_OK) && kindAt(path) === "file";
}

/** Whether this user may change into the directory. */
export function canEnter(directory: string): boolean {
  return allows(directory, constants.X_OK);
}

/** Whether the permission bits let nobody write the file. For root too, who could write it anyway. */
export function isReadOnly(path: string): boolean {
  const found = statOf(path);
  return found !== undefined && ((found.mode & 0o222) === 0 || !allows(path, constants.W_OK));
}

/** The permission bits of a file. */
export function permissionsOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

/** Copies a file with its permissions. Throws if the name is taken. */
export function copyBeside(path: string, copy: string): void {
  copyFileSync(path, copy, constants.COPYFILE_EXCL);
}

/** Copies a file with the time of its last change, at most a millisecond earlier. */
export function copyWithTimes(path: string, copy: string): void {
  const { atime, mtime } = statSync(path);
  copyFileSync(path, copy);
  utimesSync(copy, atime, mtime);
}

/** Sets the permission bits of a file, regardless of the umask. */
export function setPermissions(path: string, mode: number): void {
  chmodSync(path, mode);
}

/** Whether this user may read a file; a symbolic link itself, whatever it leads to. */
export function isReadable(path: string): boolean {
  return allows(path, constants.R_OK) || linkTarget(path) !== undefined;
}

/** Whether this user may write into the directory. */
export function isWritable(path: string): boolean {
  return allows(path, constants.W_OK);
}

/**
 * A path with its symbolic links resolved; if it does not exist, those of the existing part. Follows dangling links too:
 * a write there creates their target.
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

/** The text of a small file. Throws if there is none. */
export function readText(path: string): string {
  return readFileSync(path, "utf8");
}

export type SmallFile =
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "nothing" }
  /**
   * A device, a pipe, a directory, larger than `mostBytes`, or without permission. `reason` follows the path in a
   * sentence.
   */
  | { kind: "unreadable"; reason: string };

/** Reads a regular file of at most `mostBytes`. Reads nothing of anything else, and never blocks. */
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
    // It may have become a pipe since. Without O_NONBLOCK, opening that would wait for a writer.
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
    // No permission, or removed since.
    const code = systemCode(error);
    const why = code === "EACCES" || code === "EPERM" ? "permission denied" : (code ?? String(error));
    return { kind: "unreadable", reason: `cannot be read (${why})` };
  }
}

/** Reads a file, a pipe or a device to its end, which may block; undefined if it has more than `mostBytes`. */
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
 * The first bytes of a file as text; undefined if nothing has this name. Anything but a regular file gives "". Follows a
 * link only with `followsLinks`.
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

/** The last bytes of a file as text; "" if there is none. */
export function readTail(path: string, bytes: number): string {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "")) return "";
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return "";
    const buffer = new Uint8Array(Math.min(bytes, size));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return new TextDecoder().decode(buffer);
  } finally {
    closeSync(descriptor);
  }
}

/** Distinguishes the file at a path from one put there later; undefined if this user can reach none. */
export function fileIdentity(path: string): string | undefined {
  try {
    const found = statOf(path);
    return found && `${found.dev}:${found.ino}`;
  } catch (error) {
    // Below a directory of another user, such as the path by which a container knows the store.
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

/** The stamp of the file at a path; undefined if there is none. */
export function fileStamp(path: string): FileStamp | undefined {
  const found = statOf(path);
  return found && { path: realPath(path), size: found.size, modifiedAt: found.mtimeMs };
}

/** The size of a file, in bytes; 0 if there is none. */
export function sizeOf(path: string): number {
  return statOf(path)?.size ?? 0;
}

/** The same of a link itself, and not of what it leads to; 0 also for what cannot be looked at. */
export function ownSizeOf(path: string): number {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return 0;
  }
}

/** How much this user can still write to the disk of a directory. */
export function freeSpace(directory: string): { bytes: number; files: number } {
  const found = statfsSync(directory);
  // Blocks are counted in fragments; `bsize` is the preferred size of a read (statvfs(3)).
  const blockBytes = "frsize" in found && Number(found.frsize) > 0 ? Number(found.frsize) : found.bsize;
  // A file system that creates inodes on demand reports none.
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
