// `logs`: the session of a task, read like a conversation.
import { z } from "zod";
import { TranscriptLines } from "../../../claude/transcript-lines.ts";
import type { Attempt, BatchState, TaskState } from "../../../model/state.ts";
import { directoryOf } from "../../../model/task-options.ts";
import { batchIdInput } from "../../../operations/batch-input.ts";
import { UserError } from "../../../operations/context.ts";
import { resolveBatch, rowOf, unknownTasks } from "../../../operations/find-batch.ts";
import { follow } from "../../../operations/follow.ts";
import { exists } from "../../../platform/files.ts";
import { countText } from "../../../report/amounts.ts";
import { harmless } from "../../../report/harmless.ts";
import { outcomeWords } from "../../../report/outcome-words.ts";
import type { BatchLog } from "../../../store/batch-log.ts";
import { stateWordOf } from "../../../store/batch-status.ts";
import { type Asked, batchPositional, type Command, checkUsage } from "../input/command.ts";
import { marked } from "../view/conversation-text.ts";
import { rawShower, type Shower, stderrOf, textShower } from "../view/shower.ts";

const input = z.strictObject({
  batchId: batchIdInput,
  task: z.int().min(1),
  attempt: z
    .int()
    .min(1)
    .meta({ description: "Attempt to show; 1 is the first (default: the last).", placeholder: "K" })
    .optional(),
});

const own = z.object({
  follow: z
    .boolean()
    .meta({ description: "Keep printing, across attempts, until the task ends.", short: "f" })
    .optional(),
  json: z.boolean().meta({ description: "Print the lines of the transcript unchanged." }).optional(),
});

export const logs: Command = {
  name: "logs",
  otherNames: ["log", "tail", "transcript"],
  summary: "Show the session of a task as a conversation",
  description:
    "Shows what a task's session has said and done so far: the prompt, Claude's words, its tool calls and their results, errors, how it ended and what it cost. Then shows its stderr.",
  examples: [
    ["logs latest 3", "Show what the session has said and done"],
    ["logs latest 3 -f", "Keep printing until the task ends"],
    ["logs b4k2 3 --attempt 1 --json", "Print an earlier attempt as Claude Code wrote it"],
  ],
  input,
  withoutFlags: ["batchId", "task"],
  own,
  positionals: [
    batchPositional,
    {
      property: "task",
      placeholder: "N",
      description: "Number of the task.",
      required: true,
      many: false,
      numeric: true,
    },
  ],
  run: async (asked) => {
    const { batchId, task: number, attempt: wanted } = checkUsage(input, asked.input);
    const { follow: follows = false, json = false } = own.parse(asked.own);
    const log = await resolveBatch(asked.context, batchId);
    const task = taskIn(log.state, number);
    const attempts = wanted === undefined ? task.attempts.slice(-1) : [attemptIn(task, wanted)];
    const showing = { asked, log, number, json };
    if (!follows) return showAll(showing, attempts);
    return followAll(showing, wanted ?? attempts[0]?.number ?? 1, wanted !== undefined);
  },
};

interface Showing {
  asked: Asked;
  log: BatchLog;
  number: number;
  json: boolean;
}

function taskIn(state: BatchState, number: number): TaskState {
  const task = state.tasks[number - 1];
  if (task) return task;
  throw new UserError(unknownTasks(state, [number]) ?? `There is no task ${number}.`);
}

function attemptIn({ attempts, number }: TaskState, wanted: number): Attempt {
  const attempt = attempts.find((one) => one.number === wanted);
  if (attempt) return attempt;
  const numbers = attempts.map((one) => one.number);
  throw new UserError(
    `Task ${number} has no attempt ${wanted}; ${numbers.length === 0 ? "it has not started" : `it has had ${countText(numbers.length, "attempt")}`}.`,
  );
}

async function showAll(showing: Showing, attempts: readonly Attempt[]): Promise<number> {
  const [attempt] = attempts;
  if (!attempt) return noSession(showing);
  const shower = openAttempt(showing, attempt);
  if (!shower) return 1;
  using _ = shower;
  await shower.show();
  await shower.finish();
  await closing(showing, attempt);
  return 0;
}

