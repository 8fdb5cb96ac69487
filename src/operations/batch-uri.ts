// The addresses under which clients read batches as resources.
import type { BatchId } from "../model/batch-id.ts";

/** As RFC 6570 templates, for clients that fill them in. */
export const uriTemplates = {
  batch: "batch://{batchId}",
  task: "batch://{batchId}/tasks/{n}{?offset}",
  transcript: "batch://{batchId}/tasks/{n}/transcript{?offset}",
} as const;

/** What an address means. */
export interface BatchUri {
  kind: keyof typeof uriTemplates;
  /** Of the batch, its beginning, or `latest`. */
  batchId: string;
  /** 1-based; 0 for the batch as a whole. */
  task: number;
  /** Where to begin: a character of a task's text, a byte of its transcript. */
  offset: number;
}

const pattern = /^batch:\/\/([a-z0-9]+)(?:\/tasks\/([1-9]\d{0,5})(\/transcript)?)?(?:\?offset=(\d{1,15}))?$/;

/** Nothing for what is no address of ours. */
export function parseBatchUri(uri: string): BatchUri | undefined {
  const match = pattern.exec(uri);
  const [, batchId, task, transcript, offset] = match ?? [];
  if (batchId === undefined) return undefined;
  const kind = task === undefined ? "batch" : transcript === undefined ? "task" : "transcript";
  return { kind, batchId, task: Number(task ?? 0), offset: Number(offset ?? 0) };
}

export function batchUri(batchId: BatchId | string): string {
  return `batch://${batchId}`;
}

export function taskUri(batchId: BatchId | string, task: number, offset = 0): string {
  return `${batchUri(batchId)}/tasks/${task}${offset > 0 ? `?offset=${offset}` : ""}`;
}

export function transcriptUri(batchId: BatchId | string, task: number, offset = 0): string {
  return `${batchUri(batchId)}/tasks/${task}/transcript${offset > 0 ? `?offset=${offset}` : ""}`;
}
