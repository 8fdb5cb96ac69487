// The processes of Windows: one call for all of them, and a handle for one.
import { ptr } from "bun:ffi";
import { kernel32, ntdll } from "./libraries.ts";
import { type ListedProcess, listedProcesses, variableIn, wordsIn } from "./structures.ts";

/** Rights to a process. Those that only look are given for processes of other users too, where the system allows. */
export const right = {
  terminate: 0x0001,
  setQuota: 0x0100,
  readMemory: 0x0010,
  duplicateHandle: 0x0040,
  look: 0x1000,
  wait: 0x0010_0000,
} as const;

/** Calls with a handle to a process, which it closes. Undefined if there is no such process, or it may not be opened. */
export function withProcess<Found>(
  pid: number,
  rights: number,
  use: (handle: bigint) => Found,
): Found | undefined {
  const handle = kernel32().OpenProcess(rights, 0, pid);
  if (handle === 0n) return undefined;
  try {
    return use(handle);
  } finally {
    kernel32().CloseHandle(handle);
  }
}

const timedOut = 0x102;

/** Whether the process of a handle still runs. A process that somebody has open keeps its pid after its end. */
export function isRunning(handle: bigint): boolean {
  return kernel32().WaitForSingleObject(handle, 0) === timedOut;
}

/** When the process of a handle was created, in steps of 100 ns since 1601. */
export function creationTime(handle: bigint): bigint | undefined {
  const times = new BigUint64Array(4);
  const [created, exited, kernel, user] = [0, 1, 2, 3].map((at) => times.subarray(at));
  if (!created || !exited || !kernel || !user) return undefined;
  return kernel32().GetProcessTimes(handle, created, exited, kernel, user) === 0 ? undefined : times[0];
}

const systemProcessInformation = 5;
const lengthMismatch = 0xc000_0004 | 0;
/** Room for about a hundred processes with their threads, in bytes. Doubled as needed, and kept. */
let list = Buffer.alloc(128 * 1024);

/** All processes. Half a millisecond. Empty if the system does not list them. */
export function allProcesses(): ListedProcess[] {
  const bytes = new Uint32Array(1);
  for (;;) {
    const status = ntdll().NtQuerySystemInformation(systemProcessInformation, list, list.length, bytes);
    if (status >= 0) return listedProcesses(list.subarray(0, bytes[0]), ptr(list));
    if (status !== lengthMismatch) return [];
    list = Buffer.alloc(2 * Math.max(list.length, bytes[0] ?? 0));
  }
}

const basicInformation = 0;

// The first structures of a 64-bit process: where they lead to.
const offset = {
  pebInBasicInformation: 0x08,
  parentInBasicInformation: 0x28,
  parametersInPeb: 0x20,
  commandLineInParameters: 0x70,
  environmentInParameters: 0x80,
  environmentSizeInParameters: 0x3f0,
} as const;

/** The pid of the process that started the one of a handle; 0 if unknown. */
export function parentOf(handle: bigint): number {
  const basic = basicOf(handle);
  return basic === undefined ? 0 : Number(basic.readBigUInt64LE(offset.parentInBasicInformation));
}

function basicOf(handle: bigint): Buffer | undefined {
  const basic = Buffer.alloc(48);
  const status = ntdll().NtQueryInformationProcess(handle, basicInformation, basic, basic.length, null);
  return status < 0 ? undefined : basic;
}

/** Longer texts are not read: no process can be given one. In bytes. */
const mostBytes = 1 << 20;

/** The value of a variable in the environment of a process; undefined if it is not set, or cannot be read. */
export function variableOf(pid: number, name: string): string | undefined {
  return withParameters(pid, (read, parameters) => {
    const address = read(parameters + BigInt(offset.environmentInParameters), 8)?.readBigUInt64LE();
    const bytes = read(parameters + BigInt(offset.environmentSizeInParameters), 8)?.readBigUInt64LE();
    if (address === undefined || bytes === undefined || bytes > mostBytes) return undefined;
    const environment = read(address, Number(bytes));
    return environment && variableIn(environment, name);
  });
}

/** The words of a process's command line; empty if it cannot be read. */
export function wordsOf(pid: number): string[] {
  const text = withParameters(pid, (read, parameters) => {
    const where = read(parameters + BigInt(offset.commandLineInParameters), 16);
    return where && read(where.readBigUInt64LE(8), where.readUInt16LE(0))?.toString("utf16le");
  });
  return wordsIn(text ?? "");
}

type Read = (address: bigint, bytes: number) => Buffer | undefined;

// Windows keeps both in the memory of the process itself, and only newer versions have a call for one of them.
function withParameters<Found>(
  pid: number,
  use: (read: Read, parameters: bigint) => Found | undefined,
): Found | undefined {
  return withProcess(pid, right.look | right.readMemory, (handle) => {
    const read: Read = (address, bytes) => {
      const memory = Buffer.alloc(bytes);
      if (bytes === 0) return memory;
      const isRead = kernel32().ReadProcessMemory(handle, address, memory, bytes, null) !== 0;
      return isRead ? memory : undefined;
    };
    const peb = basicOf(handle)?.readBigUInt64LE(offset.pebInBasicInformation);
    const parameters = peb && read(peb + BigInt(offset.parametersInPeb), 8)?.readBigUInt64LE();
    return parameters ? use(read, parameters) : undefined;
  });
}
