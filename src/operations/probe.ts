// Runs `claude` as far as possible without asking a model, so nothing is spent.
import { z } from "zod";
import { argumentsFor } from "../claude/arguments.ts";
import { sessionEnvironment } from "../claude/environment.ts";
import { startSession } from "../claude/session.ts";
import { Sweeper } from "../claude/sweep.ts";
import { terminate } from "../claude/terminate.ts";
import { sessionOptions } from "../model/options.ts";
import { settledWithin, Wake } from "../platform/clock.ts";
import { makePrivateDirectory, readTail, readText } from "../platform/files.ts";
import { join, temporaryDirectory } from "../platform/paths.ts";
import { signalGroup } from "../platform/process.ts";
import { removePath } from "../platform/removal.ts";
import { messageOf } from "../platform/system-error.ts";
import { watchFile } from "../platform/watch.ts";

const versionMs = 10_000;

/** Without a connection to the API, it waits twenty seconds before it answers, in milliseconds. */
const initializeMs = 40_000;
const leaveMs = 2_000;

export type Probed<Value> = { ok: true; value: Value } | { ok: false; message: string };

/** The output of `claude --version`, in a session's environment. */
export async function probeVersion(claudePath: string, workingDirectory: string): Promise<Probed<string>> {
  try {
    const child = Bun.spawn([claudePath, "--version"], {
      cwd: workingDirectory,
      env: sessionEnvironment(process.env),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
      windowsHide: true,
    });
    const output = Promise.all([child.stdout.text(), child.stderr.text()]);
    const isAnswered = await settledWithin(child.exited, versionMs);
    // Whatever it left behind may hold the pipes open.
    signalGroup(child.pid, "SIGKILL");
    if (!isAnswered) return { ok: false, message: `did not answer within ${versionMs / 1000} s` };
    const [out, err] = await output;
    const code = await child.exited;
    if (code !== 0) return { ok: false, message: `ended with ${child.signalCode ?? code}: ${lastLine(err)}` };
    return { ok: true, value: out.trim() };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

const accountSchema = z.object({
  tokenSource: z.string().optional().catch(undefined),
  apiKeySource: z.string().optional().catch(undefined),
  apiProvider: z.string().optional().catch(undefined),
  subscriptionType: z.string().optional().catch(undefined),
  email: z.string().optional().catch(undefined),
});
export type ClaudeAccount = z.infer<typeof accountSchema>;

const responseSchema = z.object({
  type: z.literal("control_response"),
  response: z.object({
    response: z
      .object({ account: accountSchema.catch({}) })
      .optional()
      .catch(undefined),
  }),
});

/**
 * Starts a session like any other, and asks it to introduce itself instead of sending a prompt. Returns the account that
 * it reports.
 */
export async function probeSession(
  claudePath: string,
  workingDirectory: string,
): Promise<Probed<ClaudeAccount>> {
  const sessionId = crypto.randomUUID();
  const folder = join(temporaryDirectory(), `parallel-claude-doctor-${sessionId}`);
  makePrivateDirectory(folder);
  const transcript = join(folder, "transcript.ndjson");
  const stderr = join(folder, "stderr.txt");
  const marker = `doctor/${sessionId}`;
  try {
    const start = await startSession({
      command: [claudePath, ...argumentsFor(sessionOptions.parse({}), sessionId)],
      workingDirectory,
      environment: sessionEnvironment(process.env),
      marker,
      transcript,
      stderr,
    });
    if (!start.started) return { ok: false, message: start.message };
    const { session } = start;
    using _reader = start.reader;
    session.write(
      `${JSON.stringify({ type: "control_request", request_id: "doctor", request: { subtype: "initialize" } })}\n`,
    );
    const { account, gone } = await introduction(transcript, session.exited);
    session.closeInput();
    if (!(await settledWithin(session.exited, leaveMs))) await terminate(session, Promise.resolve());
    const exit = await session.exited;
    await new Sweeper().sweep(session);
    if (account) return { ok: true, value: account };
    const how = gone && exit.code !== undefined ? `ended with ${exit.code}` : "did not introduce itself";
    return { ok: false, message: `${how}: ${lastLine(readTail(stderr, 2_000))}` };
  } finally {
    removePath(folder);
  }
}

// `gone`: whether the session ended first.
async function introduction(
  transcript: string,
  exited: Promise<unknown>,
): Promise<{ account: ClaudeAccount | undefined; gone: boolean }> {
  const wake = new Wake();
  using _growth = watchFile(transcript, wake.now);
  let gone = false;
  void exited.then(() => {
    gone = true;
    wake.now();
  });
  const deadline = performance.now() + initializeMs;
  for (;;) {
    // Checked before reading, so that its last output is in the file.
    const last = gone || performance.now() > deadline;
    const account = accountIn(readText(transcript));
    if (account || last) return { account, gone };
    await wake.within(deadline - performance.now());
  }
}

function accountIn(text: string): ClaudeAccount | undefined {
  for (const line of text.split("\n").slice(0, -1)) {
    const parsed = responseSchema.safeParse(jsonOf(line));
    if (parsed.success) return parsed.data.response.response?.account ?? {};
  }
  return undefined;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line that is no message is ignored.
    return undefined;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) || "nothing on its stderr";
}
