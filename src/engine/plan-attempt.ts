// What the next attempt at a task will be: anew, or going on where the one before was cut off.
import { argumentsFor, resumePrompt } from "../claude/arguments.ts";
import type { SessionPlan } from "../claude/session.ts";
import type { SessionOptions } from "../model/options.ts";
import { type BatchState, taskOf } from "../model/state.ts";
import { exists, kindAt } from "../platform/files.ts";
import { type Layout, stderrBeside } from "../store/layout.ts";
import { optionsOf, workingDirectoryOf } from "./task-options.ts";

export interface AttemptPlan {
  /** 1-based. */
  attempt: number;
  sessionId: string;
  /** Whether it goes on with the conversation of the attempt before. */
  resumes: boolean;
  prompt: string;
  options: SessionOptions;
  session: SessionPlan;
}

/** The next attempt at a task. */
export function planAttempt(
  state: BatchState,
  number: number,
  { layout, environment }: { layout: Layout; environment: Record<string, string> },
): AttemptPlan {
  const { batch } = state;
  const { attempts } = taskOf(state, number);
  const attempt = attempts.length + 1;
  const cutOff = attempts.at(-1);
  const resumes = cutOff?.resumable === true;
  const asked = optionsOf(batch, number);
  const options = resumes ? { ...asked, resumeSessionId: cutOff.sessionId, forkSession: false } : asked;
  const sessionId =
    options.resumeSessionId === undefined || options.forkSession
      ? crypto.randomUUID()
      : options.resumeSessionId;
  const prompt = batch.tasks[number - 1]?.prompt ?? "";
  const transcript = freeName(layout.transcript(batch.batchId, number, attempt, batch.tasks.length));
  return {
    attempt,
    sessionId,
    resumes,
    prompt: resumes ? resumePrompt(prompt) : prompt,
    options,
    session: {
      command: [batch.claudePath, ...argumentsFor(options, sessionId)],
      workingDirectory: workingDirectoryOf(batch, options),
      environment,
      marker: markerOf(batch.batchId, number, attempt, sessionId),
      transcript,
      stderr: stderrBeside(transcript),
    },
  };
}

// A runner that died between a start and its commit has left a transcript that no log knows.
function freeName(path: string): string {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? path : path.replace(/\.ndjson$/, `-${count}.ndjson`);
    if (!exists(candidate)) return candidate;
  }
}

/** Which attempt a process belongs to. What comes of the session's id tells it from those of another store. */
export function markerOf(batchId: string, task: number, attempt: number, sessionId: string): string {
  const suffix = new Bun.CryptoHasher("sha256").update(sessionId).digest("hex").slice(0, 16);
  return `${batchId}/${task}/${attempt}/${suffix}`;
}

/** Why a session did not start, in words that help: a missing directory is reported as a missing command. */
export function startFailureText(message: string, { command, workingDirectory }: SessionPlan): string {
  const [claudePath = ""] = command;
  if (kindAt(workingDirectory) !== "directory") {
    return `The working directory ${workingDirectory} is not there any more.`;
  }
  if (kindAt(claudePath) !== "file") {
    return `${claudePath} is not there any more. Look with \`parallel-claude-code-mcp doctor\`.`;
  }
  return message;
}
