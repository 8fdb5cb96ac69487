// Small executables of our own making, with just what is read of them.
import { readMachO } from "../../scripts/release/facts/mach-o.ts";
import { signAdHoc } from "../../scripts/release/sign-ad-hoc.ts";
import type { Target } from "../../scripts/release/targets.ts";

/** A signed Mach-O file with this many bytes of code. */
export function machO(
  codeSize: number,
  { cpu = 0x0100000c, identifier = "made-up", macos = 0x000d_0000 } = {},
): Buffer {
  const linkEdit = Math.ceil(codeSize / 16_384) * 16_384;
  const place = linkEdit + 64;
  const signature = Buffer.alloc(16);
  signature.writeUInt32LE(0x1d, 0);
  signature.writeUInt32LE(16, 4);
  signature.writeUInt32LE(place, 8);
  const version = Buffer.alloc(24);
  for (const [index, value] of [0x32, 24, 1, macos].entries()) version.writeUInt32LE(value, index * 4);
  const commands = [
    segment("__TEXT", { offset: 0, size: linkEdit }),
    segment("__LINKEDIT", { offset: linkEdit, size: 64 }),
    version,
    signature,
  ];
  const header = Buffer.alloc(32);
  header.writeUInt32LE(0xfeedfacf, 0);
  header.writeUInt32LE(cpu, 4);
  header.writeUInt32LE(commands.length, 16);
  header.writeUInt32LE(0x200000, 24);
  const file = Buffer.alloc(place, 0x90);
  Buffer.concat([header, ...commands]).copy(file);
  return signAdHoc(file, identifier);
}

/** The file with a signature that somebody stands for, though by an empty certificate. */
export function withCertificate(file: Buffer): Buffer {
  const { signature } = readMachO(file);
  if (!signature) throw new Error("There is no place for a signature");
  const directory = Buffer.from(file.subarray(signature.offset + 20));
  directory.writeUInt32BE(0, 12);
  const certificates = Buffer.alloc(16);
  certificates.writeUInt32BE(certificates.length, 4);
  const header = Buffer.alloc(28);
  const size = header.length + directory.length + certificates.length;
  for (const [index, value] of [0xfade0cc0, size, 2, 0, 28, 0x10000, 28 + directory.length].entries())
    header.writeUInt32BE(value, index * 4);
  const signed = Buffer.concat([file.subarray(0, signature.offset), header, directory, certificates]);
  signed.writeUInt32LE(size, signature.command + 12);
  return signed;
}

function segment(name: string, { offset, size }: { offset: number; size: number }): Buffer {
  const command = Buffer.alloc(72);
  command.writeUInt32LE(0x19, 0);
  command.writeUInt32LE(72, 4);
  command.write(name, 8, "latin1");
  command.writeBigUInt64LE(BigInt(offset), 40);
  command.writeBigUInt64LE(BigInt(size), 48);
  return command;
}

/** A Windows executable with a version resource, and a section of Bun's. */
export function pe({
  product,
  bun,
  subsystem = 3,
}: {
  product: string;
  bun: Buffer;
  subsystem?: number;
}): Buffer {
  const resources = resourcesWith(versionOf(product));
  const header = Buffer.alloc(0x400);
  header.write("MZ", 0, "latin1");
  header.writeUInt32LE(0x80, 60);
  header.write("PE\0\0", 0x80, "latin1");
  header.writeUInt16LE(0x8664, 0x84);
  header.writeUInt16LE(2, 0x86);
  header.writeUInt16LE(240, 0x94);
  const optional = 0x98;
  header.writeUInt16LE(0x20b, optional);
  header.writeUInt16LE(subsystem, optional + 68);
  header.writeUInt16LE(0x140, optional + 70);
  header.writeUInt32LE(0x1000, optional + 112 + 16);
  header.writeUInt32LE(resources.length, optional + 116 + 16);
  const sections = optional + 240;
  sectionHeader(".rsrc", { address: 0x1000, size: resources.length, offset: 0x400 }).copy(header, sections);
  const at = 0x400 + resources.length;
  sectionHeader(".bun", { address: 0x9000, size: bun.length, offset: at }).copy(header, sections + 40);
  return Buffer.concat([header, resources, bun]);
}

function sectionHeader(name: string, place: { address: number; size: number; offset: number }): Buffer {
  const row = Buffer.alloc(40);
  row.write(name, 0, "latin1");
  row.writeUInt32LE(place.address, 12);
  row.writeUInt32LE(place.size, 16);
  row.writeUInt32LE(place.offset, 20);
  return row;
}

// Kind, name and language, a directory of 24 bytes each, and where the block is: at the address 0x1000 + 88.
function resourcesWith(block: Buffer): Buffer {
  const tree = Buffer.alloc(88);
  for (const [level, id] of [16, 1, 0x409].entries()) {
    const at = level * 24;
    tree.writeUInt16LE(1, at + 14);
    tree.writeUInt32LE(id, at + 16);
    tree.writeUInt32LE(level < 2 ? (0x80000000 | (at + 24)) >>> 0 : 72, at + 20);
  }
  tree.writeUInt32LE(0x1000 + 88, 72);
  tree.writeUInt32LE(block.length, 76);
  return Buffer.concat([tree, block]);
}

function versionOf(product: string): Buffer {
  const strings = [
    block("ProductName", { text: product }),
    block("ProductVersion", { text: "1.2.3" }),
    block("CompanyName", { text: "Somebody" }),
  ];
  const table = block("040904b0", { children: strings });
  return block("VS_VERSION_INFO", {
    value: Buffer.alloc(52, 1),
    children: [block("StringFileInfo", { children: [table] })],
  });
}

function block(name: string, content: { text?: string; value?: Buffer; children?: Buffer[] }): Buffer {
  const value = content.text === undefined ? content.value : Buffer.from(`${content.text}\0`, "utf16le");
  const head = Buffer.alloc(6);
  const parts = [
    Buffer.concat([head, Buffer.from(`${name}\0`, "utf16le")]),
    value ?? Buffer.alloc(0),
    ...(content.children ?? []),
  ];
  const padded = parts.map((part) => Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4)]));
  const whole = Buffer.concat(padded);
  whole.writeUInt16LE(whole.length, 0);
  whole.writeUInt16LE(content.text === undefined ? (value?.length ?? 0) : content.text.length + 1, 2);
  whole.writeUInt16LE(content.text === undefined ? 0 : 1, 4);
  return whole;
}

/** A section of Bun's with modules of these names. */
export function bunSection(names: string[]): Buffer {
  const texts = names.map((name) => Buffer.from(name));
  let at = 0;
  const rows = texts.map((text) => {
    const row = Buffer.alloc(52);
    row.writeUInt32LE(at, 0);
    row.writeUInt32LE(text.length, 4);
    at += text.length;
    return row;
  });
  const bytes = Buffer.concat([...texts, ...rows]);
  const offsets = Buffer.alloc(32);
  offsets.writeBigUInt64LE(BigInt(bytes.length), 0);
  offsets.writeUInt32LE(at, 8);
  offsets.writeUInt32LE(rows.length * 52, 12);
  const whole = Buffer.concat([bytes, offsets, Buffer.from("\n---- Bun! ----\n")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(whole.length), 0);
  return Buffer.concat([length, whole]);
}

/** A target for macOS. */
export function darwin(cpu: Target["cpu"]): Target {
  const trial = { how: "built, not run", what: "nothing" } as const;
  return { name: `darwin-${cpu}`, compiler: `bun-darwin-${cpu}`, os: "darwin", cpu, trial };
}
