// Batches as documents with addresses: a batch, the text of a task, its transcript.
import { rangeOf } from "../claude/transcript-lines.ts";
import { batchEndOf } from "../model/batch-end.ts";
import { taskOf } from "../model/state.ts";
import { exists } from "../platform/files.ts";
import { numberText } from "../report/amounts.ts";
import { endLabel } from "../report/batch-end.ts";
import { outcomeWord } from "../report/outcome-words.ts";
import type { BatchLog } from "../store/batch-log.ts";
import { settledRow, stateWordOf } from "../store/batch-status.ts";
import { layoutOf } from "../store/layout.ts";
import type { BatchRow } from "../store/store.ts";
import { clientAnswerNow } from "./answer-now.ts";
import { type BatchUri, batchUri, taskUri, transcriptUri } from "./batch-uri.ts";
import type { ClientLimits } from "./client-limits.ts";
import { stateDirectoryOf } from "./configuration.ts";
import type { Context } from "./context.ts";
import { findBatch } from "./find-batch.ts";
import { tasksNamed } from "./named-tasks.ts";
import { taskText } from "./task-text.ts";
import { transcriptPart } from "./transcript-part.ts";
import { ConfigurationError } from "./user-error.ts";

export interface Document {
  uri: string;
  mimeType: string;
  text: string;
}

/** The newest batches. None if there is no store; reading must not create one. */
export function recentBatches(context: Context, limit: number, offset = 0): BatchRow[] {
  try {
    if (!exists(layoutOf(stateDirectoryOf(context.configuration)).database)) return [];
    return context.store.list({ limit, offset }).map((row) => settledRow(row, context.store));
  } catch (error) {
    // Their place is unknown. Clients list resources by themselves when they start; the first call reports what is wrong.
    if (error instanceof ConfigurationError) return [];
    throw error;
  }
}

/** "review: stopped: budget, 5 succeeded, 25 cancelled" */
export function titleInList(row: BatchRow): string {
  const { succeeded, failed, cancelled, running, queued } = row.counts;
  const counts = Object.entries({ succeeded, failed, cancelled, running, queued }).flatMap(([word, count]) =>
    count > 0 ? [`${numberText(count)} ${word}`] : [],
  );
  const word = stateWordOf(row);
  const end = batchEndOf({ word, ...row });
  // The counts say how many failed.
  const standing = end?.kind === "stopped" ? endLabel({ end, counts: row.counts }) : word;
  return `${row.name ?? `Batch ${row.batchId}`}: ${[...new Set([standing, ...counts])].join(", ")}`;
}

/** The document at an address, within the client's limit. Throws `UserError` if there is none. */
export async function readDocument(
  context: Context,
  asked: BatchUri,
  limits: ClientLimits,
): Promise<Document> {
  const log = findBatch(context, asked.batchId);
  if (asked.kind === "batch") {
    const answer = await clientAnswerNow(context, log, { limits });
    return { uri: batchUri(log.batchId), mimeType: "application/json", text: JSON.stringify(answer) };
  }
  tasksNamed(log.state, [`#${asked.task}`]);
  return asked.kind === "task" ? taskDocument(log, asked, limits) : transcriptDocument(log, asked, limits);
}

function taskDocument(log: BatchLog, { task: number, offset }: BatchUri, limits: ClientLimits): Document {
  const task = taskOf(log.state, number);
  const document = { uri: taskUri(log.batchId, number, offset), mimeType: "text/plain" };
  if (task.status !== "done") return { ...document, text: `[Task ${number} is ${task.status}.]` };
  const { text, from, length, more } = taskText(task, { from: offset, characters: limits.answerCharacters });
  const next = from + text.length;
  const note = more
    ? `\n\n[These are the characters ${from} to ${next} of ${length}. Read on at ${taskUri(log.batchId, number, next)}.]`
    : "";
  const head = task.outcome.kind === "succeeded" ? "" : `[${outcomeWord(task)}] `;
  return { ...document, text: `${offset === 0 ? head : ""}${text}${note}` };
}

function transcriptDocument(
  log: BatchLog,
  { task: number, offset }: BatchUri,
  limits: ClientLimits,
): Document {
  const attempt = taskOf(log.state, number).attempts.at(-1);
  const document = { uri: transcriptUri(log.batchId, number, offset), mimeType: "application/x-ndjson" };
  if (attempt === undefined) return { ...document, text: "" };
  const range = rangeOf(attempt);
  const part = transcriptPart(attempt.transcript, { offset, mostBytes: limits.answerCharacters, range });
  if (part.next >= part.size) return { ...document, text: part.text };
  // A line of its own, so that the text stays a sequence of JSON lines.
  const note = JSON.stringify({
    type: "cut",
    from: offset,
    to: part.next,
    of: part.size,
    next: transcriptUri(log.batchId, number, part.next),
  });
  return { ...document, text: `${part.text}${part.text.endsWith("\n") ? "" : "\n"}${note}\n` };
}
