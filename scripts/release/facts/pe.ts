// Reads what a Windows executable says of itself: PE32+, as our Windows targets are.

export interface PeFacts {
  machine: string;
  subsystem: string;
  /** Whether it can be loaded at any address. */
  positionIndependent: boolean;
  /** Whether the stack cannot be executed. */
  stackIsData: boolean;
  /** Whether it carries an Authenticode signature. */
  certified: boolean;
  /** What the properties show of it: product, version, company. */
  version: Record<string, string>;
  /** Where Bun has put the program. */
  bun: Buffer | undefined;
}

const machines: Record<number, string> = { 34404: "x64", 43620: "arm64" };
const subsystems: Record<number, string> = { 2: "windows", 3: "console" };
const characteristic = { movable: 0x40, stackIsData: 0x100 };
const directory = { resources: 2, certificates: 4 };
const versionResource = 16;

/** Whether a file begins as Windows executables do. */
export const isPe = (file: Buffer): boolean => file.toString("latin1", 0, 2) === "MZ";

/** Throws where the file is cut off, or is no PE32+. */
export function readPe(file: Buffer): PeFacts {
  const start = file.readUInt32LE(60);
  if (file.toString("latin1", start, start + 4) !== "PE\0\0") throw new Error("it has no PE header");
  const optional = start + 24;
  if (file.readUInt16LE(optional) !== 0x20b) throw new Error("it is not a PE32+ file");
  const sectionsAt = optional + file.readUInt16LE(start + 20);
  const sections = Array.from({ length: file.readUInt16LE(start + 6) }, (_, index) =>
    sectionAt(file, sectionsAt + index * 40),
  );
  const directoryAt = (index: number) => ({
    address: file.readUInt32LE(optional + 112 + index * 8),
    size: file.readUInt32LE(optional + 116 + index * 8),
  });
  const offsetOf = (address: number): number => {
    const holder = sections.find((one) => address >= one.address && address < one.address + one.bytes.length);
    if (!holder) throw new Error(`no section holds the address ${address}`);
    return holder.offset + address - holder.address;
  };
  const resources = directoryAt(directory.resources);
  const characteristics = file.readUInt16LE(optional + 70);
  return {
    machine: machines[file.readUInt16LE(start + 4)] ?? `machine ${file.readUInt16LE(start + 4)}`,
    subsystem:
      subsystems[file.readUInt16LE(optional + 68)] ?? `subsystem ${file.readUInt16LE(optional + 68)}`,
    positionIndependent: (characteristics & characteristic.movable) !== 0,
    stackIsData: (characteristics & characteristic.stackIsData) !== 0,
    certified: directoryAt(directory.certificates).size > 0,
    version: resources.size === 0 ? {} : versionIn(file, offsetOf(resources.address), offsetOf),
    bun: sections.find(({ name }) => name === ".bun")?.bytes,
  };
}

function sectionAt(file: Buffer, at: number) {
  const offset = file.readUInt32LE(at + 20);
  return {
    name: file.toString("latin1", at, at + 8).replace(/\0+$/, ""),
    address: file.readUInt32LE(at + 12),
    offset,
    bytes: file.subarray(offset, offset + file.readUInt32LE(at + 16)),
  };
}

// Three directories deep: the kind, the name, the language; then comes where it stands.
function versionIn(
  file: Buffer,
  root: number,
  offsetOf: (address: number) => number,
): Record<string, string> {
  const kind = entriesOf(file, root).find(({ id }) => id === versionResource);
  const name = kind && entriesOf(file, root + kind.at)[0];
  const language = name && entriesOf(file, root + name.at)[0];
  if (!language) return {};
  const at = offsetOf(file.readUInt32LE(root + language.at));
  const found: Record<string, string> = {};
  readBlock(file, at, found);
  return found;
}

function entriesOf(file: Buffer, at: number): { id: number; at: number }[] {
  const count = file.readUInt16LE(at + 12) + file.readUInt16LE(at + 14);
  return Array.from({ length: count }, (_, index) => ({
    id: file.readUInt32LE(at + 16 + index * 8),
    // The highest bit says that a directory follows.
    at: file.readUInt32LE(at + 20 + index * 8) & 0x7fffffff,
  }));
}

// A block has a name, perhaps a value, and blocks in it; those without any whose value is text are what we look for.
function readBlock(file: Buffer, at: number, found: Record<string, string>): number {
  const end = at + file.readUInt16LE(at);
  const valueLength = file.readUInt16LE(at + 2);
  const isText = file.readUInt16LE(at + 4) === 1;
  const name = wideText(file, at + 6, end);
  const value = aligned(at + 6 + (name.length + 1) * 2, at);
  if (isText && valueLength > 0) found[name] = wideText(file, value, end);
  let child = aligned(value + (isText ? valueLength * 2 : valueLength), at);
  while (child + 6 < end && file.readUInt16LE(child) > 0) child = aligned(readBlock(file, child, found), at);
  return end;
}

function aligned(at: number, from: number): number {
  return from + Math.ceil((at - from) / 4) * 4;
}

function wideText(file: Buffer, at: number, end: number): string {
  return file.toString("utf16le", at, end).split("\0", 1)[0] ?? "";
}
