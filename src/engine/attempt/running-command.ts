// The command of a check: a process in a session of its own, under the marker of the attempt whose answer it checks, so
// that whatever ends that attempt ends it too.
import type { Exit } from "../../claude/outcome.ts";
import { type CheckResult, longestOutput } from "../../model/checks.ts";
import { fileStamp, readTail } from "../../platform/files.ts";
import { harmless } from "../../report/harmless.ts";
import type { Running } from "./running.ts";
import type { Session } from "./session-host.ts";

/** Most bytes that a command may print. */
const mostBytes = 50_000_000;

interface CommandParts {
  /** As its check has it. */
  command: string;
  session: Omit<Session, "output">;
  /** The paths of what it prints. */
  stdout: string;
  stderr: string;
  timeoutSeconds: number;
}

/** A command that runs. Its limits are looked at on every beat. */
export class RunningCommand implements Running {
  readonly #parts: CommandParts;
  readonly #startedAt = performance.now();
  /** Why it was ended, in a sentence. */
  #because: string | undefined;
  #isCancelled = false;
  #isUnseen = false;
  #isLost = false;

  constructor(parts: CommandParts) {
    this.#parts = parts;
    // A command that asks something must not wait for an answer.
    parts.session.closeInput();
  }

  /** Whether it has gone, and nobody saw how: then it says nothing. */
  get isUnseen(): boolean {
    return this.#isUnseen;
  }

  /** Whether it was ended because its machine was away for too long, or had no room: it says nothing either. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get activity(): string {
    return `Checks: ${this.#parts.command}`;
  }

  readTranscript(): void {
    // What it prints is read when it has ended.
  }

  checkClocks(): void {
    // It may have ended, and nobody here knows yet.
    if (this.#parts.session.isCurrent?.() === false) return;
    const { stdout, stderr, timeoutSeconds } = this.#parts;
    if (performance.now() - this.#startedAt >= timeoutSeconds * 1000)
      this.#stop(
        `It did not end within ${timeoutSeconds} s, and was stopped with everything that it had started.`,
      );
    const bytes = [stdout, stderr].reduce((sum, path) => sum + (fileStamp(path)?.size ?? 0), 0);
    if (bytes > mostBytes) this.#stop("It printed more than 50 MB, and was stopped.");
  }

  /** Its task was cancelled. */
  end(): void {
    this.#isCancelled = true;
    this.#stop("");
  }

  evict(): void {
    // Nothing evicts it, because memory is counted for sessions.
  }

  /** What it found, once it and everything that it started have gone. Undefined if the task was cancelled meanwhile. */
  async result(): Promise<CheckResult | undefined> {
    const { session, command } = this.#parts;
    const exit = await session.exited;
    await session.end();
    if (this.#isCancelled) return undefined;
    this.#isUnseen = this.#because === undefined && exit.code === undefined && exit.signal === undefined;
    this.#isLost = this.#because === undefined && exit.code === undefined && session.isLost?.() === true;
    const passed = exit.code === 0 && this.#because === undefined;
    const happened = this.#because ?? exitText(exit);
    const printed = this.#printed();
    const output = passed ? printed : `${happened}${printed === "" ? "" : `\n\n${printed}`}`;
    return { kind: "command", asked: command, passed, output };
  }

  #stop(because: string): void {
    this.#because ??= because;
    void this.#parts.session.end({ graceMs: 0 });
  }

  // The end of what it printed: commands say at the end what is wrong.
  #printed(): string {
    const { stdout, stderr } = this.#parts;
    const tails = [stdout, stderr].map((path) => harmless(readTail(path, longestOutput)).trim());
    const text = tails.filter((tail) => tail !== "").join("\n\n");
    const most = longestOutput - 300;
    return text.length <= most ? text : `… ${text.slice(-most)}`;
  }
}

function exitText({ code, signal }: Exit): string {
  if (signal !== undefined) return `It was ended by ${signal}.`;
  return code === undefined ? "It ended without an exit code." : `It ended with exit code ${code}.`;
}
