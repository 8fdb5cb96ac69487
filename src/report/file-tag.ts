// How a result file says whose it is, so that writing it again after a crash finds it, and nobody overwrites
// a file of another batch that ended in the same millisecond.

/** Stands in the first 512 bytes of every result page and error text. */
export function fileTag(batchId: string, taskNumber: number): string {
  return `parallel-claude-code-mcp batch ${batchId} task ${taskNumber}`;
}
