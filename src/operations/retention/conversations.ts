// What Claude Code keeps of the conversations that we began, in its own configuration directory, and no others.
import { conversationFile } from "../../claude/conversation.ts";
import { localProcess } from "../../model/session-ref.ts";
import { type BatchState, isTakenOver } from "../../model/state.ts";
import { directoryOf } from "../../model/task-options.ts";
import type { Environment } from "../../platform/environment.ts";
import { fileStamp, isThere } from "../../platform/files.ts";
import { footprintOf } from "../../platform/folders.ts";
import { foreignConversations, mentionedBesides } from "../../store/mentions.ts";
import type { Store } from "../../store/store.ts";

/** A conversation that a session of ours began, as the log of its batch has it. */
export interface BegunConversation {
  sessionId: string;
  /** Where its last session worked. */
  directory: string;
  /** The account's, which says where Claude Code keeps it. */
  environment: Environment;
  /** When its last session ended. */
  endedAt: number;
}

/** What there is of a conversation: its file, and the folder beside it, where there is one. */
export interface KeptConversation {
  paths: string[];
  bytes: number;
}

/**
 * A conversation that changed later than this after the end of its last session was continued by somebody, and is theirs.
 * Clocks of other machines, on which the files may lie, differ a little.
 */
const graceMs = 10_000;

/** What may be a part of a path: only what the CLI itself calls a conversation. */
const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The conversations that the sessions of a batch began. */
export function conversationsBegunBy({ database }: Store, state: BatchState): BegunConversation[] {
  const { batch, account, tasks } = state;
  const foreign = foreignConversations(database, batch.batchId);
  if (!foreign) return [];
  const begun = new Map<string, BegunConversation>();
  for (const task of tasks) {
    for (const attempt of task.attempts) {
      if (isTakenOver(attempt) || !localProcess(attempt.identity)) continue;
      const directory = directoryOf(batch, task.number, attempt);
      for (const { sessionId } of [attempt, ...(attempt.checkSessions ?? [])]) {
        if (foreign.has(sessionId) || !idPattern.test(sessionId)) continue;
        const endedAt = Math.max(begun.get(sessionId)?.endedAt ?? 0, attempt.endedAt ?? 0);
        begun.set(sessionId, { sessionId, directory, environment: account.environment, endedAt });
      }
    }
  }
  return [...begun.values()];
}

/** What is still there of those that no batch mentions, other than those in `except`, and that nobody else has continued. */
export function conversationsToRemove(
  { database }: Store,
  begun: readonly BegunConversation[],
  except: ReadonlySet<string>,
): KeptConversation[] {
  if (begun.length === 0) return [];
  const needed = mentionedBesides(database, new Set(begun.map(({ sessionId }) => sessionId)), except);
  return begun.filter(({ sessionId }) => !needed.has(sessionId)).flatMap(keptOf);
}

function keptOf({ sessionId, directory, environment, endedAt }: BegunConversation): KeptConversation[] {
  const file = conversationFile(sessionId, directory, environment);
  const stamp = file === undefined ? undefined : fileStamp(file);
  if (file === undefined || !stamp || stamp.modifiedAt > endedAt + graceMs) return [];
  const paths = [file, file.replace(/\.jsonl$/, "")].filter(isThere);
  return [{ paths, bytes: paths.reduce((sum, path) => sum + footprintOf(path).bytes, 0) }];
}
