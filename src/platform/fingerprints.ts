// Fingerprints of files and directories: what is in them, and since when nothing has changed it.
// Bun has no call that looks at a link itself, or lists a directory with the kinds of its entries, before it returns.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname, isWithin, join, resolve } from "./paths.ts";
import { systemCode } from "./system-error.ts";

/** What is at a path. Two are the same exactly if their hashes are. */
export interface Fingerprint {
  hash: string;
  /**
   * When something that it depends on last changed, in milliseconds since 1970 by the clock of the file system: contents,
   * permissions or names. Programs can set back when a file was modified, but not this time.
   */
  changedAt: number;
  /** The same for what is not there: when something last appeared in, or went from, the directory it would be in. */
  absentAt: number;
}

/** It cannot be said for certain, or would take too long. In words that follow the path. */
export interface Unknown {
  unknown: string;
}

/** Larger files and trees are not fingerprinted. */
const mostFileBytes = 64 * 1024 * 1024;
const mostTreeBytes = 256 * 1024 * 1024;
const mostEntries = 20_000;
const mostLinks = 40;
/** File systems write times in ticks of up to two seconds. */
const longestTickMs = 3_000;
const changing = "changes at this moment";

/** Folders in which version control keeps its own files: no search looks there. */
const versionControl = new Set([".git", ".svn", ".hg", ".bzr", ".jj", ".sl"]);

/** The fingerprint of nothing. */
export const nothingThere = "absent";

/** Which files of a tree count, and what of them. */
export interface TreeManner {
  /** Only files whose names end with one of these; all if absent. */
  endings?: readonly string[] | undefined;
  /** The contents of files, or only their names and the times of their last changes. */
  counts: "contents" | "names";
  /** Names of files that count whatever they end with. */
  always?: readonly string[];
  /** Whether a folder of this name in this directory is left out. */
  skips?: (directory: string, name: string) => boolean;
  /** Whether links lead on, to files and folders. Otherwise, only where they lead counts. */
  follows?: boolean;
}

/** Fingerprints at one moment. Each file is read once, however often it is asked for. */
export class Fingerprints {
  readonly #files = new Map<string, Fingerprint | Unknown>();
  readonly #chains = new Map<string, number>();
  readonly #hashes: ContentHashes | undefined;
  readonly #roots: readonly string[];

  /**
   * `roots`: directories whose own places are known to be unchanged. `hashes`: of files that are known by inode, size and
   * times, for callers who take times for proof.
   */
  constructor({ roots = [], hashes }: { roots?: readonly string[]; hashes?: ContentHashes } = {}) {
    this.#roots = roots;
    this.#hashes = hashes;
  }

  /** What is in a file, links followed. A directory, or anything else, counts as its kind. */
  file(path: string): Fingerprint | Unknown {
    const known = this.#files.get(path);
    if (known) return known;
    const found = this.#file(path);
    this.#files.set(path, found);
    return found;
  }

