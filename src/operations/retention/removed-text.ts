// What was removed, in a sentence.
import { bytesText, countText } from "../../report/amounts.ts";
import type { Removal, Removals } from "./remove-old.ts";

export function removedText(
  { dryRun, olderThan, keep }: Pick<Removal, "dryRun" | "olderThan" | "keep">,
  {
    batches,
    orphans,
    answers,
    resultFiles,
    conversations,
    bytes,
    unended,
  }: Omit<Removals, "removed" | "failures">,
): string {
  const what = new Intl.ListFormat("en").format([
    countText(batches, "batch", "batches"),
    ...(orphans > 0 ? [countText(orphans, "folder without a batch", "folders without a batch")] : []),
    ...(answers > 0 ? [countText(answers, "remembered answer")] : []),
    ...(resultFiles > 0 ? [countText(resultFiles, "result file")] : []),
    ...(conversations > 0 ? [countText(conversations, "conversation")] : []),
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
