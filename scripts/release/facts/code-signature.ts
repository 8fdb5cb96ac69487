// Reads the signature at the end of a Mach-O file, and computes again what it says of every page. All of it is big endian.

export interface CodeSignature {
  adHoc: boolean;
  /** Made by a linker, which `codesign` replaces without being forced to. */
  linkerSigned: boolean;
  /** Whether somebody stands for it with a certificate. */
  certified: boolean;
  identifier: string;
  hash: string;
  pageSize: number;
  pages: number;
  /** The pages of which the hash is another, from 0. */
  badPages: number[];
  /** How much of the file the pages cover: all that stands before the signature. */
  codeLimit: number;
}

const magic = { superBlob: 0xfade0cc0, codeDirectory: 0xfade0c02 };
const slot = { codeDirectory: 0, certificates: 0x10000 };
const flag = { adHoc: 0x2, linkerSigned: 0x20000 };
/** The only hash in use since macOS 10.12. */
export const sha256 = 2;

/** The signature that stands there in the file. Throws where it is none. */
export function readCodeSignature(
  file: Buffer,
  { offset, size }: { offset: number; size: number },
): CodeSignature {
  const blob = file.subarray(offset, offset + size);
  if (blob.length < 12 || blob.readUInt32BE(0) !== magic.superBlob) throw new Error("it has no signature");
  const parts = Array.from({ length: blob.readUInt32BE(8) }, (_, index) => ({
    slot: blob.readUInt32BE(12 + index * 8),
    at: blob.readUInt32BE(16 + index * 8),
  }));
  const partIn = (wanted: number) => parts.find((part) => part.slot === wanted);
  const directory = blob.subarray(partIn(slot.codeDirectory)?.at ?? blob.length);
  if (directory.length < 44 || directory.readUInt32BE(0) !== magic.codeDirectory)
    throw new Error("its signature has no code directory");
  if (directory[36] !== 32 || directory[37] !== sha256) throw new Error("its signature is not of SHA-256");
  const flags = directory.readUInt32BE(12);
  const identifier = directory.readUInt32BE(20);
  const certificates = partIn(slot.certificates);
  const pageSize = 2 ** directory.readUInt8(39);
  const pages = directory.readUInt32BE(28);
  const codeLimit = directory.readUInt32BE(32);
  const hashes = directory.subarray(directory.readUInt32BE(16));
  const computed = pageHashes(file.subarray(0, codeLimit), pageSize);
  return {
    adHoc: (flags & flag.adHoc) !== 0,
    linkerSigned: (flags & flag.linkerSigned) !== 0,
    // An ad-hoc signature may have the slot, with nothing in it.
    certified: certificates !== undefined && blob.readUInt32BE(certificates.at + 4) > 8,
    identifier: directory.toString("latin1", identifier, directory.indexOf(0, identifier)),
    hash: "SHA-256",
    pageSize,
    pages,
    badPages: Array.from({ length: pages }, (_, page) => page).filter(
      (page) => computed[page]?.equals(hashes.subarray(page * 32, (page + 1) * 32)) !== true,
    ),
    codeLimit,
  };
}

/** The hash of each page of what is signed; the last page may be shorter. */
export function pageHashes(code: Buffer, pageSize: number): Buffer[] {
  return Array.from({ length: Math.ceil(code.length / pageSize) }, (_, page) =>
    new Bun.CryptoHasher("sha256").update(code.subarray(page * pageSize, (page + 1) * pageSize)).digest(),
  );
}
