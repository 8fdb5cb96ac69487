// Writes zip with a fixed time and Unix modes, entries as they are given.
import { crc32 } from "node:zlib";
import { type Entry, lastBlock } from "./content.ts";

// 1980-01-01, the earliest that the format knows.
const dosDate = 0x21;

/** A zip archive of these entries. */
export function zip(entries: Entry[]): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = new TextEncoder().encode(entry.path);
    const stored = Buffer.concat([entry.content.deflated, lastBlock]);
    const facts = factsOf(entry, stored.length, name.length);
    const local = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), facts, name, stored]);
    directory.push(centralOf(entry, facts, offset), name);
    files.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, index, end]);
}

// What the local header and the central one have in common.
function factsOf({ content }: Entry, storedSize: number, nameLength: number): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(0x0800, 2);
  facts.writeUInt16LE(8, 4);
  facts.writeUInt16LE(dosDate, 8);
  facts.writeUInt32LE(crc32(content.bytes), 10);
  facts.writeUInt32LE(storedSize, 14);
  facts.writeUInt32LE(content.bytes.length, 18);
  facts.writeUInt16LE(nameLength, 22);
  return facts;
}

function centralOf({ executable }: Entry, facts: Buffer, offset: number): Buffer {
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE((executable ? 0o100755 : 0o100644) * 0x10000, 6);
  rest.writeUInt32LE(offset, 10);
  return Buffer.concat([Buffer.from([0x50, 0x4b, 1, 2, 20, 3]), facts, rest]);
}
