// Who a process is: a pid alone is reused, and means nothing on another machine or after a restart.
import { z } from "zod";

/** A process, told apart from every other one that ever had its pid. */
export const processIdentity = z.object({
  /** The boot of the machine; after another boot the process is dead. */
  boot: z.string(),
  /**
   * The pid namespace; in another one nothing can be said about the process. Empty where the system has none. Older
   * programs wrote the host's name before it, which means nothing: hosts are renamed while they run.
   */
  namespace: z.string(),
  pid: z.int().positive(),
  /** When it started, in the system's own unit (clock ticks since boot on Linux). */
  startTicks: z.string(),
  /** The machine, where it has an id that outlasts a boot. */
  machine: z.string().optional(),
});
export type ProcessIdentity = z.infer<typeof processIdentity>;
