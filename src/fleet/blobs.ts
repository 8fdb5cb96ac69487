// Texts, transcripts and bundles of a fleet: in a directory that all machines share, or in an S3 bucket. Compressed, and
// checked when they are read. A name says where a blob is, and its checksum, which travels in signed messages, what it is.
import { z } from "zod";
import { isDirectory, makePrivateDirectory, permissionsOf, setPermissions } from "../platform/files.ts";
import { dirname, join } from "../platform/paths.ts";
import { codeOf, messageOf } from "../platform/system-error.ts";
import { removePath, replaceFileBy } from "../platform/whole-files.ts";
import { type BlobRef, blobName } from "./blob-ref.ts";
import type { Fleet } from "./settings.ts";

export interface BlobStore {
  /** Stores a whole blob. One of the same name is replaced, and readers of that one get an error. */
  put(name: string, contents: Uint8Array<ArrayBuffer> | { file: string }): Promise<BlobRef>;
  /** Writes a blob to a file, readable for its owner alone. The file appears whole, or not at all. */
  getTo(ref: BlobRef, path: string): Promise<void>;
  /** A blob of at most `mostBytes` as text. */
  text(ref: BlobRef, mostBytes: number): Promise<string>;
  /** Removes a blob, if there is one. */
  remove(name: string): Promise<void>;
  /** Writes, reads and removes a small blob. */
  check(): Promise<void>;
}

/** Why a blob cannot be written or read, as a sentence. */
export class BlobError extends Error {
  /** Whether the store answers, and what is wrong is this blob: it is missing, or is not what was stored. */
  readonly isOfBlob: boolean;

  constructor(message: string, { cause, isOfBlob = false }: { cause?: unknown; isOfBlob?: boolean } = {}) {
    super(message, { cause });
    this.isOfBlob = isOfBlob;
  }
}

/** The blob store of a fleet. All calls throw `BlobError`. */
export function blobStoreOf({ blobs, s3 }: Pick<Fleet, "blobs" | "s3">): BlobStore {
  return storeOn(blobs.startsWith("s3://") ? bucketAt(blobs, s3) : directoryAt(blobs));
}

/** Where compressed bytes are. */
interface Shelf {
  /** For messages. */
  place: string;
  write(name: string, bytes: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void>;
  read(name: string): ReadableStream<Uint8Array<ArrayBuffer>>;
  remove(name: string): Promise<void>;
}

function storeOn(shelf: Shelf): BlobStore {
  const store: BlobStore = {
    put: (name, contents) =>
      inWords(`${shelf.place} cannot take ${name}`, async () => {
        const known = blobName.parse(name);
        const source = contents instanceof Uint8Array ? new Blob([contents]) : Bun.file(contents.file);
        const measured = new Measured(Number.POSITIVE_INFINITY);
        const packed = source
          .stream()
          .pipeThrough(measured.stream)
          .pipeThrough(new CompressionStream("zstd"));
        await shelf.write(known, packed);
        return { name: known, ...measured.result() };
      }),
    getTo: (ref, path) =>
      inWords(`${ref.name} cannot be read from ${shelf.place}`, () =>
        replaceFileBy(path, async (beside) => {
          const { stream, measured } = contentsOf(shelf, ref, ref.bytes);
          await Bun.write(beside, new Response(stream));
          checkSame(ref, measured);
        }),
      ),
    text: (ref, mostBytes) =>
      inWords(`${ref.name} cannot be read from ${shelf.place}`, async () => {
        const { stream, measured } = contentsOf(shelf, ref, Math.min(ref.bytes, mostBytes));
        const text = await new Response(stream).text();
        checkSame(ref, measured);
        return text;
      }),
    remove: (name) =>
      inWords(`${name} cannot be removed from ${shelf.place}`, () => shelf.remove(blobName.parse(name))),
    check: async () => {
      const name = `checks/${crypto.randomUUID()}`;
      const ref = await store.put(name, new TextEncoder().encode(name));
      try {
        await store.text(ref, name.length);
      } finally {
        await store.remove(name);
      }
    },
  };
  return store;
}

function contentsOf(shelf: Shelf, { name }: BlobRef, mostBytes: number) {
  const measured = new Measured(mostBytes);
  const unpacked = shelf.read(blobName.parse(name)).pipeThrough(new DecompressionStream("zstd"));
  return { stream: unpacked.pipeThrough(measured.stream), measured };
}

function checkSame(ref: BlobRef, measured: Measured): void {
  const { bytes, sha256 } = measured.result();
  if (bytes !== ref.bytes || sha256 !== ref.sha256)
    throw new BlobError("it is not what was stored", { isOfBlob: true });
}

/** Counts and digests what flows through. Breaks off what is too long: a small blob can unpack to any length. */
class Measured {
  readonly stream: TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  #bytes = 0;

