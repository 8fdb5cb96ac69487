// Batches and pages to render.
import { batchIdSchema } from "../../src/model/batch-id.ts";
import type { ConversationPart } from "../../src/model/conversation.ts";
import type { Event, EventBody } from "../../src/model/event.ts";
import type { Outcome, Usage } from "../../src/model/outcome.ts";
import type { BatchState } from "../../src/model/state.ts";
import type { ErrorPage } from "../../src/report/error-text.ts";
import { type PageView, livePage as pageInPieces } from "../../src/report/page.ts";
import type { OtherBatch } from "../../src/report/page-ends.ts";
import type { ResultPage } from "../../src/report/result-page.ts";
import type { SessionPage } from "../../src/report/session/session-page.ts";
import { ShownSession } from "../../src/report/session/shown-session.ts";
import { after } from "../model/events.ts";

export const began = Date.UTC(2025, 10, 22, 17, 0, 0);
export const identity = { boot: "b", namespace: "n", pid: 7, startTicks: "1" };
export const succeeded = { kind: "succeeded", length: 5, offset: 0 } satisfies Outcome;

/** One outcome of every kind, failure reason, clock and canceller's most telling one. */
export const failures = [
  { kind: "failed", reason: "auth", message: "Invalid API key · Please run /login" },
  { kind: "failed", reason: "usage-limit", message: "Claude usage limit reached, resets 3pm" },
  { kind: "failed", reason: "max-turns", message: "Reached maximum number of turns (3)" },
  { kind: "crashed", exitCode: 1, stderrTail: "one\n\u001b[31mError: no such file\u001b[0m\n" },
  { kind: "crashed", signal: "SIGKILL", stderrTail: "" },
  { kind: "timed-out", clock: "idle", afterMs: 600_000 },
  { kind: "cancelled", by: "client" },
  { kind: "not-started", message: "The working directory is gone: /home/me/old" },
] satisfies Outcome[];

export function usage(more: Partial<Usage> = {}): Usage {
  return { costUsd: 0.0123, numTurns: 3, durationMs: 4200, ...more };
}

/** The state of a batch with these prompts, after these events, a second apart. */
export function batchState(prompts: string[], events: EventBody[], name?: string): BatchState {
  const created: EventBody = {
    type: "batch-created",
    account: { hash: "h", environment: {} },
    batch: {
      batchId: batchIdSchema.parse("bcdfghjk"),
      ...(name === undefined ? {} : { name }),
      startedBy: "spawn_parallel_claude_sessions",
      asyncMode: true,
      tasks: prompts.map((prompt) => ({ prompt })),
      sessionOptions: {},
      concurrency: 8,
      failureMode: "continue",
      outputDirectory: "/home/me/Desktop/claude-code-results",
      claudePath: "/usr/bin/claude",
      workingDirectory: "/home/me/project",
    },
  };
  const log = [created, ...events].map(
    (body, index): Event => ({ ...body, at: began + index * 1000, epoch: 1 }),
  );
  return after(...log);
}

export function started(task: number, attempt = 1): EventBody {
  return {
    type: "attempt-started",
    task,
    attempt,
    identity,
    sessionId: `s-${task}`,
    transcript: `/t/${task}`,
  };
}

export function ended(task: number, outcome: Outcome, spent: Usage = usage(), attempt = 1): EventBody {
  return { type: "attempt-ended", task, attempt, outcome, usage: spent };
}

export function pageView(state: BatchState, more: Partial<PageView> = {}): PageView {
  return {
    state,
    now: state.changedAt + 1000,
    stateWord: "running",
    hrefOf: () => undefined,
    activityOf: () => undefined,
    others: [],
    feedHref: "report-bcdfghjk.js",
    dataHref: "results-bcdfghjk.csv",
    texts: { href: "report-bcdfghjk-texts.js", writings: 1 },
    ...more,
  };
}

/** Another batch of the same directory, which has succeeded. */
export function otherBatch(more: Partial<OtherBatch> = {}): OtherBatch {
  return {
    batchId: "zzzzzzzz",
    name: "Older",
    href: "report-zzzzzzzz.html",
    createdAt: began,
    changedAt: began + 190_000,
    end: { kind: "succeeded" },
    counts: { queued: 0, running: 0, succeeded: 2, failed: 0, cancelled: 0 },
    costUsd: 0.05,
    costAtLeast: false,
    ...more,
  };
}

