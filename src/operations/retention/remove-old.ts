// Removes what old batches left: in the state directory, and where it is wished, their result files and conversations.
import { type BatchId, batchIdSchema, newBatchId } from "../../model/batch-id.ts";
import type { ReuseLimits } from "../../model/reuse.ts";
import type { BatchState } from "../../model/state.ts";
import { realPath } from "../../platform/files.ts";
import { foldersIn, footprintOf, removeEmptyFolders } from "../../platform/folders.ts";
import { dirname, isWithin } from "../../platform/paths.ts";
import { livenessOf } from "../../platform/process.ts";
import { removePath } from "../../platform/removal.ts";
import { messageOf } from "../../platform/system-error.ts";
import { StoreProblem } from "../../store/database.ts";
import { copiedAt } from "../../store/place.ts";
import { type Forgotten, hasRemembered, RememberedAnswers } from "../../store/remembered.ts";
import type { BatchRow, Store } from "../../store/store.ts";
import { UserError } from "../user-error.ts";
import { type BegunConversation, conversationsBegunBy, conversationsToRemove } from "./conversations.ts";
import { resultFilesIn } from "./result-files.ts";

const dayMs = 24 * 60 * 60_000;
/** For how many days a folder without a batch stays at least: it may be just being created. */
export const leastOrphanDays = 1;

/** What to remove. */
export interface Removal {
  olderThan: number;
  /** In days, too: folders that belong to no batch. */
  orphansOlderThan: number;
  keep: number;
  dryRun: boolean;
  /** Also the result files in output directories. */
  output: boolean;
  /** Also what Claude Code keeps of their conversations. */
  conversations: boolean;
  reuse: ReuseLimits;
}

export interface Removed {
  batchId: string;
  endedAt?: string;
  bytes: number;
}

export interface Removals {
  removed: Removed[];
  failures: string[];
  unended: number;
  batches: number;
  orphans: number;
  answers: number;
  resultFiles: number;
  conversations: number;
  bytes: number;
}

/** Removes what is old, and says what it was. */
export async function removeOld(store: Store, removal: Removal): Promise<Removals> {
  checkPlace(store);
  const before = Date.now() - removal.olderThan * dayMs;
  const failures: string[] = [];
  const old = oldBatches(store, before, removal.keep);
  const begun: BegunConversation[] = [];
  const removed: Removed[] = [];
  let [resultFiles, bytes] = [0, 0];
  const original = copiedAt(store.database) ?? Number.NEGATIVE_INFINITY;
  for (const row of old) {
    // In a copy of a state directory, files elsewhere are those of the original.
    const needsLog = (removal.output || removal.conversations) && row.createdAt > original;
    // Before its log goes, which says what else is its own.
    const state = needsLog ? stateOf(store, row, failures) : undefined;
    if (needsLog && !state) continue;
    const output = removal.output && state ? await resultFilesOrNone(store, state, failures) : undefined;
    if (removal.conversations && state) begun.push(...conversationsBegunBy(store, state));
    const [batch] = removeBatch(store, row, removal, failures);
    if (!batch) continue;
    removed.push(batch);
    if (!output) continue;
    const files = removal.dryRun ? output.paths : output.paths.filter((path) => remove(path, failures));
    if (!removal.dryRun && output.folder !== undefined)
      removeEmptyFolders(output.folder, dirname(output.folder));
    resultFiles += files.length;
    bytes += output.bytes;
  }
  // Only now: a batch that was started again meanwhile is still in the log, and needs what it has begun.
  const stillLogged = new Set(removal.dryRun ? removed.map(({ batchId }) => batchId) : []);
  const gone = conversationsToRemove(store, begun, stillLogged).filter(
    ({ paths }) => removal.dryRun || paths.every((path) => remove(path, failures)),
  );
  const batches = removed.length;
  const orphans = orphansOf(store).flatMap((batchId) => removeOrphan(store, batchId, removal, failures));
  const forgotten = forgetAnswers(store, removal, failures);
  const all = [...removed, ...orphans];
  const sizes = [...all, ...gone, forgotten];
  return {
    removed: all,
    failures,
    unended: [...store.unended(), ...store.paused()].filter((row) => row.changedAt < before).length,
    batches,
    orphans: orphans.length,
    answers: forgotten.answers,
    resultFiles,
    conversations: gone.length,
    bytes: sizes.reduce((sum, one) => sum + one.bytes, bytes),
  };
}

