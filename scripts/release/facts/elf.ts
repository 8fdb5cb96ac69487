// Reads what an ELF file says of itself: 64 bit, little endian, as all our Linux targets are.

export interface ElfFacts {
  machine: string;
  /** Whether it can be loaded at any address. */
  positionIndependent: boolean;
  /** Whether the stack cannot be executed. */
  stackIsData: boolean;
  /** How much of the relocated tables becomes read-only after the start. */
  relro: "none" | "partial" | "full";
  /** What loads it; a static executable has none. */
  interpreter: string | undefined;
  /** The C library that the loader is one of. */
  libc: "glibc" | "musl";
  libraries: string[];
  /** The highest version of glibc that a symbol is wanted of. */
  glibc: string | undefined;
  /** Where Bun has put the program. */
  bun: Buffer | undefined;
}

const machines: Record<number, string> = { 62: "x64", 183: "arm64" };
const segment = { load: 1, dynamic: 2, interpreter: 3, stack: 0x6474e551, relro: 0x6474e552 };
const tag = { needed: 1, strings: 5, bindNow: 24, flags: 30, flags1: 0x6ffffffb, versions: 0x6ffffffe };

/** Whether a file begins as ELF files do. */
export const isElf = (file: Buffer): boolean => file.toString("latin1", 0, 4) === "\x7fELF";

/** Throws where the file is cut off, or is no such ELF file. */
export function readElf(file: Buffer): ElfFacts {
  if (file[4] !== 2 || file[5] !== 1) throw new Error("it is not an ELF file of 64 bit, little endian");
  const segments = table(file, {
    at: number(file, 32),
    size: file.readUInt16LE(54),
    count: file.readUInt16LE(56),
  }).map((row) => ({
    type: row.readUInt32LE(0),
    flags: row.readUInt32LE(4),
    offset: number(row, 8),
    address: number(row, 16),
    size: number(row, 32),
  }));
  const of = (type: number) => segments.find((one) => one.type === type);
  const offsetOf = (address: number): number => {
    const holder = segments.find(
      (one) => one.type === segment.load && address >= one.address && address < one.address + one.size,
    );
    if (!holder) throw new Error(`no segment holds the address ${address}`);
    return holder.offset + address - holder.address;
  };
  const loader = of(segment.interpreter);
  const interpreter = loader && text(file, loader.offset);
  const dynamic = of(segment.dynamic);
  const entries = dynamic
    ? table(file, { at: dynamic.offset, size: 16, count: dynamic.size / 16 }).map((row) => ({
        tag: number(row, 0),
        value: number(row, 8),
      }))
    : [];
  const entryOf = (wanted: number) => entries.find((entry) => entry.tag === wanted)?.value;
  const strings = entryOf(tag.strings);
  const named = (at: number) => text(file, strings === undefined ? at : offsetOf(strings) + at);
  const versions = entryOf(tag.versions);
  const atOnce =
    entryOf(tag.bindNow) !== undefined ||
    ((entryOf(tag.flags) ?? 0) & 8) !== 0 ||
    ((entryOf(tag.flags1) ?? 0) & 1) !== 0;
  const stack = of(segment.stack);
  return {
    machine: machines[file.readUInt16LE(18)] ?? `machine ${file.readUInt16LE(18)}`,
    positionIndependent: file.readUInt16LE(16) === 3,
    stackIsData: stack !== undefined && (stack.flags & 1) === 0,
    relro: of(segment.relro) === undefined ? "none" : atOnce ? "full" : "partial",
    interpreter,
    libc: interpreter?.includes("musl") ? "musl" : "glibc",
    libraries: entries.filter((entry) => entry.tag === tag.needed).map(({ value }) => named(value)),
    glibc: versions === undefined ? undefined : highestGlibc(file, offsetOf(versions), named),
    bun: sectionNamed(file, ".bun"),
  };
}

// A chain of libraries, each with a chain of versions that are wanted of it.
function highestGlibc(file: Buffer, at: number, named: (at: number) => string): string | undefined {
  const wanted: string[] = [];
  for (let library = at, next = -1; next !== 0; library += next) {
    next = file.readUInt32LE(library + 12);
    let version = library + file.readUInt32LE(library + 8);
    for (let left = file.readUInt16LE(library + 2); left > 0; left--) {
      const name = named(file.readUInt32LE(version + 8));
      if (name.startsWith("GLIBC_")) wanted.push(name.slice("GLIBC_".length));
      version += file.readUInt32LE(version + 12);
    }
  }
  return wanted.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
}

function sectionNamed(file: Buffer, wanted: string): Buffer | undefined {
  const sections = table(file, {
    at: number(file, 40),
    size: file.readUInt16LE(58),
    count: file.readUInt16LE(60),
  });
  const names = sections[file.readUInt16LE(62)];
  if (!names) return undefined;
  const found = sections.find((row) => text(file, number(names, 24) + row.readUInt32LE(0)) === wanted);
  return found && file.subarray(number(found, 24), number(found, 24) + number(found, 32));
}

function table(file: Buffer, { at, size, count }: { at: number; size: number; count: number }): Buffer[] {
  if (at + size * count > file.length) throw new Error("it is cut off");
  return Array.from({ length: count }, (_, row) => file.subarray(at + row * size, at + (row + 1) * size));
}

function number(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function text(file: Buffer, at: number): string {
  return file.toString("latin1", at, file.indexOf(0, at));
}
