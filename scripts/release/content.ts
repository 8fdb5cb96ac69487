// Contents of archives. An executable is in up to three of them, and deflated once.
import { promisify } from "node:util";
import { constants, deflateRaw } from "node:zlib";

/** Bytes, also as a run of raw deflate blocks without a last one, which can be put behind one another. */
export interface Content {
  bytes: Uint8Array;
  deflated: Uint8Array;
}

/** A file in an archive. */
export interface Entry {
  path: string;
  content: Content;
  executable?: boolean;
}

/** The empty last block that ends a run of deflate blocks. */
export const lastBlock = new Uint8Array([3, 0]);

/** Compresses bytes or text. The same input gives the same bytes. */
export async function contentOf(source: Uint8Array | string): Promise<Content> {
  const bytes = typeof source === "string" ? new TextEncoder().encode(source) : source;
  const deflated = await promisify(deflateRaw)(bytes, { level: 6, finishFlush: constants.Z_FULL_FLUSH });
  return { bytes, deflated: new Uint8Array(deflated) };
}
