// Whom to kill, and where.
import { z } from "zod";

const kill = z.object({
  /** The point; `program.ts` has them all. */
  at: z.string(),
  /** Whether the keeper of the runner that comes there is killed, too. */
  keeper: z.boolean().optional(),
});
export type Kill = z.infer<typeof kill>;

/** The kills as the processes get them. */
export function killsText(kills: readonly Kill[]): string {
  return JSON.stringify(kills);
}

/** The kills in the text of a variable; none without one. */
export function killsIn(text = "[]"): Kill[] {
  return z.array(kill).parse(JSON.parse(text));
}
