// A second name for a file, so that removing one of them keeps the contents; or a copy of a part of it.
// Bun has no call that links files, and none that copies, writes or renames one before it returns.
import {
  closeSync,
  copyFileSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";

/**
 * Gives a file a second name, or copies it where the file system has no links. The name appears with the whole contents or
 * not at all. Throws if the file is not there, or the name is taken.
 */
export function nameAgain(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch (error) {
    // Missing, or taken: a copy would not help. Otherwise no links at all, or too many to this file.
    if (!statSync(path, { throwIfNoEntry: false }) || statSync(name, { throwIfNoEntry: false })) throw error;
    const half = `${name}.${process.pid}.part`;
    try {
      copyFileSync(path, half);
      renameSync(half, name);
    } finally {
      rmSync(half, { force: true });
    }
  }
}

const pieceBytes = 256 * 1024;

/** A part of a file, in bytes from its beginning; by default, all behind `from`. */
export interface PartOfFile {
  from?: number | undefined;
  to?: number | undefined;
}

/**
 * Copies a part of a file to another name, private to the user. The name appears with the whole part or not at all. Throws
 * if the file is not there, or ends before the part does.
 */
export function copyPart(
  path: string,
  name: string,
  { from = 0, to = Number.POSITIVE_INFINITY }: PartOfFile,
): void {
  const half = `${name}.${process.pid}.part`;
  try {
    using source = opened(path, "r");
    {
      using target = opened(half, "wx");
      const buffer = new Uint8Array(pieceBytes);
      let position = from;
      while (position < to) {
        const read = readSync(source.descriptor, buffer, 0, Math.min(pieceBytes, to - position), position);
        if (read === 0) break;
        for (let written = 0; written < read; )
          written += writeSync(target.descriptor, buffer, written, read - written);
        position += read;
      }
      if (to !== Number.POSITIVE_INFINITY && position < to) throw new Error(`${path} ends at ${position}.`);
    }
    renameSync(half, name);
  } finally {
    rmSync(half, { force: true });
  }
}

function opened(path: string, flags: "r" | "wx"): Disposable & { descriptor: number } {
  const descriptor = openSync(path, flags, 0o600);
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
}
