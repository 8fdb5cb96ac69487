// Where sessions run. A runner knows a host only by this interface; `local-host.ts` implements it for this machine.
import type { Exit } from "../../claude/outcome.ts";
import type { SessionPlan, StartFailure } from "../../claude/session.ts";
import type { TranscriptReader } from "../../claude/transcript.ts";
import type { SessionRef } from "../../model/session-ref.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";

/** How a session is ended that has not ended by itself. */
export interface HowEnded {
  /** Resolves when nothing more is expected of it: then its input is closed, so that it can leave by itself. */
  answered?: Promise<unknown>;
  /** How long it may take to leave before it is killed, in milliseconds. */
  graceMs?: number;
}

/** A session on some host. It does and spends nothing before it is written to. */
export interface Session {
  /** Which one it is, for the log: by this, another runner finds it again. */
  ref: SessionRef;
  /** What it says, in a transcript on this machine, wherever it runs. The reader closes it. */
  output: TranscriptReader;
  /** Gives a line to the session. What cannot be delivered because it has gone shows in how it ended. */
  write(line: string): void;
  /** Nothing more comes: it may leave when it has done what it was asked. */
  closeInput(): void;
  /** Resolves when it has gone. */
  exited: Promise<Exit>;
  /**
   * Ends the session if it still runs, then every process that it left behind, and returns those. The first call decides
   * how; later calls return the same promise.
   */
  end(how?: HowEnded): Promise<ProcessIdentity[]>;
}

export type Start = { started: true; session: Session } | ({ started: false } & StartFailure);

/** What a host has to know of a session beside how it is started. */
export interface Need {
  /** The task that it works for, 1-based. */
  task: number;
  /** What it has in common with sessions that take about as much of the host. */
  footprint: string;
}

/** A session that an earlier runner started, as the log knows it. */
export interface Orphan extends Need {
  ref: SessionRef;
  marker: string;
  transcript: string;
}

/** An adopted session. Without `output`, its transcript was removed, and nobody can know what it does. */
export type Adopted = Session | (Omit<Session, "output"> & { output: undefined });

export interface SessionHost {
  /** Starts a session. A directory that has gone, or a lack of something, is a start that failed. */
  start(plan: SessionPlan, need: Need): Promise<Start>;
  /** Takes over a session of an earlier runner. */
  adopt(orphan: Orphan): Adopted;
  /** Whether a conversation is there to be continued in this directory. */
  canResume(conversation: string, directory: string): boolean;
  /** Why there is no room for another session of this footprint; nothing where there is. In words for people. */
  capacity(footprint: string): string | undefined;
  /** Ends the daemons that sessions with these markers share and leave running for each other, once no session runs. */
  endShared(markers: () => readonly string[]): Promise<void>;
}
