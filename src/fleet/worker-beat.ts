// What workers say of themselves, for `fleet status`, `doctor` and submitters.
import { z } from "zod";

/** How often a worker says that it lives, in milliseconds. */
export const beatEveryMs = 5_000;

export const workerBeat = z.object({
  name: z.string(),
  version: z.string(),
  slots: z.int(),
  running: z.array(z.object({ id: z.string(), activity: z.string().optional() })),
  /** Why it takes no jobs at present. */
  held: z.string().optional(),
  /** Whether it is about to end. */
  isDraining: z.boolean().optional(),
  /** In milliseconds since 1970, by the worker's clock. */
  at: z.number(),
});
export type WorkerBeat = z.infer<typeof workerBeat>;

/** A worker's text; undefined if it is none. */
export function readBeat(text: string): WorkerBeat | undefined {
  try {
    return workerBeat.safeParse(JSON.parse(text)).data;
  } catch {
    // Another program's text.
    return undefined;
  }
}
