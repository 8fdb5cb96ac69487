// Writes tar.gz: ustar with owner 0, the time 0 of npm's own tarballs, entries as they are given. So nothing of the machine is in it.
import { crc32 } from "node:zlib";
import { type Content, contentOf, type Entry, lastBlock } from "./content.ts";

// 1985-10-26, which `npm pack` writes too: some tools refuse files from before 1980.
const seconds = 499162500;

/** A gzipped tar archive of these entries; `links` are symbolic links, from path to target. */
export async function tarGzip(entries: Entry[], links: Record<string, string> = {}): Promise<Uint8Array> {
  const parts: Content[] = [];
  for (const { path, content, executable } of entries) {
    const size = content.bytes.length;
    parts.push(await contentOf(header({ path, size, mode: executable ? 0o755 : 0o644 })), content);
    parts.push(await contentOf(new Uint8Array((512 - (size % 512)) % 512)));
  }
  for (const [path, link] of Object.entries(links)) {
    parts.push(await contentOf(header({ path, size: 0, mode: 0o777, link })));
  }
  parts.push(await contentOf(new Uint8Array(1024)));
  return gzip(parts);
}

function header(entry: { path: string; size: number; mode: number; link?: string }): Uint8Array {
  if (entry.path.length > 100) throw new Error(`Internal error: ${entry.path} is too long for ustar`);
  const block = new Uint8Array(512);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  put(0, entry.path);
  put(100, octal(entry.mode, 7) + octal(0, 7) + octal(0, 7) + octal(entry.size, 11) + octal(seconds, 11));
  put(148, "        ");
  put(156, entry.link === undefined ? "0" : "2");
  put(157, entry.link ?? "");
  put(257, "ustar\x0000");
  put(
    148,
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
  );
  return block;
}

function gzip(parts: Content[]): Uint8Array {
  const head = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(
    0,
    parts.reduce((sum, { bytes }) => crc32(bytes, sum), 0),
    true,
  );
  trailer.setUint32(
    4,
    parts.reduce((sum, { bytes }) => sum + bytes.length, 0),
    true,
  );
  return Buffer.concat([
    head,
    ...parts.map(({ deflated }) => deflated),
    lastBlock,
    Buffer.from(trailer.buffer),
  ]);
}
