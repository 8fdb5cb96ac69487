// A home for operations that run in the process of the test: an environment of its own, and batches whose log is written by
// hand, so that no session runs.
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { newBatchId } from "../src/model/batch-id.ts";
import type { Batch, EventBody } from "../src/model/event.ts";
import type { Outcome } from "../src/model/outcome.ts";
import { accountOf } from "../src/operations/account.ts";
import { type Context, newContext } from "../src/operations/context.ts";
import type { Call } from "../src/operations/operation.ts";
import { ownIdentity } from "../src/platform/process.ts";
import type { ProcessIdentity } from "../src/platform/process-identity.ts";
import { removePath } from "../src/platform/removal.ts";
import type { Door } from "../src/report/option-words.ts";
import type { BatchLog } from "../src/store/batch-log.ts";
import { fakeClaude, homeVariables } from "./fixtures/run-fake-claude.ts";

/** A process of another boot of this machine: dead, and with a pid that no process has, so that nothing descends from it. */
export const gone: ProcessIdentity = { boot: "another", namespace: "", pid: 4_194_305, startTicks: "1" };

// Where the store need not wait for a disk: none of it has to outlive the test.
const memory = process.platform === "linux" && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

interface NewBatch {
  tasks?: number | Batch["tasks"];
  batch?: Partial<Batch>;
  /** Who runs it: this process, or nobody any more. */
  isRun?: boolean;
}

