// This machine as a host: sessions are local processes, whose memory is watched from their start.
import { conversationFile } from "../../claude/conversation.ts";
import { adoptSession, type SessionProcess, startSession } from "../../claude/session.ts";
import type { Sweeper } from "../../claude/sweep.ts";
import { terminate } from "../../claude/terminate.ts";
import { TranscriptReader } from "../../claude/transcript.ts";
import { localProcess } from "../../model/session-ref.ts";
import { exists } from "../../platform/files.ts";
import type { ProcessIdentity } from "../../platform/process-identity.ts";
import { releaseSession } from "../../platform/session-groups.ts";
import type { Machine } from "../memory/machine.ts";
import type {
  Adopted,
  HowToEnd,
  Need,
  Orphan,
  Session,
  SessionHost,
  Start,
  StartPlan,
} from "./session-host.ts";
import { startVerdict } from "./start-failure.ts";

interface LocalParts {
  machine: Machine;
  sweeper: Sweeper;
  /** Of all sessions. */
  environment: Record<string, string>;
}

export class LocalHost implements SessionHost {
  readonly #parts: LocalParts;

  constructor(parts: LocalParts) {
    this.#parts = parts;
  }

  async start(plan: StartPlan, need: Need): Promise<Start> {
    const start = await startSession(plan);
    if (!start.started) return { started: false, ...startVerdict(start, plan) };
    start.session.write(plan.initialize);
    return { started: true, session: { ...this.#watched(start.session, need), output: start.reader } };
  }

  adopt({ ref, marker, transcript, offset = 0, ...need }: Orphan): Adopted {
    const identity = localProcess(ref);
    if (!identity) throw new Error(`Internal error: ${JSON.stringify(ref)} is no session of this machine`);
    const session = this.#watched(adoptSession(identity, marker), need);
    return exists(transcript)
      ? { ...session, output: new TranscriptReader(transcript, { from: offset }) }
      : { ...session, output: undefined };
  }

  canResume(conversation: string, directory: string): boolean {
    return conversationFile(conversation, directory, this.#parts.environment) !== undefined;
  }

  whyWait(footprintKey: string): string | undefined {
    return this.#parts.machine.whyWait(footprintKey);
  }

  endShared(markers: () => readonly string[]): Promise<void> {
    return this.#parts.sweeper.sweepShared(markers);
  }

  #watched(session: SessionProcess, { footprintKey }: Need): Omit<Session, "output"> {
    const { machine, sweeper } = this.#parts;
    const { marker, identity } = session;
    sweeper.started(marker, identity);
    machine.started(marker, identity, footprintKey);
    return sessionOf(session, {
      sweeper,
      members: () => machine.membersOf(marker),
      gone: (isUnasked) => {
        machine.ended(marker, { isUnasked });
        releaseSession(marker);
      },
    });
  }
}

interface Surroundings {
  sweeper: Sweeper;
  /** What was seen in the tree of the session. */
  members(): readonly ProcessIdentity[];
  /** The session and everything that it left behind have gone. `isUnasked`: it never had a prompt. */
  gone(isUnasked: boolean): void;
}

/** A process as a session of this host, without its output. */
export function sessionOf(
  session: SessionProcess,
  { sweeper, members, gone }: Surroundings,
): Omit<Session, "output"> {
  const { identity, exited, write, closeInput } = session;
  let hasGone = false;
  void exited.then(() => {
    hasGone = true;
  });
  let ended: Promise<ProcessIdentity[]> | undefined;
  return {
    ref: identity,
    exited,
    write,
    closeInput,
    others: () => sweeper.beside(session, members()),
    end: (how = {}) => {
      ended ??= end(how);
      return ended;
    },
  };

  async function end({
    answered = Promise.resolve(),
    graceMs,
    isUnasked = false,
  }: HowToEnd): Promise<ProcessIdentity[]> {
    const spares = (process: ProcessIdentity) => sweeper.spares(process);
    if (!hasGone)
      await terminate(session, answered, { ...(graceMs === undefined ? {} : { graceMs }), spares });
    const leaked = await sweeper.sweep(session, members());
    gone(isUnasked);
    return leaked;
  }
}