  constructor(mostBytes: number) {
    this.stream = new TransformStream({
      transform: (chunk, controller) => {
        this.#bytes += chunk.length;
        if (this.#bytes > mostBytes)
          throw new BlobError("it is longer than it should be", { isOfBlob: true });
        this.#hasher.update(chunk);
        controller.enqueue(chunk);
      },
    });
  }

  /** Once everything has flowed through. */
  result(): Pick<BlobRef, "bytes" | "sha256"> {
    return { bytes: this.#bytes, sha256: this.#hasher.digest("hex") };
  }
}

async function inWords<Value>(what: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (error) {
    throw new BlobError(`${what}: ${reasonOf(error)}.`, { cause: error, isOfBlob: isOfBlob(error) });
  }
}

function isOfBlob(error: unknown): boolean {
  if (error instanceof BlobError) return error.isOfBlob;
  const code = codeOf(error);
  // What has no code of the system, the network or the bucket comes from unpacking.
  const isMissing = code === "ENOENT" || code === "NoSuchKey";
  return error instanceof z.ZodError || code === undefined || isMissing || /zstd|^Z_/i.test(code);
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return "its name cannot be one";
  const code = codeOf(error);
  if (code === "ENOENT" || code === "NoSuchKey") return "it does not exist";
  if (code === "NoSuchBucket") return "there is no such bucket";
  if (code === "ERR_S3_MISSING_CREDENTIALS") return "credentials are missing";
  const message = messageOf(error);
  const withCode = code === undefined || message.includes(code) ? message : `${message} (${code})`;
  return withCode.replace(/\.$/, "");
}

function directoryAt(directory: string): Shelf {
  const pathOf = (name: string) => join(directory, `${name}.zst`);
  return {
    place: directory,
    write: async (name, bytes) => {
      // Made here, it would be on this machine's own disk, where something was not mounted.
      if (!isDirectory(directory)) throw new BlobError("the directory does not exist");
      const path = pathOf(name);
      const mode = modeIn(directory);
      makeDirectories(dirname(path), directory, mode);
      await replaceFileBy(path, async (beside) => {
        await Bun.write(beside, new Response(bytes));
        if (process.platform !== "win32") setPermissions(beside, mode & 0o666);
      });
    },
    read: (name) => {
      if (!isDirectory(directory)) throw new BlobError("the directory does not exist");
      return Bun.file(pathOf(name)).stream();
    },
    remove: (name) => removePath(pathOf(name)),
  };
}

// Who may write in the directory may use all that is in it: workers may run as another user than those who read their results.
function modeIn(directory: string): number {
  const mode = permissionsOf(directory);
  const open = [0o070, 0o007].filter((bits) => (mode & bits) === bits);
  return open.reduce((sum, bits) => sum | bits, (mode & 0o2000) | 0o700);
}

function makeDirectories(path: string, top: string, mode: number): void {
  if (path === top || isDirectory(path)) return;
  makeDirectories(dirname(path), top, mode);
  makePrivateDirectory(path);
  if (process.platform !== "win32") setPermissions(path, mode);
}

function bucketAt(url: string, access: Fleet["s3"]): Shelf {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/?(.*?)\/?$/.exec(url) ?? [];
  const client = new Bun.S3Client({ ...access, bucket });
  const fileOf = (name: string) => client.file(`${prefix === "" ? "" : `${prefix}/`}${name}.zst`);
  return {
    place: url,
    write: async (name, bytes) => void (await fileOf(name).write(new Response(bytes))),
    read: (name) => fileOf(name).stream(),
    remove: (name) => fileOf(name).delete(),
  };
}