// A link in place of `batches` would redirect the removal.
function checkPlace(store: Store): void {
  const folder = foldersFolder(store);
  const real = realPath(folder);
  if (isWithin(real, realPath(store.layout.stateDirectory))) return;
  throw new UserError(
    `${folder} leads to ${real}, outside the state directory, and nothing is removed there. Set PARALLEL_CLAUDE_STATE_DIRECTORY to the intended directory.`,
  );
}

/** Where the folders of all batches are. */
function foldersFolder({ layout }: Store): string {
  return dirname(layout.batchDirectory(newBatchId()));
}

function oldBatches(store: Store, before: number, keep: number): BatchRow[] {
  const kept = new Set(keep === 0 ? [] : store.list({ limit: keep }).map(({ batchId }) => batchId));
  // Its processes may still write their last lines, and a foreground `run` may still read its answers.
  const hasProcesses = ({ runner, keeper }: BatchRow) =>
    [runner, keeper].some((identity) => identity && livenessOf(identity) === "alive");
  return store.endedBy(before).filter((row) => !kept.has(row.batchId) && !hasProcesses(row));
}

// A log that a newer version has written must not keep the others. Its batch stays, because the log alone says what else
// is its own.
function stateOf(store: Store, { batchId }: BatchRow, failures: string[]): BatchState | undefined {
  try {
    return store.batch(batchId)?.state;
  } catch (error) {
    if (!(error instanceof StoreProblem)) throw error;
    failures.push(`batch ${batchId}: ${error.message}`);
    return undefined;
  }
}

// A directory that is gone, or that nobody may read, keeps no batch.
async function resultFilesOrNone({ layout }: Store, state: BatchState, failures: string[]) {
  // Those go with the folder of the batch.
  if (isWithin(state.outputDirectory, layout.batchDirectory(state.batch.batchId))) return undefined;
  try {
    return await resultFilesIn(state);
  } catch (error) {
    failures.push(`${state.outputDirectory}: ${messageOf(error)}`);
    return undefined;
  }
}

// The log goes first: after a crash, a folder without a batch is left, which the next run removes.
function removeBatch(store: Store, row: BatchRow, { dryRun }: Removal, failures: string[]): Removed[] {
  const { batchId, endedAt } = row;
  const folder = store.layout.batchDirectory(batchId);
  const removed = {
    batchId,
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
    bytes: footprintOf(folder).bytes,
  };
  if (dryRun) return [removed];
  // It may have been removed, or started again, since it was found.
  if (!store.forget(batchId)) return [];
  return remove(folder, failures) ? [removed] : [{ ...removed, bytes: 0 }];
}

// Those that were not used for as long, and what is beyond the limits in the configuration.
function forgetAnswers(
  { layout }: Store,
  { olderThan, dryRun, reuse }: Removal,
  failures: string[],
): Forgotten {
  const nothing = { answers: 0, bytes: 0 };
  if (!hasRemembered(layout)) return nothing;
  try {
    using answers = new RememberedAnswers(layout);
    const days = Math.min(olderThan, reuse.days);
    return answers.tidy({ ...reuse, days }, Date.now(), { dryRun });
  } catch (error) {
    failures.push(`${layout.rememberedFolder}: ${messageOf(error)}`);
    return nothing;
  }
}

function orphansOf(store: Store): BatchId[] {
  return foldersIn(foldersFolder(store)).flatMap((name) => {
    const { data: batchId } = batchIdSchema.safeParse(name);
    return batchId !== undefined && !store.row(batchId) ? [batchId] : [];
  });
}

function removeOrphan(
  store: Store,
  batchId: BatchId,
  { dryRun, orphansOlderThan }: Removal,
  failures: string[],
): Removed[] {
  const folder = store.layout.batchDirectory(batchId);
  const { bytes, changedAt } = footprintOf(folder);
  if (Date.now() - changedAt < orphansOlderThan * dayMs) return [];
  return dryRun || remove(folder, failures) ? [{ batchId, bytes }] : [];
}

function remove(path: string, failures: string[]): boolean {
  try {
    removePath(path);
    return true;
  } catch (error) {
    failures.push(`${path}: ${messageOf(error)}`);
    return false;
  }
}