async function noSession({ asked, log, number }: Showing): Promise<number> {
  const word = wordOf(taskIn(log.state, number));
  await asked.terminal.err.tell(`Task ${number} has no session: it is ${word}.`);
  return 0;
}

// From the first wanted attempt on: follows each until it has ended, then the next when it begins.
async function followAll(showing: Showing, first: number, single: boolean): Promise<number> {
  const { asked, log, number } = showing;
  const { status, attempts } = taskIn(log.state, number);
  if (status === "queued")
    await asked.terminal.err.tell(
      `Task ${number} waits for its ${attempts.length === 0 ? "start" : "next attempt"}. Its session is shown as soon as it runs.`,
    );
  for (let wanted = first; ; wanted++) {
    await until(showing, () => taskIn(log.state, number).attempts.some((one) => one.number >= wanted));
    const attempt = taskIn(log.state, number).attempts.find((one) => one.number >= wanted);
    if (!attempt) break;
    wanted = attempt.number;
    const shower = openAttempt(showing, attempt);
    if (!shower) return 1;
    using _ = shower;
    await until(
      showing,
      () =>
        taskIn(log.state, number).attempts.find((one) => one.number === attempt.number)?.endedAt !==
        undefined,
      () => shower.show(),
    );
    await shower.finish();
    await closing(showing, attempt);
    if (single) return 0;
  }
  const task = taskIn(log.state, number);
  if (task.status === "done") return task.attempts.length === 0 ? noSession(showing) : 0;
  await asked.terminal.err.tell(`Task ${number} is ${wordOf(task)}, and no process runs its batch any more.`);
  return 1;
}

/** How often to read a transcript, in milliseconds. */
const lookMs = 100;

// Until it holds, or nothing more can come; `meanwhile` is called each time.
async function until(
  { asked: { context }, log, number }: Showing,
  holds: () => boolean,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<void> {
  const { signal } = new AbortController();
  for (;;) {
    await meanwhile();
    let over = false;
    const enough = () => {
      over =
        holds() ||
        taskIn(log.state, number).status === "done" ||
        stateWordOf(rowOf(context, log)) === "interrupted";
      return over;
    };
    const ended = await follow(context.store, log, { until: performance.now() + lookMs, signal, enough });
    if (ended || over) return;
  }
}

function openAttempt(
  { asked: { terminal }, log, number, json }: Showing,
  attempt: Attempt,
): Shower | undefined {
  const { batch } = log.state;
  if (!exists(attempt.transcript)) {
    void terminal.err.tell(`The transcript ${attempt.transcript} no longer exists.`);
    return undefined;
  }
  const lines = new TranscriptLines(attempt.transcript);
  const { out } = terminal;
  if (json) return rawShower(lines, out);
  const again = attempt.resumes ? ", continues the conversation of the previous attempt" : "";
  void out.print(
    out.paint("bold", `Task ${number} of batch ${batch.batchId}, attempt ${attempt.number}${again}`),
  );
  void out.print(
    out.paint("faint", `Session ${harmless(attempt.sessionId)}\nTranscript ${attempt.transcript}`),
  );
  if (!attempt.resumes) void out.print(`\n${marked(">", harmless(batch.tasks[number - 1]?.prompt ?? ""))}`);
  return textShower(lines, out, directoryOf(batch, number, attempt));
}

async function closing({ asked: { terminal }, log, number, json }: Showing, attempt: Attempt): Promise<void> {
  if (json) return;
  const { out } = terminal;
  const stderr = stderrOf(attempt.transcript);
  if (stderr !== "") await out.print(`\n${out.paint("bold", "Stderr")}\n${stderr}`);
  await out.print(`\nTask ${number}: ${wordOf(taskIn(log.state, number))}.`);
}

function wordOf(task: TaskState): string {
  return task.status === "done" ? outcomeWords(task) : task.status;
}
