// Whether whoever holds something in the store is still there to give it back.
import { livenessOf } from "../platform/process.ts";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

interface Held {
  holder: ProcessIdentity;
  /** Milliseconds since 1970. */
  since: number;
  /** How long one is believed whose namespace we cannot look into: as long as such a thing lasts, in milliseconds. */
  believedMs: number;
}

/** A container that was killed and made again leaves holders behind of which nobody can ever tell. */
export function isHeld({ holder, since, believedMs }: Held, now = Date.now()): boolean {
  const liveness = livenessOf(holder);
  return liveness === "alive" || (liveness === "unknown" && now - since < believedMs);
}

/** As it is kept in a row. */
export function holderFrom(text: string): ProcessIdentity {
  return processIdentity.parse(JSON.parse(text));
}
