// The same tasks by our program and by what people use instead, with a `claude` that takes as long as one does: how long
// all of them take, and how long one waits for its answer on average.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { variableOf } from "../../src/model/configuration.ts";
import type { SessionOptions } from "../../src/model/options.ts";
import type { Workshop } from "./workshop.ts";

/** What a `claude` costs and how long its model takes, as `session.c` reads it. */
export interface Pretence {
  startCpuMs: number;
  holdMb: number;
  /** Until its answer begins. */
  firstTokenMs: number;
  /** From there to its end. */
  answerMs?: number;
}

/** From the start of the command, in milliseconds. */
export interface Run {
  totalMs: number;
  /** Until a task has its answer, over all tasks. */
  meanMs: number;
}

interface Work extends Pretence {
  tasks: number;
}

/** How our program runs the tasks. */
export interface How {
  /** How many at once, from the beginning; by default, as many as a new account turns out to sustain. */
  atOnce?: number;
  /** Whether one process may run several tasks. */
  reuseSessions?: SessionOptions["reuseSessions"];
}

/** Our `run`, with its default configuration but for this. */
export async function ourRun(workshop: Workshop, work: Work, how: How = {}): Promise<Run> {
  const { atOnce, reuseSessions = "never" } = how;
  const [program, claude] = [await workshop.program(), await workshop.session()];
  const directory = workshop.newDirectory();
  const list = listIn(directory, work);
  const command = [program, "run", "-f", list, "--reuse-sessions", reuseSessions];
  return await timed(directory, work, command, {
    ...workshop.environmentIn(directory),
    [variableOf("claudePath")]: claude,
    ...(atOnce === undefined ? {} : { [variableOf("concurrency")]: String(atOnce) }),
  });
}

/** `xargs -P`, with a `sh` around each task if `shell`. */
export async function xargsRun(
  workshop: Workshop,
  work: Work,
  { atOnce, shell = false }: { atOnce: number; shell?: boolean },
): Promise<Run> {
  const directory = workshop.newDirectory();
  const claude = await workshop.session();
  const one = shell ? ["sh", "-c", `exec ${claude} -p "$1" > out-$$`, "sh"] : [claude, "-p"];
  const command = ["xargs", "-a", listIn(directory, work), "-d", "\n", "-n", "1", "-P", String(atOnce)];
  return await timed(directory, work, [...command, ...one], workshop.environmentIn(directory));
}

/** GNU `parallel`, which keeps the output of each task apart. */
export async function parallelRun(workshop: Workshop, work: Work, atOnce: number): Promise<Run> {
  const directory = workshop.newDirectory();
  const options = ["--will-cite", "-a", listIn(directory, work), "-j", String(atOnce)];
  const command = ["parallel", ...options, await workshop.session(), "-p", "{}"];
  return await timed(directory, work, command, workshop.environmentIn(directory));
}

function listIn(directory: string, { tasks }: Work): string {
  const path = join(directory, "tasks.txt");
  writeFileSync(path, Array.from({ length: tasks }, (_, index) => `What is 2 + ${index}?\n`).join(""));
  return path;
}

async function timed(
  directory: string,
  { tasks, startCpuMs, holdMb, firstTokenMs, answerMs = 0 }: Work,
  command: string[],
  environment: Record<string, string>,
): Promise<Run> {
  const ends = join(directory, "ends");
  const pretence = {
    ENDS: ends,
    START_CPU_MS: String(startCpuMs),
    HOLD_MB: String(holdMb),
    FIRST_TOKEN_MS: String(firstTokenMs),
    ANSWER_MS: String(answerMs),
  };
  const beganAt = Date.now();
  const began = performance.now();
  const running = Bun.spawn(command, {
    cwd: directory,
    env: { ...environment, ...pretence },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [code, said] = await Promise.all([running.exited, running.stderr.text()]);
  const totalMs = performance.now() - began;
  const answers = existsSync(ends) ? readFileSync(ends, "utf8").trim().split("\n").map(Number) : [];
  if (code !== 0 || answers.length !== tasks)
    throw new Error(`${command[0]} ended with ${code} and ${answers.length} answers: ${said.slice(-1000)}`);
  return { totalMs, meanMs: answers.reduce((sum, at) => sum + at - beganAt, 0) / tasks };
}
