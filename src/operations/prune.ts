// Removes what old batches left in the state directory. Never removes the user's result files.
import { z } from "zod";
import { type BatchId, batchIdSchema, newBatchId } from "../model/batch-id.ts";
import { realPath } from "../platform/files.ts";
import { foldersIn, footprintOf } from "../platform/folders.ts";
import { dirname, isWithin } from "../platform/paths.ts";
import { livenessOf } from "../platform/process.ts";
import { removePath } from "../platform/removal.ts";
import { messageOf } from "../platform/system-error.ts";
import { bytesText, countText } from "../report/amounts.ts";
import { harmless } from "../report/harmless.ts";
import { addedHostNamed } from "../store/added-hosts.ts";
import { layoutOf } from "../store/layout.ts";
import { type Forgotten, hasRemembered, RememberedAnswers } from "../store/remembered.ts";
import type { BatchRow, Store } from "../store/store.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, isStoreThere, UserError, valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import { notAdded } from "./host-faults.ts";
import type { Operation } from "./operation.ts";

const dayMs = 24 * 60 * 60_000;
/** A folder without a batch may be just being created. */
const orphanAgeMs = dayMs;

const pruneInput = z.strictObject({
  olderThan: z
    .number()
    .min(0)
    .max(36_500)
    .meta({ description: "Remove batches that ended more than this many days ago.", placeholder: "DAYS" })
    .default(30),
  keep: z
    .int()
    .min(0)
    .meta({ description: "How many of the newest batches to keep, regardless of age." })
    .default(0),
  dryRun: z.boolean().meta({ description: "Only show what would be removed." }).default(false),
  host: z
    .string()
    .min(1)
    .meta({
      description:
        "Instead, on this machine that `host add` has added: sessions that have ended there, and that no running batch reads.",
      placeholder: "HOST",
    })
    .optional(),
});
type PruneInput = z.output<typeof pruneInput>;

const removedSchema = z.object({
  batchId: z.string(),
  endedAt: z.string().optional().meta({ description: "ISO 8601. Absent for a folder without a batch." }),
  bytes: z.int(),
});
type Removed = z.infer<typeof removedSchema>;

const pruneOutput = z.object({
  dryRun: z.boolean(),
  stateDirectory: z.string(),
  batches: z.int(),
  orphans: z.int().meta({ description: "Folders that belonged to no batch." }),
  answers: z.int().meta({ description: "Answers that were remembered for `reuse`." }),
  bytes: z.int().meta({ description: "Size of the removed files." }),
  removed: z.array(removedSchema),
  failures: z.array(z.string()).meta({ description: "What could not be removed, and why." }),
  unended: z.int().meta({
    description: "Batches of that age that are kept because they have not ended, or have only paused.",
  }),
  message: z.string(),
});

export const prune: Operation<typeof pruneInput, typeof pruneOutput> = {
  title: "Remove files of old batches from the state directory",
  description:
    "Removes logs, transcripts and pages of old batches from the state directory, answers that were remembered for `reuse` and not used since, and folders that belong to no batch. It never removes batches that have not ended, nor result files in output directories. `spend` still counts what removed batches cost.",
  input: pruneInput,
  output: pruneOutput,
  run: async (context, input) => {
    const asked = valueOrThrow(check(pruneInput, input));
    if (asked.host !== undefined) return pruneThere(context, asked.host, asked.dryRun);
    // A dry run creates none.
    if (asked.dryRun && !isStoreThere(context)) return nothingIn(context, asked);
    checkPlace(context);
    const { store } = context;
    const before = Date.now() - asked.olderThan * dayMs;
    const failures: string[] = [];
    const old = oldBatches(store, before, asked.keep);
    const batches = old.flatMap((row) => removeBatch(store, row, asked, failures));
    const orphans = orphansOf(store).flatMap((batchId) => removeOrphan(store, batchId, asked, failures));
    const removed = [...batches, ...orphans];
    const forgotten = forgetAnswers(context, asked, failures);
    const counts = {
      batches: batches.length,
      orphans: orphans.length,
      answers: forgotten.answers,
      bytes: removed.reduce((sum, { bytes }) => sum + bytes, forgotten.bytes),
    };
    const unended = [...store.unended(), ...store.paused()].filter((row) => row.changedAt < before).length;
    return {
      dryRun: asked.dryRun,
      stateDirectory: store.layout.stateDirectory,
      ...counts,
      removed,
      failures,
      unended,
      message: prunedText(asked, counts, unended),
    };
  },
};

