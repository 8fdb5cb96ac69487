// Identifies a process: a pid alone is reused, and means nothing on another machine or after a restart.
import { z } from "zod";

/** A process, distinguished from every other process that ever had its pid. */
export const processIdentity = z.object({
  /** The boot of the machine. After another boot the process is dead. */
  boot: z.string(),
  /**
   * The pid namespace. Nothing is known about processes of another one. Empty if the system has none. Older programs
   * wrote the host's name before it, which is ignored, because hosts are renamed while they run.
   */
  namespace: z.string(),
  pid: z.int().positive(),
  /** When it started, in the system's own unit (clock ticks since boot on Linux). */
  startTicks: z.string(),
  /** The machine, if it has an id that survives a reboot. */
  machine: z.string().optional(),
});
export type ProcessIdentity = z.infer<typeof processIdentity>;

/** What all processes visible to us share. */
export type ProcessHome = Pick<ProcessIdentity, "boot" | "namespace" | "machine">;

/** The boot of a system that does not identify its boots. */
export const unknownBoot = "unknown";

/** Prefix of the boot time, which stands for the boot on systems without a boot id. */
export const bootTime = "btime ";
