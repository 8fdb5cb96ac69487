// Whether processes live, for a caller that asks many times a second.
import { type Liveness, livenessOf } from "./process.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** How long an answer is reused, in milliseconds: less than from one second of the clock to the next. */
const livenessHoldsMs = 900;

/**
 * Like `livenessOf`, but asks the system at most once a second for each process: an answer may be that old. Each caller has
 * its own. Not for deciding what to signal.
 */
export function livenessWatch(
  ask = livenessOf,
  now = () => performance.now(),
): (identity: ProcessIdentity) => Liveness {
  const answers = new Map<string, { at: number; liveness: Liveness }>();
  return (identity) => {
    const key = `${identity.pid} ${identity.startTicks} ${identity.boot} ${identity.namespace} ${identity.machine}`;
    const known = answers.get(key);
    // What has ended stays ended.
    if (known && (known.liveness === "dead" || now() - known.at < livenessHoldsMs)) return known.liveness;
    const liveness = ask(identity);
    answers.set(key, { at: now(), liveness });
    return liveness;
  };
}
