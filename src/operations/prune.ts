// Removes what old batches left in the state directory, and the user's result files and conversations where that is asked for.
import { z } from "zod";
import { bytesText, countText } from "../report/amounts.ts";
import { harmless } from "../report/harmless.ts";
import { addedHostNamed } from "../store/added-hosts.ts";
import { layoutOf } from "../store/layout.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, isStoreThere, UserError, valueOrThrow } from "./context.ts";
import { check } from "./faults.ts";
import { notAdded } from "./host-faults.ts";
import type { Operation } from "./operation.ts";
import { leastOrphanDays, type Removals, removeOld } from "./retention/remove-old.ts";
import { removedText } from "./retention/removed-text.ts";

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
  output: z
    .boolean()
    .meta({
      description:
        "Also remove the result files of these batches in output directories: those that their logs name.",
    })
    .default(false),
  conversations: z
    .boolean()
    .meta({
      description:
        "Also remove what Claude Code keeps (in `~/.claude/projects`) of the conversations that these batches began, unless another batch needs them, or somebody has continued them.",
    })
    .default(false),
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

const pruneOutput = z.object({
  dryRun: z.boolean(),
  stateDirectory: z.string(),
  batches: z.int(),
  orphans: z.int().meta({ description: "Folders that belonged to no batch." }),
  answers: z.int().meta({ description: "Answers that were remembered for `reuse`." }),
  resultFiles: z.int().meta({ description: "With `output`: result files in output directories." }),
  conversations: z
    .int()
    .meta({ description: "With `conversations`: those that Claude Code has kept of these batches." }),
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
    "Removes logs, transcripts and pages of old batches from the state directory, answers that were remembered for `reuse` and not used since, and folders that belong to no batch. It never removes batches that have not ended. Result files in output directories go only with `--output`, and conversations that Claude Code keeps only with `--conversations`. `spend` still counts what removed batches cost. The setting `retainDays` does all this by itself.",
  input: pruneInput,
  output: pruneOutput,
  run: async (context, input) => {
    const asked = valueOrThrow(check(pruneInput, input));
    if (asked.host !== undefined) return pruneThere(context, asked.host, asked.dryRun);
    // A dry run creates none.
    if (asked.dryRun && !isStoreThere(context)) return nothingIn(context, asked);
    const { store, configuration } = context;
    const reuse = { days: configuration.reuseDays, megabytes: configuration.reuseLimitMb };
    const removal = { ...asked, orphansOlderThan: leastOrphanDays, reuse };
    const removals = await removeOld(store, removal);
    return {
      dryRun: asked.dryRun,
      stateDirectory: store.layout.stateDirectory,
      ...removals,
      message: removedText(removal, removals),
    };
  },
};

const nothing: Removals = {
  removed: [],
  failures: [],
  unended: 0,
  batches: 0,
  orphans: 0,
  answers: 0,
  resultFiles: 0,
  conversations: 0,
  bytes: 0,
};

function nothingIn({ configuration }: Context, asked: PruneInput): z.infer<typeof pruneOutput> {
  return {
    dryRun: asked.dryRun,
    stateDirectory: stateDirectoryOf(configuration),
    ...nothing,
    message: removedText(asked, nothing),
  };
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
  const told = await askKeeper(host, added.command, dryRun ? undefined : { type: "prune" });
  if (!told.ok) throw new UserError(`${host} cannot be reached: ${harmless(told.because)}`);
  const ended = told.overview.sessions.filter(({ state }) => state === "ended");
  const size = ended.reduce((sum, { transcript }) => sum + transcript, 0);
  const { sessions, bytes } = told.pruned ?? { sessions: ended.length, bytes: size };
  const what = `${countText(sessions, "ended session", "ended sessions")} (${bytesText(bytes)})`;
  const message = dryRun ? `Would remove up to ${what} on ${host}.` : `Removed ${what} on ${host}.`;
  return { ...nothing, dryRun, stateDirectory, bytes, message };
}
