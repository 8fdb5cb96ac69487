// Reads what a Mach-O file says of itself: 64 bit, little endian, one processor, as our macOS targets are.

export interface MachOFacts {
  machine: string;
  positionIndependent: boolean;
  /** The oldest macOS that may run it. */
  macos: string | undefined;
  libraries: string[];
  segments: Segment[];
  signature: { command: number; offset: number; size: number } | undefined;
  /** Where Bun has put the program. */
  bun: Buffer | undefined;
}

interface Segment {
  name: string;
  /** Where its load command stands. */
  command: number;
  offset: number;
  size: number;
}

const machines: Record<number, string> = { 16777223: "x64", 16777228: "arm64" };
const loadCommand = { segment: 0x19, signature: 0x1d, buildVersion: 0x32 };
const libraryCommands = [0x0c, 0x80000018, 0x8000001f];
const macosPlatform = 1;

/** Whether a file begins as Mach-O files of 64 bit do. */
export const isMachO = (file: Buffer): boolean => file.length > 32 && file.readUInt32LE(0) === 0xfeedfacf;

/** Throws where the file is cut off. */
export function readMachO(file: Buffer): MachOFacts {
  const facts: MachOFacts = {
    machine: machines[file.readUInt32LE(4)] ?? `machine ${file.readUInt32LE(4)}`,
    positionIndependent: (file.readUInt32LE(24) & 0x200000) !== 0,
    macos: undefined,
    libraries: [],
    segments: [],
    signature: undefined,
    bun: undefined,
  };
  let at = 32;
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    const command = file.readUInt32LE(at);
    const end = at + file.readUInt32LE(at + 4);
    if (end <= at || end > file.length) throw new Error("it is cut off");
    if (command === loadCommand.segment) {
      facts.segments.push(segmentAt(file, at));
      facts.bun ??= sectionIn(file, at, "__bun");
    }
    if (command === loadCommand.signature)
      facts.signature = { command: at, offset: file.readUInt32LE(at + 8), size: file.readUInt32LE(at + 12) };
    if (command === loadCommand.buildVersion && file.readUInt32LE(at + 8) === macosPlatform)
      facts.macos = `${file.readUInt16LE(at + 14)}.${file.readUInt8(at + 13)}`;
    if (libraryCommands.includes(command))
      facts.libraries.push(text(file, at + file.readUInt32LE(at + 8), end));
    at = end;
  }
  return facts;
}

function segmentAt(file: Buffer, command: number): Segment {
  return {
    name: text(file, command + 8, command + 24),
    command,
    offset: Number(file.readBigUInt64LE(command + 40)),
    size: Number(file.readBigUInt64LE(command + 48)),
  };
}

function sectionIn(file: Buffer, command: number, wanted: string): Buffer | undefined {
  const count = file.readUInt32LE(command + 64);
  const starts = Array.from({ length: count }, (_, index) => command + 72 + index * 80);
  const found = starts.find((start) => text(file, start, start + 16) === wanted);
  if (found === undefined) return undefined;
  const offset = file.readUInt32LE(found + 48);
  return file.subarray(offset, offset + Number(file.readBigUInt64LE(found + 40)));
}

function text(file: Buffer, at: number, end: number): string {
  return file.toString("latin1", at, end).split("\0", 1)[0] ?? "";
}