/** Until disposed of, `process.env` is this home's. */
export class Inside implements Disposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "pccm-inside-")));
  readonly work = join(this.path, "work");
  readonly state = realpathSync(mkdtempSync(join(memory, "pccm-state-")));
  readonly output = join(this.path, "output");
  /** A `claude` that only prints its version. */
  readonly claude = join(this.path, "bin", process.platform === "win32" ? "claude.exe" : "claude");
  readonly #before = { ...process.env };
  readonly #contexts: Context[] = [];

  constructor(more: Record<string, string> = {}) {
    mkdirSync(this.work);
    mkdirSync(join(this.path, "bin"));
    if (process.platform === "win32") linkSync(fakeClaude, this.claude);
    else this.script("bin/claude", 'echo "2.1.332 (Claude Code)"');
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, {
      ...systemVariables(this.#before),
      ...homeVariables(this.path),
      PATH: [join(this.path, "bin"), this.#before["PATH"] ?? ""].join(delimiter),
      CLAUDE_CONFIG_DIR: join(this.path, "claude"),
      CODEX_HOME: join(this.path, "codex"),
      XDG_CONFIG_HOME: join(this.path, "config"),
      ...(process.platform === "win32" ? { APPDATA: join(this.path, "config") } : {}),
      PARALLEL_CLAUDE_STATE_DIRECTORY: this.state,
      PARALLEL_CLAUDE_OUTPUT_DIRECTORY: this.output,
      PARALLEL_CLAUDE_ALLOWED_ROOTS: this.path,
      ...more,
    });
  }

  [Symbol.dispose](): void {
    for (const context of this.#contexts) context[Symbol.dispose]();
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, this.#before);
    for (const path of [this.path, this.state]) removeFolder(path);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** A text with the home as HOME and the state directory as STATE, and all paths as other systems write them. */
  named(text: string): string {
    return withSlashes(text.replaceAll(this.path, "HOME").replaceAll(this.state, "STATE"));
  }

  /** Writes a file of this home, with the folders above it. */
  write(name: string, content: string): string {
    const path = this.file(name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  remove(path: string): void {
    rmSync(path, { recursive: true });
  }

  /** Writes a shell script. */
  script(name: string, ...lines: string[]): string {
    const path = this.write(name, ["#!/bin/sh", ...lines, ""].join("\n"));
    chmodSync(path, 0o755);
    return path;
  }

  context(door: Door = "tools"): Context {
    const context = Object.assign(newContext(door), { workingDirectory: this.work });
    this.#contexts.push(context);
    return context;
  }

  /** A batch that stands in the log as if it had run until now. */
  batch(context: Context, { tasks = 1, batch = {}, isRun = true }: NewBatch = {}): TestBatch {
    const { store } = context;
    const prompts =
      typeof tasks === "number"
        ? Array.from({ length: tasks }, (_, index) => ({ prompt: `task ${index + 1}` }))
        : tasks;
    const whole: Batch = {
      batchId: newBatchId(),
      startedBy: "spawn_parallel_claude_sessions",
      asyncMode: true,
      tasks: prompts,
      sessionOptions: {},
      concurrency: 2,
      failureMode: "continue",
      outputDirectory: this.output,
      claudePath: this.claude,
      workingDirectory: this.work,
      ...batch,
    };
    // Long ago, so that nothing takes it for one that is only just being started.
    const at = isRun ? Date.now() : Date.now() - 3_600_000;
    const account = accountOf(process.env, store.salt());
    const log = store.create({ type: "batch-created", batch: whole, account }, at);
    const epoch = isRun ? log.takeOver(ownIdentity()) : undefined;
    return new TestBatch(this, log, epoch ?? 0);
  }

  /** A call that gives up waiting at once, unless it is told more. */
  call(more: Partial<Call> = {}): Call {
    return {
      signal: new AbortController().signal,
      startedAt: performance.now(),
      limits: { waitSeconds: 0, answerCharacters: 100_000 },
      progress: () => undefined,
      ...more,
    };
  }
}

function removeFolder(path: string): void {
  try {
    // Not Bun's own call: where a removed file is still open, that one tries for ever.
    removePath(path);
  } catch (error) {
    // Windows keeps the file of a program that runs, by whatever name it was started, and files that are open.
    if (process.platform !== "win32") throw error;
  }
}

function withSlashes(text: string): string {
  if (process.platform !== "win32") return text;
  // Up to what ends a path in a sentence.
  return text.replace(/(?:[A-Za-z]:|HOME|STATE)\\[^\s"'`),;:]*/g, (path) =>
    path.replace(/^[A-Za-z]:/, "").replaceAll("\\", "/"),
  );
}

// Without these, programs of Windows do not start, and nothing has a temporary directory.
function systemVariables(all: Record<string, string | undefined>): Record<string, string> {
  const names = ["SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP", "windir"];
  const given = process.platform === "win32" ? names : [];
  return Object.fromEntries(given.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
}

export class TestBatch {
  readonly id: string;
  readonly log: BatchLog;
  readonly #inside: Inside;
  readonly #epoch: number;

  constructor(inside: Inside, log: BatchLog, epoch: number) {
    this.#inside = inside;
    this.log = log;
    this.id = log.batchId;
    this.#epoch = epoch;
  }

  /** The same batch through another log, such as that of another process. */
  over(log: BatchLog): TestBatch {
    return new TestBatch(this.#inside, log, this.#epoch);
  }

  append(...events: EventBody[]): this {
    this.log.append(() => events, this.#epoch === 0 ? undefined : this.#epoch);
    return this;
  }

  transcript(task: number): string {
    return this.#inside.file(`${this.id}-${task}.ndjson`);
  }

  start(task: number): this {
    return this.append({
      type: "attempt-started",
      task,
      attempt: 1,
      identity: gone,
      sessionId: `session-${task}`,
      transcript: this.transcript(task),
    });
  }

  /** A task that has answered. */
  answer(
    task: number,
    text: string,
    more: Partial<Extract<EventBody, { type: "attempt-ended" }>> = {},
  ): this {
    this.#inside.write(`${this.id}-${task}.ndjson`, `${JSON.stringify({ type: "result", result: text })}\n`);
    return this.end(task, { kind: "succeeded", length: text.length, offset: 0 }, more);
  }

  /** A task that ended otherwise. */
  end(
    task: number,
    outcome: Outcome,
    more: Partial<Extract<EventBody, { type: "attempt-ended" }>> = {},
  ): this {
    return this.start(task).append({ type: "attempt-ended", task, attempt: 1, outcome, ...more });
  }

  finish(): this {
    return this.append({ type: "batch-ended" });
  }
}

export const failed = { kind: "failed", reason: "max-turns", message: "" } satisfies Outcome;
export const crashed = { kind: "crashed", exitCode: 1, stderrTail: "" } satisfies Outcome;
