// Removes old batches by itself, as the operator has set: after a batch has ended, at most once a day, and only while no
// other batch runs.
import { isAbandoned } from "../../engine/runner/resume-batches.ts";
import type { BatchState } from "../../model/state.ts";
import type { Store } from "../../store/store.ts";
import { claimTidying } from "../../store/tidied.ts";
import { leastOrphanDays, removeOld } from "./remove-old.ts";
import { removedText } from "./removed-text.ts";

/** Removes what is due, after the batch with this state has ended. What it prints goes to that batch's `runner.log`. */
export async function tidy(store: Store, { batch }: BatchState): Promise<void> {
  const { retention, reuseLimits } = batch;
  if (!retention) return;
  // What nobody runs any more keeps nothing from being removed: it may stay so for ever.
  if (store.unended().some((row) => !isAbandoned(row))) return;
  if (!claimTidying(store.database, Date.now())) return;
  const removal = {
    olderThan: retention.days,
    // After a store was lost, or restored from a backup, these hold all that is left of its batches.
    orphansOlderThan: Math.max(leastOrphanDays, retention.days),
    keep: 0,
    dryRun: false,
    output: !retention.output,
    conversations: !retention.conversations,
    // Without limits, an older program has made the batch, and remembered nothing.
    reuse: reuseLimits ?? { days: retention.days, megabytes: Number.POSITIVE_INFINITY },
  };
  const removals = await removeOld(store, removal);
  const now = new Date().toISOString();
  console.error(`${now} retainDays: ${removedText(removal, removals)}`);
  for (const failure of removals.failures) console.error(`${now} Not removed: ${failure}`);
}
