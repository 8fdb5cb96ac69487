// What workers say of themselves, for `fleet status`, `doctor` and submitters.
import { z } from "zod";

/** How often a worker says that it lives, in milliseconds. */
export const beatEveryMs = 5_000;

export const workerBeat = z.object({
  name: z.string(),
  version: z.string(),
  slots: z.int(),
  running: z.array(z.object({ id: z.string(), activity: z.string().optional() })),
  /** How many have ended here in the last hour, in any way; absent in older versions. */
  ended: z.int().optional(),
  /** Why it takes no jobs at present. */
  held: z.string().optional(),
  /** Whether it takes no more jobs: because it is about to end, or out of service. */
  isDraining: z.boolean().optional(),
  /** Whether somebody has taken it out of service; absent in older versions. */
  isDrained: z.boolean().optional(),
  /** In milliseconds since 1970, by the worker's clock. */
  at: z.number(),
});
export type WorkerBeat = z.infer<typeof workerBeat>;

/** Which workers live, as one process sees it. */
export class LivingWorkers {
  /** When each was last seen to have spoken, on the monotonic clock; undefined: never. */
  readonly #seen = new Map<string, { at: number; spokeAt: number | undefined }>();
  readonly #silentMs: number;

  /** A worker that has said nothing for so long has gone, in milliseconds. */
  constructor(silentMs: number) {
    this.#silentMs = silentMs;
  }

  /**
   * Those of the beats that are alive. Call again and again: a worker whose clock is wrong counts once it has spoken between
   * two looks. `serverNow`: by the server's clock, in milliseconds since 1970; `now`: on the monotonic clock.
   */
  among(beats: Readonly<Record<string, string>>, serverNow: number, now = performance.now()): WorkerBeat[] {
    for (const name of this.#seen.keys()) if (!Object.hasOwn(beats, name)) this.#seen.delete(name);
    return Object.entries(beats).flatMap(([name, text]) => {
      const beat = readBeat(text);
      if (!beat) return [];
      const before = this.#seen.get(name);
      const hasSpoken = before ? before.at !== beat.at : Math.abs(serverNow - beat.at) < this.#silentMs;
      const spokeAt = hasSpoken ? now : before?.spokeAt;
      this.#seen.set(name, { at: beat.at, spokeAt });
      return spokeAt !== undefined && now - spokeAt < this.#silentMs ? [beat] : [];
    });
  }
}

/** A worker's text; undefined if it is none. */
export function readBeat(text: string): WorkerBeat | undefined {
  try {
    return workerBeat.safeParse(JSON.parse(text)).data;
  } catch {
    // Another program's text.
    return undefined;
  }
}
