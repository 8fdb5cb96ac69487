// How macOS lays out the structures that we read, as far as we read them: by their C names, in bytes. Facts of Apple's
// public headers, the same for x86-64 and arm64. `.github/scripts/try-macos.sh` has clang compare them on macOS.

/** A number in a structure. All of them are little-endian. */
export interface Field {
  /** Its offset in bytes. */
  at: number;
  type: "i8" | "i32" | "u32" | "i64" | "u64";
}

export interface Structure {
  /** As C calls it. */
  name: string;
  /** The header that declares it. */
  header: string;
  /** Its size in bytes. */
  bytes: number;
  /** Its members, by their path in C. */
  fields: Record<string, Field>;
}

/** What `proc_pidinfo` gives for one process (`PROC_PIDTBSDINFO`). */
export const bsdInfo = {
  name: "struct proc_bsdinfo",
  header: "libproc.h",
  bytes: 136,
  fields: {
    pbi_status: { at: 4, type: "u32" },
    pbi_pid: { at: 12, type: "u32" },
    pbi_ppid: { at: 16, type: "u32" },
    pbi_uid: { at: 20, type: "u32" },
    pbi_pgid: { at: 100, type: "u32" },
    pbi_start_tvsec: { at: 120, type: "u64" },
    pbi_start_tvusec: { at: 128, type: "u64" },
  },
} as const satisfies Structure;

/** What `sysctl` gives for each process (`KERN_PROC`). */
export const kinfo = {
  name: "struct kinfo_proc",
  header: "sys/sysctl.h",
  bytes: 648,
  fields: {
    "kp_proc.p_un.__p_starttime.tv_sec": { at: 0, type: "i64" },
    "kp_proc.p_un.__p_starttime.tv_usec": { at: 8, type: "i32" },
    "kp_proc.p_stat": { at: 36, type: "i8" },
    "kp_proc.p_pid": { at: 40, type: "i32" },
    "kp_eproc.e_ucred.cr_uid": { at: 420, type: "u32" },
    "kp_eproc.e_ppid": { at: 560, type: "i32" },
    "kp_eproc.e_pgid": { at: 564, type: "i32" },
  },
} as const satisfies Structure;

/** What `proc_pid_rusage` gives (`RUSAGE_INFO_V0`). */
export const rusage = {
  name: "struct rusage_info_v0",
  header: "sys/resource.h",
  bytes: 96,
  fields: {
    ri_resident_size: { at: 64, type: "u64" },
    ri_phys_footprint: { at: 72, type: "u64" },
  },
} as const satisfies Structure;

/** What `host_statistics64` gives (`HOST_VM_INFO64`), in pages. */
export const vmStatistics = {
  name: "struct vm_statistics64",
  header: "mach/vm_statistics.h",
  bytes: 152,
  fields: {
    free_count: { at: 0, type: "u32" },
    inactive_count: { at: 8, type: "u32" },
    speculative_count: { at: 92, type: "u32" },
  },
} as const satisfies Structure;

/** All of them. */
export const structures: readonly Structure[] = [bsdInfo, kinfo, rusage, vmStatistics];

/** The numbers that we pass or read, by their C names. */
export const constants = {
  PROC_PIDTBSDINFO: 3,
  RUSAGE_INFO_V0: 0,
  CTL_KERN: 1,
  KERN_PROC: 14,
  KERN_PROC_ALL: 0,
  KERN_PROC_PID: 1,
  KERN_PROCARGS2: 49,
  HOST_VM_INFO64: 4,
  SIDL: 1,
  SRUN: 2,
  SSLEEP: 3,
  SSTOP: 4,
  SZOMB: 5,
} as const;

/** The headers that declare them. */
export const constantHeaders: readonly string[] = [
  "libproc.h",
  "sys/resource.h",
  "sys/sysctl.h",
  "sys/proc.h",
  "mach/host_info.h",
];

/** A number of the structure that begins at `from`. Microseconds and bytes stay exact up to 2^53. */
export function numberIn({ at, type }: Field, bytes: Buffer, from = 0): number {
  const place = from + at;
  switch (type) {
    case "i8":
      return bytes.readInt8(place);
    case "i32":
      return bytes.readInt32LE(place);
    case "u32":
      return bytes.readUInt32LE(place);
    case "i64":
      return Number(bytes.readBigInt64LE(place));
    case "u64":
      return Number(bytes.readBigUInt64LE(place));
  }
}
