// The libraries of Windows that we call, loaded when first needed. Handles and addresses are 64 bits wide.
import { dlopen } from "bun:ffi";
import { availableIn, memoryStatusLength } from "./structures.ts";

/** Calls that kernel32 has, with the names and arguments of Microsoft's documentation. */
export function kernel32() {
  kernel ??= loadKernel();
  return kernel;
}
let kernel: ReturnType<typeof loadKernel> | undefined;

function loadKernel() {
  return dlopen("kernel32.dll", {
    AssignProcessToJobObject: { args: ["u64", "u64"], returns: "i32" },
    CloseHandle: { args: ["u64"], returns: "i32" },
    CreateJobObjectW: { args: ["ptr", "ptr"], returns: "u64" },
    DuplicateHandle: { args: ["u64", "u64", "u64", "ptr", "u32", "i32", "u32"], returns: "i32" },
    GlobalMemoryStatusEx: { args: ["ptr"], returns: "i32" },
    GetProcessTimes: { args: ["u64", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
    OpenJobObjectW: { args: ["u32", "i32", "ptr"], returns: "u64" },
    OpenProcess: { args: ["u32", "i32", "u32"], returns: "u64" },
    QueryInformationJobObject: { args: ["u64", "u32", "ptr", "u32", "ptr"], returns: "i32" },
    ReadProcessMemory: { args: ["u64", "u64", "ptr", "u64", "ptr"], returns: "i32" },
    TerminateJobObject: { args: ["u64", "u32"], returns: "i32" },
    TerminateProcess: { args: ["u64", "u32"], returns: "i32" },
    WaitForSingleObject: { args: ["u64", "u32"], returns: "u32" },
  }).symbols;
}

/** Calls that ntdll has. They give a status, which is negative if they failed. */
export function ntdll() {
  native ??= loadNative();
  return native;
}
let native: ReturnType<typeof loadNative> | undefined;

function loadNative() {
  return dlopen("ntdll.dll", {
    NtQueryInformationProcess: { args: ["u64", "u32", "ptr", "u32", "ptr"], returns: "i32" },
    NtQuerySystemInformation: { args: ["u32", "ptr", "u32", "ptr"], returns: "i32" },
  }).symbols;
}

const localMachine = 0x8000_0002n;
/** A text, from the 64-bit registry, whatever we are. */
const textIn64Bits = 0x0001_0002;

/** A text in the registry below `HKEY_LOCAL_MACHINE`; undefined if there is none. */
export function registryText(key: string, name: string): string | undefined {
  const { symbols } = dlopen("advapi32.dll", {
    RegGetValueW: { args: ["u64", "ptr", "ptr", "u32", "ptr", "ptr", "ptr"], returns: "i32" },
  });
  const text = Buffer.alloc(1024);
  const bytes = new Uint32Array([text.length]);
  const failed = symbols.RegGetValueW(localMachine, wide(key), wide(name), textIn64Bits, null, text, bytes);
  return failed === 0 ? text.toString("utf16le", 0, bytes[0]).replace(/\0+$/, "") : undefined;
}

/** What processes can still take, in bytes; undefined if the system does not say. */
export function availableMemory(): number | undefined {
  const status = Buffer.alloc(memoryStatusLength);
  status.writeUInt32LE(memoryStatusLength);
  return kernel32().GlobalMemoryStatusEx(status) === 0 ? undefined : availableIn(status);
}

/** A text as Windows takes it: UTF-16, with a zero at its end. */
export function wide(text: string): Buffer {
  return Buffer.from(`${text}\0`, "utf16le");
}

/** Our own process, as a handle that needs no closing. */
export const ourselves = 0xffff_ffff_ffff_ffffn;
