// The calls of macOS's own library that we use, with what they give as bytes. Loaded at the first call.
import { bsdInfo, constants, kinfo, rusage, vmStatistics } from "./macos-structures.ts";

/** Where every macOS has it, if only in the cache of its dynamic linker. Its symbols come from libsystem_kernel and others. */
export const systemLibrary = "/usr/lib/libSystem.B.dylib";

/** What the library gives. Bytes are valid until the next call of the same function. */
export interface MacCalls {
  /** One `struct proc_bsdinfo`, of a zombie too; undefined if the process has gone or belongs to another user. */
  bsdInfo(pid: number): Buffer | undefined;
  /** One `struct kinfo_proc`, of any user; undefined if it has gone. */
  kinfo(pid: number): Buffer | undefined;
  /** A `struct kinfo_proc` for each process, at one moment; undefined if the system refuses. */
  kinfos(): Buffer | undefined;
  /** The session of a living process; -1 if it has gone or is a zombie. */
  session(pid: number): number;
  /** Arguments and environment as `KERN_PROCARGS2` gives them; undefined if it has ended or belongs to another user. */
  arguments(pid: number): Buffer | undefined;
  /** One `struct rusage_info_v0`; undefined if the process has gone or belongs to another user. */
  usage(pid: number): Buffer | undefined;
  /** One `struct vm_statistics64`, and how many bytes a page has. */
  memory(): { statistics: Buffer; pageBytes: number } | undefined;
  /** The machine's `IOPlatformUUID`, as `ioreg` prints it. */
  hostUuid(): string | undefined;
  /** The text of a `sysctl` by its name. */
  text(name: string): string | undefined;
  /** The 32-bit number of a `sysctl` by its name. */
  number(name: string): number | undefined;
}

/** Undefined if there is no such library, or calls into it are forbidden. */
export function macCalls(path: string): MacCalls | undefined {
  if (!loaded.has(path)) loaded.set(path, load(path));
  return loaded.get(path);
}
const loaded = new Map<string, MacCalls | undefined>();

const { CTL_KERN, KERN_PROC, KERN_PROC_ALL, KERN_PROC_PID, KERN_PROCARGS2 } = constants;

/** The longest that arguments and environment together can be (`ARG_MAX`), and the word before them. */
const mostArgumentBytes = 1_048_576 + 4;

/** The process table grows while it is read; this much is room for a hundred processes more. */
const spareBytes = 100 * kinfo.bytes;

/** How often a table that had grown too large meanwhile is asked for again. */
const mostAttempts = 5;

function load(path: string): MacCalls | undefined {
  const symbols = symbolsOf(path);
  if (!symbols) return undefined;
  const process = Buffer.alloc(bsdInfo.bytes);
  const one = Buffer.alloc(kinfo.bytes);
  const used = Buffer.alloc(rusage.bytes);
  const pages = Buffer.alloc(vmStatistics.bytes);
  let all = Buffer.alloc(0);
  let texts: Buffer | undefined;
  let host: number | undefined;

  // How many bytes a sysctl gave; undefined if it failed. Without `into`, how many it would give.
  const sysctl = (name: readonly number[], into?: Buffer): number | undefined => {
    const length = new BigUint64Array([BigInt(into?.length ?? 0)]);
    const failed = symbols.sysctl(new Int32Array(name), name.length, into ?? null, length, null, 0) !== 0;
    return failed ? undefined : Number(length[0]);
  };
  const sysctlByName = (name: string, into: Buffer): number | undefined => {
    const length = new BigUint64Array([BigInt(into.length)]);
    const failed = symbols.sysctlbyname(Buffer.from(`${name}\0`), into, length, null, 0) !== 0;
    return failed ? undefined : Number(length[0]);
  };

  return {
    bsdInfo: (pid) => {
      // The argument 1 asks for zombies too.
      const length = symbols.proc_pidinfo(pid, constants.PROC_PIDTBSDINFO, 1, process, process.length);
      return length === process.length ? process : undefined;
    },
    kinfo: (pid) => (sysctl([CTL_KERN, KERN_PROC, KERN_PROC_PID, pid], one) === one.length ? one : undefined),
    kinfos: () => {
      const name = [CTL_KERN, KERN_PROC, KERN_PROC_ALL];
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        const length = all.length === 0 ? undefined : sysctl(name, all);
        if (length !== undefined) return all.subarray(0, length);
        const needed = sysctl(name);
        if (needed === undefined) return undefined;
        all = Buffer.alloc(needed + spareBytes);
      }
      return undefined;
    },
    session: (pid) => symbols.getsid(pid),
    arguments: (pid) => {
      texts ??= Buffer.alloc(mostArgumentBytes);
      const length = sysctl([CTL_KERN, KERN_PROCARGS2, pid], texts);
      return length === undefined ? undefined : texts.subarray(0, length);
    },
    usage: (pid) => (symbols.proc_pid_rusage(pid, constants.RUSAGE_INFO_V0, used) === 0 ? used : undefined),
    memory: () => {
      // Each call takes another reference to the port of the machine, which nobody returns.
      host ??= symbols.mach_host_self();
      const count = new Uint32Array([pages.length / 4]);
      const size = new BigUint64Array(1);
      if (symbols.host_statistics64(host, constants.HOST_VM_INFO64, pages, count) !== 0) return undefined;
      if (symbols.host_page_size(host, size) !== 0) return undefined;
      return { statistics: pages, pageBytes: Number(size[0]) };
    },
    hostUuid: () => {
      const bytes = Buffer.alloc(16);
      // Seconds and nanoseconds to wait for: not at all.
      if (symbols.gethostuuid(bytes, new BigInt64Array(2)) !== 0) return undefined;
      const digits = bytes.toString("hex").toUpperCase();
      return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
    text: (name) => {
      const bytes = Buffer.alloc(256);
      const length = sysctlByName(name, bytes);
      // Its length includes the NUL at the end.
      return length === undefined || length < 2 ? undefined : bytes.toString("utf8", 0, length - 1);
    },
    number: (name) => {
      const bytes = Buffer.alloc(4);
      return sysctlByName(name, bytes) === 4 ? bytes.readInt32LE(0) : undefined;
    },
  };
}

/** The functions by their C types; undefined if the library is not there, or nothing may call into it. */
function symbolsOf(path: string) {
  try {
    // Loaded here, because most programs that start on other systems never need it.
    const { dlopen }: typeof import("bun:ffi") = require("bun:ffi");
    return dlopen(path, {
      proc_pidinfo: { args: ["i32", "i32", "u64", "ptr", "i32"], returns: "i32" },
      proc_pid_rusage: { args: ["i32", "i32", "ptr"], returns: "i32" },
      sysctl: { args: ["ptr", "u32", "ptr", "ptr", "ptr", "u64"], returns: "i32" },
      sysctlbyname: { args: ["ptr", "ptr", "ptr", "ptr", "u64"], returns: "i32" },
      getsid: { args: ["i32"], returns: "i32" },
      gethostuuid: { args: ["ptr", "ptr"], returns: "i32" },
      mach_host_self: { args: [], returns: "u32" },
      host_statistics64: { args: ["u32", "i32", "ptr", "ptr"], returns: "i32" },
      host_page_size: { args: ["u32", "ptr"], returns: "i32" },
    }).symbols;
  } catch {
    // The caller does without.
    return undefined;
  }
}
