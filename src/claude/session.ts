// Starts a session: `claude` in its own process group, with its output in a file that outlives us.
import { clock } from "../platform/clock.ts";
import { joined } from "../platform/environment.ts";
import { closeDescriptor, createForAppending } from "../platform/files.ts";
import { isNoOrphan } from "../platform/orphans.ts";
import { type PrivateFile, writePrivateFiles } from "../platform/private-files.ts";
import { identityOfChild, livenessOf, signalProcess, ticksNow } from "../platform/process.ts";
import { whereIs } from "../platform/process-home.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { removePath } from "../platform/removal.ts";
import { gatherSession, gatherSessionAgain } from "../platform/session-groups.ts";
import { markerVariable } from "../platform/session-variables.ts";
import { systemCode } from "../platform/system-error.ts";
import { interruptLine } from "./arguments.ts";
import type { Exit } from "./outcome.ts";
import { TranscriptReader } from "./transcript.ts";

export interface SessionPlan {
  /** `claude` and its arguments. */
  command: string[];
  workingDirectory: string;
  environment: Record<string, string>;
  /** Texts passed to it in private files. */
  files?: readonly PrivateFile[];
  /** The marker in the environment of every process of the session. */
  marker: string;
  /** Paths that are not taken yet. */
  transcript: string;
  stderr: string;
}

/** A session, and its stdin if we started it. */
export interface SessionProcess {
  identity: ProcessIdentity;
  marker: string;
  /** Whether it is our child. */
  isOurs: boolean;
  /** Sends a line to the session. If it has gone, its exit shows that nothing arrived. */
  write(line: string): void;
  interrupt(): void;
  closeInput(): void;
  exited: Promise<Exit>;
  /** Until when it certainly had its pid, in ticks. Undefined if nobody has seen it alive. */
  hadPidUntil(): number | undefined;
}

/** Why a start failed. */
export interface StartFailure {
  /** In words for people. */
  message: string;
  /** The system's error code, such as `EMFILE`; undefined if an argument or a variable cannot be passed. */
  code?: string;
  /** Whether its output files could not be created; otherwise, its process. */
  atOutput: boolean;
}

export type Start =
  | { started: true; session: SessionProcess; reader: TranscriptReader }
  | ({ started: false } & StartFailure);

/**
 * Starts the process. It does and spends nothing until its prompt is written, so that the start can be committed first. A
 * missing working directory, or too few descriptors, is a failed start.
 */
export async function startSession(plan: SessionPlan): Promise<Start> {
  const opened: number[] = [];
  let reader: TranscriptReader | undefined;
  try {
    await writePrivateFiles(plan.files ?? []);
    for (const path of [plan.transcript, plan.stderr]) opened.push(createForAppending(path));
    const [stdout, stderr] = opened;
    // Opened before the session runs: a session with an unreadable transcript must not begin.
    reader = new TranscriptReader(plan.transcript);
    return { started: true, session: spawn(plan, stdout ?? "ignore", stderr ?? "ignore"), reader };
  } catch (error) {
    reader?.[Symbol.dispose]();
    // Empty, and nobody will ever write to them.
    for (const path of [plan.transcript, plan.stderr].slice(0, opened.length)) removePath(path);
    const code = systemCode(error);
    return {
      started: false,
      message: `The session could not be started in ${plan.workingDirectory}: ${reasonOf(error)}`,
      ...(code === undefined ? {} : { code }),
      atOutput: reader === undefined,
    };
  } finally {
    // The child has its own copies.
    for (const descriptor of opened) closeDescriptor(descriptor);
  }
}

// Only messages of system errors are safe: others repeat what was given, including values of variables.
function reasonOf(error: unknown): string {
  return error instanceof Error && systemCode(error) !== undefined
    ? error.message
    : "an argument or a variable cannot be passed to a process.";
}

function spawn(plan: SessionPlan, stdout: number | "ignore", stderr: number | "ignore"): SessionProcess {
  const child = isNoOrphan(
    Bun.spawn(plan.command, {
      cwd: plan.workingDirectory,
      env: joined([plan.environment, { PWD: plan.workingDirectory, [markerVariable]: plan.marker }]),
      stdin: "pipe",
      stdout,
      stderr,
      // Its own session and process group: a signal to us, or from our terminal, does not reach it.
      detached: true,
      windowsHide: true,
    }),
  );
  // Nothing can have run between these two lines but the loading of `claude`, which takes longer.
  gatherSession(plan.marker, child.pid);
  const { stdin } = child;
  let goneAt: number | undefined;
  const write = (line: string) => deliver(() => [stdin.write(line), stdin.flush()]);
  return {
    identity: identityOfChild(child.pid),
    marker: plan.marker,
    isOurs: true,
    write,
    interrupt: () => write(interruptLine),
    closeInput: () => deliver(() => [stdin.end()]),
    hadPidUntil: () => goneAt,
    exited: child.exited.then((code): Exit => {
      goneAt = ticksNow();
      const signal = child.signalCode;
      return signal === null ? { code } : { signal: String(signal) };
    }),
  };
}

/** How many checks in a row may give no answer. */
const mostUnseen = 40;

/**
 * A session that another runner started. Its stdin ended with that runner, so it can only be interrupted by SIGINT, and
 * nobody sees its exit code.
 */
export function adoptSession(identity: ProcessIdentity, marker: string): SessionProcess {
  gatherSessionAgain(marker, identity.pid);
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  let aliveAt: number | undefined;
  const ticking = clock.on("beat", look);
  let unseen = 0;
  look();
  return {
    identity,
    marker,
    isOurs: false,
    write: () => undefined,
    interrupt: () => void signalProcess(identity, "SIGINT"),
    closeInput: () => undefined,
    exited,
    hadPidUntil: () => aliveAt,
  };
  function look(): void {
    const now = ticksNow();
    const liveness = livenessOf(identity);
    if (liveness === "alive") {
      aliveAt = now;
      unseen = 0;
      return;
    }
    // Without free descriptors, every process is invisible for a moment. One in a container that has gone stays
    // invisible: its batch was taken over only after its heartbeat was stale.
    if (liveness === "unknown" && whereIs(identity) === "here" && ++unseen < mostUnseen) return;
    ticking[Symbol.dispose]();
    resolve({});
  }
}

// EPIPE is thrown or rejects; the exit shows that the session has gone.
function deliver(write: () => unknown[]): void {
  try {
    for (const written of write()) {
      if (written instanceof Promise) written.catch(() => undefined);
    }
  } catch {
    // See above.
  }
}
