// Where sessions run. A runner knows a host only by this interface; `local-host.ts` implements it for this machine.
import type { Exit } from "../../claude/outcome.ts";
import type { SessionPlan } from "../../claude/session.ts";
import type { TranscriptReader } from "../../claude/transcript.ts";
import type { Spent } from "../../model/outcome.ts";
import type { SessionRef } from "../../model/session-ref.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";

/**
 * A start takes about a second of a processor. After this time, in milliseconds, one hangs, and no longer stops the others.
 */
export const longestStartMs = 15_000;

/** How to end a session that has not ended by itself. */
export interface HowToEnd {
  /** Resolves when nothing more is expected: then its input is closed, so that it can exit by itself. */
  answered?: Promise<unknown>;
  /** How long it may take to exit before it is killed, in milliseconds. */
  graceMs?: number;
  /** It never had a prompt, so its use of memory says nothing about sessions at work. */
  isUnasked?: boolean;
}

/** How to start a session. None of this depends on the prompt, so a session can start before its task is known. */
export interface StartPlan extends SessionPlan {
  /** The name of the start, after which its marker and its files are named. */
  startName: string;
  /** The requested id of its conversation. */
  sessionId: string;
  /** The line for its standard input that asks it to initialize. The host writes it at the start. */
  initialize: string;
  /** What of its environment is its own, and no part of that of all sessions on this machine. */
  variables?: Record<string, string>;
  /** Whether its command is any program, looked up by its name where it runs, and not Claude Code. */
  isProgram?: boolean;
  /** Where in its transcript its conversation begins, in bytes, if its process had others before. */
  offset?: number;
  /**
   * The same for all sessions that differ only in name, conversation and prompt, so that a session started for one task can
   * serve another. Absent if the session is for its own task alone. Computed only when called.
   */
  kind?(): string;
  /** The kind of the tasks that its process can serve when it has forgotten its own. */
  kindAfterwards?(): string;
}

/** A session on some host. Before its prompt, it spends nothing. */
export interface Session {
  /** Identifies it in the log, so that another runner can find it. */
  ref: SessionRef;
  /** Its output, in a transcript on this machine, wherever it runs. The owner of the session disposes of the reader. */
  output: TranscriptReader;
  /** Sends a line to the session. If it has gone, its exit shows that nothing arrived. */
  write(line: string): void;
  /** No more input comes: the session may exit when its work is done. */
  closeInput(): void;
  /** Resolves when it has gone. */
  exited: Promise<Exit>;
  /** Whether its transcript is as far as the session. Absent where that is always so. */
  isCurrent?(): boolean;
  /** Why nothing is heard from it now, in words for people. */
  trouble?(): string | undefined;
  /** Whether it ended because its machine, or its runner, was away for too long. */
  isLost?(): boolean;
  /** Whether nobody waits for its machine any more, so that it may have gone on, and nobody knows what it has cost. */
  isGivenUp?(): boolean;
  /** The processes that it runs beside its own now. A host that cannot know lacks this. */
  others?(): readonly ProcessIdentity[];
  /**
   * Ends the session if it still runs, then every process that it left behind, and returns those. The first call decides
   * how; later calls return the same promise.
   */
  end(how?: HowToEnd): Promise<ProcessIdentity[]>;
}

/** Why a session did not start. */
export type StartVerdict =
  /** The task's own reason: it would fail again. */
  | { kind: "task"; message: string }
  /**
   * May pass, and would stop every other task too. In words for people. `away`: it is about one machine, which cannot be
   * reached, and says nothing about others; it is waited for, or its tasks run elsewhere.
   */
  | { kind: "passing"; because: string; away?: Away };

export type Away = "waited-for" | "given-up";

export type Start = { started: true; session: Session } | ({ started: false } & StartVerdict);

/** What a host must know about a session besides how to start it. */
export interface Need {
  /** The same for sessions that need about the same resources. */
  footprintKey: string;
  /** The task that was admitted for it; absent for a check, which runs in the slot of its task. */
  task?: number;
  /** Whether it is still wanted, for a start that takes long. Absent: always. */
  isWanted?(): boolean;
}

/** A session that an earlier runner started, as the log stores it. */
export interface Orphan extends Need {
  ref: SessionRef;
  marker: string;
  transcript: string;
  /** Where its conversation begins in it, in bytes, if not at the beginning. */
  offset?: number | undefined;
}

/** An adopted session. Without `output`, its transcript was removed, so nobody can know what it does. */
export type Adopted = Session | (Omit<Session, "output"> & { output: undefined });

export interface SessionHost {
  /** Starts a session and asks it to initialize. A missing directory, or a shortage, is a failed start. */
  start(plan: StartPlan, need: Need): Promise<Start>;
  /** Takes over a session of an earlier runner. */
  adopt(orphan: Orphan): Adopted;
  /** Whether a conversation can be continued in this directory. */
  canResume(conversation: string, directory: string): boolean;
  /** What a conversation had cost when its last session ended, if its files are elsewhere. Absent where they are here. */
  costOf?(conversation: string): Spent | undefined;
  /** Why no session of this footprint key can start now, in words for people; undefined if one can. */
  whyWait(footprintKey: string): string | undefined;
  /** Ends the daemons shared by sessions with these markers, once no session runs. */
  endShared(markers: () => readonly string[]): Promise<void>;
}