function nothingIn({ configuration }: Context, asked: PruneInput): z.infer<typeof pruneOutput> {
  const none = { batches: 0, orphans: 0, answers: 0, bytes: 0 };
  return {
    dryRun: asked.dryRun,
    stateDirectory: stateDirectoryOf(configuration),
    ...none,
    removed: [],
    failures: [],
    unended: 0,
    message: prunedText(asked, none, 0),
  };
}

// A link in place of `batches` would redirect the removal.
function checkPlace({ store }: Context): void {
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

// The log goes first: after a crash, a folder without a batch is left, which the next run removes.
function removeBatch(store: Store, row: BatchRow, { dryRun }: PruneInput, failures: string[]): Removed[] {
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
  return removeFolder(folder, failures) ? [removed] : [{ ...removed, bytes: 0 }];
}

// Those that were not used for as long, and what is beyond the limits in the configuration.
function forgetAnswers(
  { store, configuration }: Context,
  { olderThan, dryRun }: PruneInput,
  failures: string[],
): Forgotten {
  const { layout } = store;
  const nothing = { answers: 0, bytes: 0 };
  if (!hasRemembered(layout)) return nothing;
  try {
    using answers = new RememberedAnswers(layout);
    const days = Math.min(olderThan, configuration.reuseDays);
    return answers.tidy({ days, megabytes: configuration.reuseLimitMb }, Date.now(), { dryRun });
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

function removeOrphan(store: Store, batchId: BatchId, { dryRun }: PruneInput, failures: string[]): Removed[] {
  const folder = store.layout.batchDirectory(batchId);
  const { bytes, changedAt } = footprintOf(folder);
  if (Date.now() - changedAt < orphanAgeMs) return [];
  return dryRun || removeFolder(folder, failures) ? [{ batchId, bytes }] : [];
}

function removeFolder(folder: string, failures: string[]): boolean {
  try {
    removePath(folder);
    return true;
  } catch (error) {
    failures.push(`${folder}: ${messageOf(error)}`);
    return false;
  }
}

function prunedText(
  { dryRun, olderThan, keep }: PruneInput,
  { batches, orphans, answers, bytes }: Record<"batches" | "orphans" | "answers" | "bytes", number>,
  unended: number,
): string {
  const what = new Intl.ListFormat("en").format([
    countText(batches, "batch", "batches"),
    ...(orphans > 0 ? [countText(orphans, "folder without a batch", "folders without a batch")] : []),
    ...(answers > 0 ? [countText(answers, "remembered answer")] : []),
  ]);
  const newest = keep > 0 ? `, except the newest ${keep}` : "";
  const age = `Looked for batches that ended more than ${countText(olderThan, "day")} ago${newest}.`;
  const kept =
    unended > 0
      ? ` ${countText(unended, "batch", "batches")} of that age ${unended === 1 ? "has" : "have"} not ended and ${unended === 1 ? "is" : "are"} kept. \`list\` shows them; \`cancel BATCH\` ends one that nobody runs any more, and the next \`prune\` removes it.`
      : "";
  if (batches + orphans + answers === 0) return `Nothing to remove. ${age}${kept}`;
  const done = dryRun ? `Would remove ${what}, and free` : `Removed ${what}, and freed`;
  return `${done} ${bytesText(bytes)}. ${age}${kept}`;
}

// What no running batch reads there, its runner would only miss if its batch were continued after all.
async function pruneThere(
  { configuration }: Context,
  host: string,
  dryRun: boolean,
): Promise<z.output<typeof pruneOutput>> {
  const stateDirectory = stateDirectoryOf(configuration);
  const added = addedHostNamed(layoutOf(stateDirectory), host);
  if (!added) throw notAdded(host);
  const { askKeeper } = await import("../far/ask-keeper.ts");
  const told = await askKeeper(host, added.command, { prunes: !dryRun });
  if (!told.ok) throw new UserError(`${host} cannot be reached: ${harmless(told.because)}`);
  const ended = told.overview.sessions.filter(({ state }) => state === "ended");
  const size = ended.reduce((sum, { transcript }) => sum + transcript, 0);
  const { sessions, bytes } = told.pruned ?? { sessions: ended.length, bytes: size };
  const what = `${countText(sessions, "ended session", "ended sessions")} (${bytesText(bytes)})`;
  const message = dryRun ? `Would remove up to ${what} on ${host}.` : `Removed ${what} on ${host}.`;
  const none = { batches: 0, orphans: 0, answers: 0, removed: [], failures: [], unended: 0 };
  return { ...none, dryRun, stateDirectory, bytes, message };
}
