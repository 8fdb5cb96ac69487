// Signs a macOS executable as its linker would have: ad hoc, which says that no byte has changed, and not who made it.
//
// Out of the cross-build, the one for x64 has Oven's signature of the bare runtime, of which our program makes every page
// wrong that it moves, and the limit too. A signature by a certificate cannot be mended, so another takes its place, as Bun
// itself does for arm64. Nothing else in the file knows of it: its command and the segment that it ends are on page 0.
import { pageHashes, sha256 } from "./facts/code-signature.ts";
import { readMachO } from "./facts/mach-o.ts";

const pageSize = 4096;
const memoryPage = 16_384;
const headerSize = 20;
const directorySize = 88;
const flags = { adHoc: 0x2, linkerSigned: 0x20000, mainExecutable: 0x1 };

/** Signs the file at this path anew. The same file gets the same signature. */
export async function signFileAdHoc(path: string, identifier: string): Promise<void> {
  await Bun.write(path, signAdHoc(Buffer.from(await Bun.file(path).arrayBuffer()), identifier));
}

/** The executable with an ad-hoc signature for the one that it has. */
export function signAdHoc(file: Buffer, identifier: string): Buffer {
  const { signature, segments } = readMachO(file);
  const [text, linkEdit] = ["__TEXT", "__LINKEDIT"].map((name) => segments.find((one) => one.name === name));
  if (!signature || !text || !linkEdit)
    throw new Error("Internal error: this executable has no place for a signature");
  const name = Buffer.from(`${identifier}\0`, "latin1");
  const pages = Math.ceil(signature.offset / pageSize);
  const length = directorySize + name.length + pages * 32;
  const signed = Buffer.alloc(signature.offset + headerSize + length);
  file.copy(signed, 0, 0, signature.offset);

  // First what is signed says how long its signature is, and then it is signed.
  const inMemory = Math.ceil((signed.length - linkEdit.offset) / memoryPage) * memoryPage;
  signed.writeUInt32LE(headerSize + length, signature.command + 12);
  signed.writeBigUInt64LE(BigInt(inMemory), linkEdit.command + 32);
  signed.writeBigUInt64LE(BigInt(signed.length - linkEdit.offset), linkEdit.command + 48);

  const header = signed.subarray(signature.offset);
  // A blob of blobs with one in it: the slot of the code directory, and where that begins.
  for (const [index, value] of [0xfade0cc0, headerSize + length, 1, 0, headerSize].entries())
    header.writeUInt32BE(value, index * 4);
  const directory = header.subarray(headerSize);
  const first = [
    0xfade0c02,
    length,
    // The version that knows of the executable segment.
    0x20400,
    flags.adHoc | flags.linkerSigned,
    directorySize + name.length,
    directorySize,
    0,
    pages,
    signature.offset,
  ];
  for (const [index, value] of first.entries()) directory.writeUInt32BE(value, index * 4);
  directory.set([32, sha256, 0, Math.log2(pageSize)], 36);
  directory.writeBigUInt64BE(BigInt(text.offset), 64);
  directory.writeBigUInt64BE(BigInt(text.size), 72);
  directory.writeBigUInt64BE(BigInt(flags.mainExecutable), 80);
  name.copy(directory, directorySize);
  const hashes = pageHashes(signed.subarray(0, signature.offset), pageSize);
  Buffer.concat(hashes).copy(directory, directorySize + name.length);
  return signed;
}
