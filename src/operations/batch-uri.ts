// The addresses of batches as resources.
import type { BatchId } from "../model/batch-id.ts";

/** RFC 6570 templates, for clients that fill them in. */
export const uriTemplates = {
  batch: "batch://{batchId}",
  task: "batch://{batchId}/tasks/{n}{?offset}",
  transcript: "batch://{batchId}/tasks/{n}/transcript{?offset}",
} as const;

/** The parts of an address. */
export interface BatchUri {
  kind: keyof typeof uriTemplates;
  /** The batch's id, the beginning of it, or `latest`. */
  batchId: string;
  /** 1-based; 0 for the batch as a whole. */
  task: number;
  /** Where to begin: a character of a task's text, or a byte of its transcript. */
  offset: number;
}

const pattern = /^batch:\/\/([a-z0-9]+)(?:\/tasks\/([1-9]\d{0,5})(\/transcript)?)?(?:\?offset=(\d{1,15}))?$/;

/** Undefined for other addresses. */
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
