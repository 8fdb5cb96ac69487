// Starts a session: `claude` as a process group of its own, its output a file that outlives us.
import { closeDescriptor, createForAppending, removePath } from "../platform/files.ts";
import { isNoOrphan } from "../platform/orphans.ts";
import { type PrivateFile, writePrivateFiles } from "../platform/private-files.ts";
import { identityOfChild, livenessOf, signalProcess, ticksNow } from "../platform/process.ts";
import { whereIs } from "../platform/process-home.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { markerVariable } from "../platform/process-table.ts";
import { systemCode } from "../platform/system-error.ts";
import { interruptLine } from "./arguments.ts";
import type { Exit } from "./outcome.ts";
import { TranscriptReader } from "./transcript.ts";

export interface SessionPlan {
  /** `claude` and its arguments. */
  command: string[];
  workingDirectory: string;
  environment: Record<string, string>;
  /** Texts that it gets in files, which nobody but this user can read. */
  files?: readonly PrivateFile[];
  /** What every process of the session will carry in its environment. */
  marker: string;
  /** Paths that are not taken yet. */
  transcript: string;
  stderr: string;
}

/** A session that we started, with its stdin in our hands. */
export interface SessionProcess {
  identity: ProcessIdentity;
  marker: string;
  /** Whether it is a child of ours. */
  isOurs: boolean;
  /** Gives a line to the session. What cannot be delivered because it has gone shows in how it ended. */
  write(line: string): void;
  interrupt(): void;
  closeInput(): void;
  exited: Promise<Exit>;
  /** Until when it surely had its pid, in ticks. Nothing where nobody has seen it alive. */
  hadPidUntil(): number | undefined;
}

/** Of what a start failed. */
export interface StartFailure {
  /** In words for people. */
  message: string;
  /** The system's own word, `EMFILE` for example; nothing where an argument or a variable cannot be passed. */
  code?: string;
  /** Whether the files for its output could not be made; otherwise, the process could not. */
  atOutput: boolean;
}

export type Start =
  | { started: true; session: SessionProcess; reader: TranscriptReader }
  | ({ started: false } & StartFailure);

/**
 * Starts the process. It does nothing and spends nothing until its prompt is written, so that the start can be
 * committed before. A working directory that has gone, or a lack of descriptors, is a start that failed.
 */
export async function startSession(plan: SessionPlan): Promise<Start> {
  const opened: number[] = [];
  let reader: TranscriptReader | undefined;
  try {
    await writePrivateFiles(plan.files ?? []);
    for (const path of [plan.transcript, plan.stderr]) opened.push(createForAppending(path));
    const [stdout, stderr] = opened;
    // Opened before the session runs: one that nobody can read must not begin.
    reader = new TranscriptReader(plan.transcript);
    return { started: true, session: spawn(plan, stdout ?? "ignore", stderr ?? "ignore"), reader };
  } catch (error) {
    reader?.[Symbol.dispose]();
    // Empty, and nobody will ever write into them.
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

// Only of an error of the system is the message safe: others repeat what was given, values of variables among it.
function reasonOf(error: unknown): string {
  return error instanceof Error && systemCode(error) !== undefined
    ? error.message
    : "an argument or a variable cannot be passed to a process.";
}

function spawn(plan: SessionPlan, stdout: number | "ignore", stderr: number | "ignore"): SessionProcess {
  const child = isNoOrphan(
    Bun.spawn(plan.command, {
      cwd: plan.workingDirectory,
      env: { ...plan.environment, PWD: plan.workingDirectory, [markerVariable]: plan.marker },
      stdin: "pipe",
      stdout,
      stderr,
      // A session id and process group of its own: a signal to us, or to our terminal, is none to it.
      detached: true,
      windowsHide: true,
    }),
  );
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

/** How often an adopted session is looked at, in milliseconds. */
const adoptedLookMs = 250;
/** How many looks in a row may tell nothing of it. */
const mostUnseen = 40;

/**
 * A session that another runner started. Its stdin ended with that runner, so it can only be asked by SIGINT;
 * and how it exits is seen by nobody.
 */
export function adoptSession(identity: ProcessIdentity, marker: string): SessionProcess {
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  let aliveAt: number | undefined;
  const timer = setInterval(look, adoptedLookMs);
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
    // A lack of descriptors hides everybody for a moment. One in a container that has gone will never be seen: whoever
    // took its batch over has waited for a sign of life.
    if (liveness === "unknown" && whereIs(identity) === "here" && ++unseen < mostUnseen) return;
    clearInterval(timer);
    resolve({});
  }
}

// EPIPE comes thrown or as a rejection; that the session has gone is seen by its exit.
function deliver(write: () => unknown[]): void {
  try {
    for (const written of write()) {
      if (written instanceof Promise) written.catch(() => undefined);
    }
  } catch {
    // See above.
  }
}
