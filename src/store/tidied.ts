// When old batches were last removed by themselves. A fact, not a table: older programs ignore it.
import type { Database } from "bun:sqlite";
import { factIn, noteFact } from "./facts.ts";

const factName = "tidied-at";
/** Looking for what is old reads much of the log, and nothing ages faster. */
const everyMs = 24 * 60 * 60_000;

/** Whether it has been long enough. A clock that was set back counts as long enough. */
export function isTidyingDue(database: Database, now: number): boolean {
  const at = Number(factIn(database, factName) ?? Number.NEGATIVE_INFINITY);
  return !(Math.abs(now - at) < everyMs);
}

/** Of several processes that want to do it, only one may. */
export function claimTidying(database: Database, now: number): boolean {
  const claim = database.transaction(() => {
    if (!isTidyingDue(database, now)) return false;
    noteFact(database, factName, String(now));
    return true;
  });
  return claim.immediate();
}
