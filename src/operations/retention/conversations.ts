// What Claude Code keeps of the conversations that we began, in its own configuration directory, and no others.
import { conversationFile } from "../../claude/conversation.ts";
import type { BatchId } from "../../model/batch-id.ts";
import { localProcess } from "../../model/session-ref.ts";
import { type BatchState, isTakenOver } from "../../model/state.ts";
import { directoryOf } from "../../model/task-options.ts";
import { fileStamp, isThere } from "../../platform/files.ts";
import { footprintOf } from "../../platform/folders.ts";
import { foreignConversations, mentionedBesides } from "../../store/mentions.ts";
import type { Store } from "../../store/store.ts";

/** A conversation that a session of ours began. */
export interface Conversation {
  sessionId: string;
  /** Its file, and the folder beside it, where there is one. */
  paths: string[];
  bytes: number;
}

/** A conversation that changed later than this after the end of its batch was continued by somebody, and is theirs. */
const graceMs = 60_000;

/** What may be a part of a path: only what the CLI itself calls a conversation. */
const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Conversations that batches to be removed began, and that no other batch and nobody else needs. */
export function conversationsToRemove(store: Store, batches: readonly BatchId[]): Conversation[] {
  const own = batches.flatMap((batchId) => {
    const state = store.batch(batchId)?.state;
    return state ? conversationsOf(store, state) : [];
  });
  if (own.length === 0) return [];
  const ids = new Set(own.map(({ sessionId }) => sessionId));
  const needed = mentionedBesides(store.database, ids, new Set(batches));
  return own.filter(({ sessionId }) => !needed.has(sessionId));
}

function conversationsOf({ database }: Store, state: BatchState): Conversation[] {
  const { batch, account, tasks, endedAt = 0 } = state;
  const foreign = foreignConversations(database, batch.batchId);
  if (!foreign) return [];
  const begun = new Map<string, string>();
  for (const task of tasks) {
    for (const attempt of task.attempts) {
      if (isTakenOver(attempt) || !localProcess(attempt.identity)) continue;
      const directory = directoryOf(batch, task.number, attempt);
      const checks = attempt.checkSessions ?? [];
      for (const { sessionId } of [attempt, ...checks]) begun.set(sessionId, directory);
    }
  }
  return [...begun].flatMap(([sessionId, directory]) => {
    if (foreign.has(sessionId) || !idPattern.test(sessionId)) return [];
    const file = conversationFile(sessionId, directory, account.environment);
    const stamp = file === undefined ? undefined : fileStamp(file);
    if (file === undefined || !stamp || stamp.modifiedAt > endedAt + graceMs) return [];
    const paths = [file, file.replace(/\.jsonl$/, "")].filter(isThere);
    return [{ sessionId, paths, bytes: paths.reduce((sum, path) => sum + footprintOf(path).bytes, 0) }];
  });
}