const facts = {
  batchId: "bcdfghjk",
  taskNumber: 3,
  totalTasks: 40,
  prompt: "Review src/model/state.ts for mistakes",
  label: "Review src/model/state.ts for mistakes",
  workingDirectory: "/home/me/my project",
  sessionId: "0b5e2c1a-7a1c-4f0e-9d53-2f7f7f6f1c11",
  advice: { batchId: "bcdfghjk", denials: [], tasks: [3] },
  model: "claude-opus-4-5",
  startedAt: began,
  endedAt: began + 74_000,
};

export function resultOf(more: Partial<ResultPage> = {}): ResultPage {
  const shown = "It is **fine**.";
  return {
    ...facts,
    outcome: succeeded,
    text: { shown, totalLength: shown.length, transcript: "/state/batches/bcdfghjk/3-1.jsonl" },
    others: [],
    remarks: [],
    usage: usage(),
    reportHref: "report-bcdfghjk.html",
    feedHref: "report-bcdfghjk.js",
    ...more,
    advice: { ...facts.advice, denials: more.usage?.denials ?? [] },
  };
}

export function errorOf(outcome: ErrorPage["outcome"], more: Partial<ErrorPage> = {}): ErrorPage {
  return { ...facts, outcome, usage: usage({ atLeast: true }), transcript: "/state/3-1.jsonl", ...more };
}

/** The page of a session in which each of these texts stands wherever one can. */
export function sessionOf(texts: readonly string[], more: Partial<SessionPage> = {}): SessionPage {
  const budget = { used: 0, most: 1_000_000 };
  const shown = new ShownSession({ prefix: "s1-", directory: "/home/me", room: 1_000_000, budget });
  const mine = { nested: false };
  for (const [index, text] of texts.entries()) {
    const call = (tool: string, input: unknown): ConversationPart => ({
      kind: "called",
      tool,
      input: JSON.stringify(input),
      id: `${index}-${tool}`,
      ...mine,
    });
    const parts: ConversationPart[] = [
      { kind: "started", model: text },
      { kind: "prompted", text, ...mine },
      { kind: "thought", text, ...mine },
      { kind: "said", text, failed: false, ...mine },
      { kind: "said", text, failed: true, ...mine },
      call(text, { [text]: text, other: [text] }),
      { kind: "returned", of: `${index}-${text}`, text, failed: true, ...mine },
      call("Bash", { command: `${text}\n${text}` }),
      { kind: "returned", of: `${index}-Bash`, text, failed: false, ...mine },
      call("Edit", { file_path: text, old_string: text, new_string: `${text}!` }),
      call("TodoWrite", { todos: [{ content: text }] }),
      call("Agent", { description: text }),
      { kind: "said", text, failed: false, nested: true, parent: `${index}-Agent` },
      { kind: "waits", why: text },
      { kind: "unread", text, bytes: 1 },
      { kind: "ended", failed: true, subtype: text, text, numTurns: 1, durationMs: 1 },
    ];
    for (const part of parts) shown.add(part, index);
  }
  const text = texts.join(" ");
  const status = { className: "bad", word: text } as const;
  const talk = { sessionId: text, transcript: text, model: text, steps: shown.steps, isOver: true };
  const attempt = { number: 1, resumes: true, startedAt: began, prompt: text, remark: text, machine: text };
  return {
    ...facts,
    status,
    outcome: text,
    isRunning: false,
    attempts: [
      {
        ...attempt,
        status,
        talk,
        stderr: text,
        checks: [{ number: 1, name: text, talk: { ...talk, steps: undefined } }],
      },
    ],
    attemptsLeft: 1,
    links: {},
    feedHref: "",
    now: began,
    ...more,
    batchName: text,
    prompt: text,
  };
}

/** Renders a page and its companion, each as one text. */
export function livePage() {
  const page = pageInPieces();
  return {
    html: (view: PageView) => page.html(view).toString(),
    update: (view: PageView) => [...page.update(view)].join(""),
  };
}
