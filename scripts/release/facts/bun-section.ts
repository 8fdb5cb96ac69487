// The section in which Bun's executables hold their program: its length, the modules, a table of them, and a last line.

const trailer = "\n---- Bun! ----\n";
const offsetsSize = 32;
/** What a module takes in the table of Bun 1.4. */
const rowSize = 52;
const roots = ["/$bunfs/root/", "B:/~BUN/root/"];

/** How many modules the section holds, and in how many bytes. Throws where it is not whole. */
export function readBunSection(section: Buffer): { modules: number; bytes: number } {
  const length = Number(section.readBigUInt64LE(0));
  const whole = section.subarray(8, 8 + length);
  const offsets = whole.subarray(whole.length - trailer.length - offsetsSize);
  if (whole.length !== length || offsets.toString("latin1", offsetsSize) !== trailer)
    throw new Error("the program in it is cut off");
  const bytes = Number(offsets.readBigUInt64LE(0));
  if (bytes + offsetsSize + trailer.length !== length)
    throw new Error("the program in it has a wrong length");
  const [tableAt, tableSize] = [offsets.readUInt32LE(8), offsets.readUInt32LE(12)];
  if (tableAt + tableSize > bytes || tableSize % rowSize !== 0)
    throw new Error("the table of its modules is not one of Bun 1.4");
  for (let row = tableAt; row < tableAt + tableSize; row += rowSize) {
    const [at, size] = [whole.readUInt32LE(row), whole.readUInt32LE(row + 4)];
    const name = whole.toString("utf8", at, Math.min(at + size, bytes));
    if (!roots.some((root) => name.startsWith(root)))
      throw new Error(`a module is called ${JSON.stringify(name)}`);
  }
  return { modules: tableSize / rowSize, bytes };
}