  /** The names in a directory, with their kinds. */
  names(path: string): Fingerprint | Unknown {
    const entries = entriesOf(path);
    // Afterwards, so that a change in between is seen by its time.
    const found = statOf(path);
    if (!entries || !found) return this.#absent(path);
    return {
      hash: digest(entries.map(({ name, kind }) => `${kind} ${name}`)),
      changedAt: Math.max(found.ctimeMs, this.#chain(path)),
      absentAt: 0,
    };
  }

  /** When a path last led elsewhere, in milliseconds since 1970. */
  movedAt(path: string): number {
    return this.#chain(path);
  }

  /** Everything below a directory. A file counts as itself. */
  tree(path: string, manner: TreeManner): Fingerprint | Unknown {
    const found = statOf(path);
    if (!found?.isDirectory()) return this.file(path);
    const tree = new Tree(manner, this.#hashes);
    const unknown = tree.add(path, "");
    if (unknown !== undefined) return { unknown };
    return {
      hash: digest(tree.lines),
      changedAt: Math.max(tree.changedAt, this.#chain(path)),
      absentAt: 0,
    };
  }

  #file(path: string): Fingerprint | Unknown {
    const found = statOf(path);
    if (!found) return this.#absent(path);
    const at = (changedAt: number) => ({ changedAt: Math.max(changedAt, this.#chain(path)), absentAt: 0 });
    if (!found.isFile()) return { hash: found.isDirectory() ? "directory" : "other", ...at(found.ctimeMs) };
    if (found.size > mostFileBytes) return { unknown: "is larger than 64 MB" };
    // Its time is that of the file that was read, which may have taken the place of the one seen before.
    const read = contentOf(path, this.#hashes);
    if (read.kind === "changing") return { unknown: changing };
    if (read.kind === "unreadable") return { hash: read.kind, ...at(statOf(path)?.ctimeMs ?? Date.now()) };
    return { hash: read.hash, ...at(read.changedAt) };
  }

  // Nothing was there for as long as nothing has changed in the nearest directory that is there.
  #absent(path: string): Fingerprint {
    for (let at = dirname(path); ; at = dirname(at)) {
      const found = statOf(at);
      if (found) {
        const absentAt = Math.max(found.ctimeMs, this.#chain(at));
        return { hash: nothingThere, changedAt: linkTime(path), absentAt };
      }
      if (dirname(at) === at) return { hash: nothingThere, changedAt: 0, absentAt: Number.POSITIVE_INFINITY };
    }
  }

  /**
   * When a path last led elsewhere. A link has its own time. A directory that is moved gets a new time, as does the
   * directory that it is moved to, so a pair of new times means that it may have been.
   */
  #chain(path: string, links = 0): number {
    const known = this.#chains.get(path);
    if (known !== undefined) return known;
    const time = this.#chainTime(path, links);
    this.#chains.set(path, time);
    return time;
  }

  #chainTime(path: string, links: number): number {
    if (links > mostLinks) return Number.POSITIVE_INFINITY;
    const parent = dirname(path);
    if (parent === path || this.#roots.some((root) => isWithin(root, path))) return 0;
    const found = linkStatOf(path);
    if (found?.isSymbolicLink()) {
      const target = resolve(parent, readlinkSync(path));
      return Math.max(found.ctimeMs, this.#chain(parent, links), this.#chain(target, links + 1));
    }
    const above = this.#chain(parent, links);
    if (!found?.isDirectory()) return above;
    const around = statOf(parent)?.ctimeMs ?? Number.POSITIVE_INFINITY;
    return Math.max(above, Math.min(around, found.ctimeMs));
  }
}

/** Hashes of contents that this process has read, for files that have not changed since. */
export class ContentHashes {
  readonly #known = new Map<string, { stamp: string; hash: string }>();

  get(path: string, stamp: string): string | undefined {
    const known = this.#known.get(path);
    return known?.stamp === stamp ? known.hash : undefined;
  }

  set(path: string, stamp: string, hash: string): void {
    if (this.#known.size >= mostEntries) this.#known.clear();
    this.#known.set(path, { stamp, hash });
  }
}

/** The identities of directories and of all above them: where they are, whatever they contain. */
export function placesOf(directories: readonly string[]): string {
  const all = new Set<string>();
  for (const directory of directories) {
    for (let at = directory; !all.has(at); at = dirname(at)) all.add(at);
  }
  const identities = [...all].map(
    (at) => `${at} ${statOf(at)?.dev}:${statOf(at)?.ino}:${linkStatOf(at)?.ino}`,
  );
  return digest(identities);
}

interface ChangeSearch {
  /** Whether a time (`ctime`, in milliseconds since 1970) is too early to count. */
  isQuiet(changedAt: number): boolean;
  /** Whether a folder of this name in this directory is left out. */
  skips(directory: string, name: string): boolean;
}

/**
 * The path of something below a directory that was written, made, moved or removed lately: undefined if nothing was. Leaves
 * out what version control keeps for itself, and follows no links.
 */
export function changedBelow(
  directory: string,
  { isQuiet, skips }: ChangeSearch,
): { changed: string } | Unknown | undefined {
  const open = [directory];
  let entries = 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    // What was removed, only the folder knows.
    const changedAt = statOf(folder)?.ctimeMs;
    if (changedAt === undefined || !isQuiet(changedAt)) return { changed: folder };
    for (const { name, kind } of entriesOf(folder) ?? []) {
      if (++entries > mostEntries) return { unknown: `has more than ${mostEntries} files` };
      if (versionControl.has(name)) continue;
      const path = join(folder, name);
      if (kind === "directory") {
        if (!skips(folder, name)) open.push(path);
        continue;
      }
      const found = linkStatOf(path);
      if (!found || !isQuiet(found.ctimeMs)) return { changed: path };
    }
  }
  return undefined;
}

/** How a set of texts is hashed: no other set has the same hash. */
export function digest(lines: readonly string[]): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const line of lines) hash.update(`${line.length}:${line}\n`);
  return hash.digest("base64url");
}

class Tree {
  readonly lines: string[] = [];
  changedAt = 0;
  #bytes = 0;
  /** The identities of the directories that are being read, each in the one before it. */
  readonly #open: string[] = [];
  readonly #manner: TreeManner;
  readonly #hashes: ContentHashes | undefined;

  constructor(manner: TreeManner, hashes: ContentHashes | undefined) {
    this.#manner = manner;
    this.#hashes = hashes;
  }

  /** Why the tree cannot be fingerprinted; undefined if all was added. `below` ends with a slash, or is empty. */
  add(directory: string, below: string): string | undefined {
    this.#open.push(identityOf(statOf(directory)));
    const unknown = this.#addEntries(directory, below);
    this.#open.pop();
    return unknown;
  }

  #addEntries(directory: string, below: string): string | undefined {
    const entries = entriesOf(directory);
    if (!entries) {
      this.lines.push(`unreadable ${below}`);
      return undefined;
    }
    for (const { name, kind } of entries) {
      const path = join(directory, name);
      if (versionControl.has(name)) continue;
      if (kind === "directory" && this.#manner.skips?.(directory, name)) continue;
      const unknown = this.#entry(path, { name, below, kind });
      if (unknown !== undefined) return unknown;
      if (this.lines.length > mostEntries) return `has more than ${mostEntries} files`;
    }
    // Afterwards, so that a change in between is seen by its time.
    this.changedAt = Math.max(this.changedAt, statOf(directory)?.ctimeMs ?? Date.now());
    return undefined;
  }

  #entry(path: string, { name, below, kind }: Entry & { below: string }): string | undefined {
    const link = linkStatOf(path);
    // It has just gone.
    if (!link) return changing;
    this.changedAt = Math.max(this.changedAt, link.ctimeMs);
    if (kind === "link") this.lines.push(`link ${below}${name} ${readlinkSync(path)}`);
    const found = kind === "link" && this.#manner.follows ? statOf(path) : link;
    if (!found) return undefined;
    this.changedAt = Math.max(this.changedAt, found.ctimeMs);
    if (found.isDirectory()) {
      this.lines.push(`directory ${below}${name}`);
      // A link back to where we are: that is read already, or being read.
      if (kind === "link" && this.#open.includes(identityOf(found))) return undefined;
      return this.add(path, `${below}${name}/`);
    }
    if (!found.isFile()) return undefined;
    const { endings, always = [], counts } = this.#manner;
    const isCounted = !endings || always.includes(name) || endings.some((ending) => name.endsWith(ending));
    if (!isCounted) return undefined;
    if (counts === "names") {
      this.lines.push(`file ${below}${name} ${found.mtimeMs}`);
      return undefined;
    }
    this.#bytes += found.size;
    if (found.size > mostFileBytes || this.#bytes > mostTreeBytes) return "is larger than 256 MB";
    const read = contentOf(path, this.#hashes);
    if (read.kind === "changing") return changing;
    if (read.kind === "hash") this.changedAt = Math.max(this.changedAt, read.changedAt);
    this.lines.push(`file ${below}${name} ${read.kind === "unreadable" ? read.kind : read.hash}`);
    return undefined;
  }
}

function identityOf(found: Stats | undefined): string {
  return `${found?.dev}:${found?.ino}`;
}

type Kind = "file" | "directory" | "link" | "other";

interface Entry {
  name: string;
  kind: Kind;
}

function entriesOf(directory: string): Entry[] | undefined {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .map(
        (entry): Entry => ({
          name: entry.name,
          kind: entry.isFile()
            ? "file"
            : entry.isDirectory()
              ? "directory"
              : entry.isSymbolicLink()
                ? "link"
                : "other",
        }),
      )
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  } catch {
    // Nothing there, no directory, or no permission.
    return undefined;
  }
}

type Content =
  | { kind: "hash"; hash: string; changedAt: number }
  | { kind: "unreadable" }
  | { kind: "changing" };

const buffer = new Uint8Array(256 * 1024);

function contentOf(path: string, hashes: ContentHashes | undefined): Content {
  let descriptor: number;
  try {
    // It may have become a pipe: opening that must not wait for a writer.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return systemCode(error) === "ENOENT" ? { kind: "changing" } : { kind: "unreadable" };
  }
  try {
    const found = fstatSync(descriptor);
    const stamp = stampOf(found);
    const known = hashes?.get(path, stamp);
    if (known !== undefined) return { kind: "hash", hash: known, changedAt: found.ctimeMs };
    const hash = hashOf(descriptor);
    if (stampOf(fstatSync(descriptor)) !== stamp) return { kind: "changing" };
    // A file keeps its times if it changes twice within one tick of the file system's clock.
    if (Date.now() - found.ctimeMs > longestTickMs) hashes?.set(path, stamp, hash);
    return { kind: "hash", hash, changedAt: found.ctimeMs };
  } catch {
    // A disk that does not give its data.
    return { kind: "unreadable" };
  } finally {
    closeSync(descriptor);
  }
}

function hashOf(descriptor: number): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (;;) {
    const read = readSync(descriptor, buffer, 0, buffer.length, null);
    if (read === 0) return hash.digest("base64url");
    hash.update(buffer.subarray(0, read));
  }
}

function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // A parent is no directory or may not be entered, or the path is too long: for this user, nothing is there.
    return undefined;
  }
}

function linkStatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // As above.
    return undefined;
  }
}

// A dangling link is there, although it leads to nothing.
function linkTime(path: string): number {
  return linkStatOf(path)?.ctimeMs ?? 0;
}
