// How a result file identifies its owner: writing it again after a crash finds it, and it never overwrites a file of
// another batch that ended in the same millisecond.

// The marks are part of the files' format: a renamed product would still have to find them.
const mark = "parallel-claude-code-mcp";

/** In the first 512 bytes of every result page and error text. */
export function fileTag(batchId: string, taskNumber: number): string {
  return `${mark} batch ${batchId} task ${taskNumber}`;
}

/** At the beginning of a batch's page. */
export function pageTag(batchId: string): string {
  return `${pageMark} ${batchId}`;
}

/** At the beginning of a comparison's page. */
export function comparisonTag(batchIds: readonly string[]): string {
  return `${comparisonMark} ${batchIds.join(" ")}`;
}

/** Whether the first 512 bytes of a file belong to a comparison of ours. */
export function isOurComparison(head: string): boolean {
  return head.startsWith(`<!doctype html>\n<!-- ${comparisonMark} `);
}

/** At the beginning of a page of costs. */
export const spendingTag = `${mark} spending`;

/** Whether the first 512 bytes of a file belong to a page of costs of ours. */
export function isOurSpending(head: string): boolean {
  return head.startsWith(`<!doctype html>\n<!-- ${spendingTag} -->`);
}

/** At the beginning of the page of a task's sessions. */
export function sessionTag(batchId: string, taskNumber: number): string {
  return `${sessionMark} ${batchId} task ${taskNumber}`;
}

/** Whether the first 512 bytes of a file belong to a page of sessions of ours. */
export function isOurSession(head: string): boolean {
  return head.startsWith(`<!doctype html>\n<!-- ${sessionMark} `);
}

const sessionMark = `${mark} session of batch`;
const comparisonMark = `${mark} comparison of`;
const pageMark = `${mark} page of batch`;

/** Whether the first 512 bytes of a file belong to a page of ours; earlier versions wrote no tag. */
export function isOurPage(head: string): boolean {
  return (
    head.startsWith(`<!doctype html>\n<!-- ${pageMark} `) ||
    /^<!doctype html>\n<html lang="en" data-batch="[a-z2-9]{8}" data-feed="report-[a-z2-9]{8}\.js"/.test(head)
  );
}
