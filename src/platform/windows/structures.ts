// Structures of 64-bit Windows as bytes, read without a call, so that any system can test them.

/** A process in the list that `NtQuerySystemInformation` gives. */
export interface ListedProcess {
  pid: number;
  /** The pid of the process that started it, which may have ended, and whose pid another one may have by now. */
  parent: number;
  /** When it was created, in steps of 100 ns since 1601. */
  createdAt: bigint;
  /** Without its directory. */
  name: string;
  /** An ended process that somebody still has open has none. */
  threads: number;
  /** What it alone has in memory. If the system does not say (Wine), what it has in memory, shared or not. */
  bytes: number;
}

/** Offsets in `SYSTEM_PROCESS_INFORMATION`. */
const listed = {
  threads: 0x04,
  privateBytes: 0x08,
  createdAt: 0x20,
  nameLength: 0x38,
  name: 0x40,
  pid: 0x50,
  parent: 0x58,
  residentBytes: 0x90,
  length: 0x100,
} as const;

/**
 * The processes in a list of `SYSTEM_PROCESS_INFORMATION`. `address`: where the list was in our memory, to which the
 * addresses of the names refer.
 */
export function listedProcesses(list: Buffer, address: number): ListedProcess[] {
  const found: ListedProcess[] = [];
  for (let at = 0; at + listed.length <= list.length; ) {
    const name = Number(list.readBigUInt64LE(at + listed.name)) - address;
    const nameEnd = name + list.readUInt16LE(at + listed.nameLength);
    const privateBytes = list.readBigUInt64LE(at + listed.privateBytes);
    const residentBytes = list.readBigUInt64LE(at + listed.residentBytes);
    found.push({
      pid: Number(list.readBigUInt64LE(at + listed.pid)),
      parent: Number(list.readBigUInt64LE(at + listed.parent)),
      createdAt: list.readBigUInt64LE(at + listed.createdAt),
      // The process without a name is the one that idles.
      name: name >= 0 && nameEnd <= list.length ? list.toString("utf16le", name, nameEnd) : "",
      threads: list.readUInt32LE(at + listed.threads),
      bytes: Number(privateBytes === 0n ? residentBytes : privateBytes),
    });
    const next = list.readUInt32LE(at);
    if (next === 0) break;
    at += next;
  }
  return found;
}

/** Bytes before the pids in `JOBOBJECT_BASIC_PROCESS_ID_LIST`. */
export const memberListHeader = 8;

/** The pids in a `JOBOBJECT_BASIC_PROCESS_ID_LIST`; undefined if it was too short for all of them. */
export function memberList(list: Buffer): number[] | undefined {
  const [assigned, inList] = [list.readUInt32LE(0), list.readUInt32LE(4)];
  if (assigned > inList) return undefined;
  return Array.from({ length: inList }, (_, index) =>
    Number(list.readBigUInt64LE(memberListHeader + 8 * index)),
  );
}

/** The length of `MEMORYSTATUSEX`. */
export const memoryStatusLength = 64;

/**
 * What processes can still take, from a `MEMORYSTATUSEX`: as much as is free, and as the system can still promise. Unlike Linux,
 * Windows promises no more than memory and page files hold, and refuses what goes beyond that.
 */
export function availableIn(status: Buffer): number {
  const [free = 0, promised = 0] = [16, 32].map((at) => Number(status.readBigUInt64LE(at)));
  return Math.min(free, promised);
}

/** The value of a variable in an environment as a process has it; undefined if it is not set. */
export function variableIn(environment: Buffer, name: string): string | undefined {
  const begin = `${name}=`;
  const found = environment
    .toString("utf16le")
    .split("\0")
    .find((line) => line.startsWith(begin));
  return found?.slice(begin.length);
}

/** The words of a command line, as the C library of Microsoft reads them. */
export function wordsIn(commandLine: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (let at = 0; at < commandLine.length; at++) {
    const slashes = /^\\+(?=")/.exec(commandLine.slice(at))?.[0].length ?? 0;
    // Before a quotation mark, two backslashes stand for one, and a single one takes the mark's meaning away.
    if (slashes > 0) {
      word = `${word ?? ""}${"\\".repeat(slashes / 2)}${slashes % 2 === 1 ? '"' : ""}`;
      at += slashes % 2 === 1 ? slashes : slashes - 1;
      continue;
    }
    const character = commandLine[at] ?? "";
    if (character === '"') {
      word ??= "";
      // Within quotation marks, two of them stand for one.
      if (isQuoted && commandLine[at + 1] === '"') word += commandLine[at++];
      else isQuoted = !isQuoted;
    } else if (!isQuoted && (character === " " || character === "\t")) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ""}${character}`;
  }
  return word === undefined ? words : [...words, word];
}
