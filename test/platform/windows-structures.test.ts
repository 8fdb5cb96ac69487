// Structures of Windows, byte for byte, on every system.
import { expect, test } from "bun:test";
import { tableFrom } from "../../src/platform/processes/windows.ts";
import {
  availableIn,
  type ListedProcess,
  listedProcesses,
  memberList,
  variableIn,
  wordsIn,
} from "../../src/platform/windows/structures.ts";

/** Where the list of processes lies in the memory of the process that asked for it. */
const address = 0x7ff0_1234_0000;

interface Given {
  pid: number;
  parent: number;
  createdAt: bigint;
  name: string;
  threads: number;
  privateBytes: bigint;
}

// As the documentation of `SYSTEM_PROCESS_INFORMATION` orders it: 256 bytes, then 80 for each thread, then the name.
function entry(at: number, { isLast = false, ...given }: Given & { isLast?: boolean }): Buffer {
  const name = Buffer.from(given.name, "utf16le");
  const nameAt = 0x100 + 80 * given.threads;
  const bytes = Buffer.alloc(Math.ceil((nameAt + name.length) / 8) * 8, 0xee);
  bytes.writeUInt32LE(isLast ? 0 : bytes.length, 0x00);
  bytes.writeUInt32LE(given.threads, 0x04);
  bytes.writeBigUInt64LE(given.privateBytes, 0x08);
  bytes.writeBigUInt64LE(given.createdAt, 0x20);
  bytes.writeUInt16LE(name.length, 0x38);
  bytes.writeUInt16LE(name.length + 2, 0x3a);
  bytes.writeBigUInt64LE(name.length === 0 ? 0n : BigInt(address + at + nameAt), 0x40);
  bytes.writeBigUInt64LE(BigInt(given.pid), 0x50);
  bytes.writeBigUInt64LE(BigInt(given.parent), 0x58);
  bytes.writeBigUInt64LE(9_000_000n, 0x90);
  name.copy(bytes, nameAt);
  return bytes;
}

test("a list of processes is read, with names, parents, times of creation and memory", () => {
  const idle = entry(0, { pid: 0, parent: 0, createdAt: 0n, name: "", threads: 2, privateBytes: 8192n });
  const shell = entry(idle.length, {
    pid: 4242,
    parent: 4,
    createdAt: 134_404_381_436_562_301n,
    name: "zsh für alle.exe",
    threads: 3,
    privateBytes: 5_000_000_000n,
  });
  // What Wine 8 gives: it does not say what a process has alone.
  const last = entry(idle.length + shell.length, {
    pid: 8,
    parent: 4242,
    createdAt: 134_404_381_436_562_302n,
    name: "claude.exe",
    threads: 0,
    privateBytes: 0n,
    isLast: true,
  });
  expect(listedProcesses(Buffer.concat([idle, shell, last, Buffer.alloc(512)]), address)).toEqual([
    { pid: 0, parent: 0, createdAt: 0n, name: "", threads: 2, bytes: 8192 },
    {
      pid: 4242,
      parent: 4,
      createdAt: 134_404_381_436_562_301n,
      name: "zsh für alle.exe",
      threads: 3,
      bytes: 5_000_000_000,
    },
    {
      pid: 8,
      parent: 4242,
      createdAt: 134_404_381_436_562_302n,
      name: "claude.exe",
      threads: 0,
      bytes: 9_000_000,
    },
  ]);
  expect(listedProcesses(Buffer.alloc(0), address)).toEqual([]);
});

test("a process that is younger than its child is not its parent", () => {
  const one = (pid: number, parent: number, createdAt: bigint, threads = 1): ListedProcess => ({
    pid,
    parent,
    createdAt,
    name: "a.exe",
    threads,
    bytes: pid,
  });
  const table = tableFrom(
    [one(10, 4, 100n), one(20, 10, 200n), one(30, 40, 300n), one(40, 20, 400n), one(50, 20, 200n, 0)],
    new Map([[30, 10]]),
  );
  const rows = [...table].map(([pid, { parent, group, state, startTicks, bytes }]) => ({
    pid,
    parent,
    group,
    state,
    startTicks,
    bytes: bytes(),
  }));
  expect(rows).toEqual([
    // Its parent has gone.
    { pid: 10, parent: 0, group: 0, state: "", startTicks: "100", bytes: 10 },
    { pid: 20, parent: 10, group: 0, state: "", startTicks: "200", bytes: 20 },
    { pid: 30, parent: 0, group: 10, state: "", startTicks: "300", bytes: 30 },
    { pid: 40, parent: 20, group: 0, state: "", startTicks: "400", bytes: 40 },
    // Ended, but somebody has it open.
    { pid: 50, parent: 20, group: 0, state: "Z", startTicks: "200", bytes: 50 },
  ]);
});

test("the members of a job are read, unless the list was too short", () => {
  const list = Buffer.alloc(8 + 3 * 8);
  list.writeUInt32LE(3, 0);
  list.writeUInt32LE(3, 4);
  for (const [index, pid] of [240, 300, 4_000_000_000].entries())
    list.writeBigUInt64LE(BigInt(pid), 8 + 8 * index);
  expect(memberList(list)).toEqual([240, 300, 4_000_000_000]);
  expect(memberList(Buffer.alloc(8 + 8))).toEqual([]);
  list.writeUInt32LE(4, 0);
  expect(memberList(list)).toBeUndefined();
});

test("memory is what is free, unless the system can promise less", () => {
  const status = Buffer.alloc(64, 0xee);
  status.writeUInt32LE(64, 0);
  const [total, free, most] = [16n << 30n, 6n << 30n, 24n << 30n];
  for (const [at, bytes] of [total, free, most, 9n << 30n].entries())
    status.writeBigUInt64LE(bytes, 8 + 8 * at);
  expect(availableIn(status)).toBe(6 * 2 ** 30);
  status.writeBigUInt64LE(2n << 30n, 32);
  expect(availableIn(status)).toBe(2 * 2 ** 30);
});

test("a variable is found in the environment of a process of Windows", () => {
  const environment = Buffer.from("=C:=C:\\work\0A=\0MARKER=b1/grün=1\0XMARKER=2\0\0", "utf16le");
  expect(variableIn(environment, "MARKER")).toBe("b1/grün=1");
  expect(variableIn(environment, "A")).toBe("");
  expect(variableIn(environment, "MARK")).toBeUndefined();
});

test("a command line of Windows falls into the words that its program gets", () => {
  // The examples of Microsoft's documentation ("Parsing C command-line arguments"), and what else occurs.
  const lines: [string, string[]][] = [
    ['"a b c" d e', ["a b c", "d", "e"]],
    [String.raw`"ab\"c" "\\" d`, ['ab"c', "\\", "d"]],
    [String.raw`a\\\b d"e f"g h`, ["a\\\\\\b", "de fg", "h"]],
    [String.raw`a\\\"b c d`, ['a\\"b', "c", "d"]],
    [String.raw`a\\\\"b c" d e`, ["a\\\\b c", "d", "e"]],
    ['a"b"" c d', ['ab" c d']],
    [String.raw`"C:\Program Files\a.exe"  ""	x`, ["C:\\Program Files\\a.exe", "", "x"]],
    [String.raw`C:\dir\ "C:\dir\\"`, ["C:\\dir\\", "C:\\dir\\"]],
    ["", []],
  ];
  for (const [line, words] of lines) expect(wordsIn(line)).toEqual(words);
});
