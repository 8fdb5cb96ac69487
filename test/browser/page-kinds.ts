// A page of every kind, with what a real one has: for the tests that look at all kinds, and for `bun scripts/pages.ts`, which takes
// their pictures.

import { refusal } from "../../src/doors/ui/replies.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import type { ConversationPart } from "../../src/model/conversation.ts";
import type { Event, EventBody } from "../../src/model/event.ts";
import type { Outcome, Usage } from "../../src/model/outcome.ts";
import { product } from "../../src/model/product.ts";
import type { BatchState } from "../../src/model/state.ts";
import { batchesPage, batchRowHtml, type ListedBatch, totalsHtml } from "../../src/report/batches-page.ts";
import { comparisonPage, type TaskComparison } from "../../src/report/comparison-page.ts";
import { sideRows } from "../../src/report/diff/side-by-side.ts";
import { errorPage } from "../../src/report/error-page.ts";
import type { ErrorPage } from "../../src/report/error-text.ts";
import { highlighted } from "../../src/report/highlight.ts";
import type { PageView } from "../../src/report/page.ts";
import { resultPage } from "../../src/report/result-page.ts";
import { type SessionPage, sessionPage } from "../../src/report/session/session-page.ts";
import { ShownSession } from "../../src/report/session/shown-session.ts";
import { spendingPage } from "../../src/report/spending-page.ts";
import { dialogId } from "../../src/report/wire/acts.ts";
import { after } from "../model/events.ts";
import { began, identity, livePage, otherBatch, pageView, resultOf, usage } from "../report/samples.ts";

/** A page, and what is done in it before anybody looks. */
export interface PageKind {
  html: string;
  /** The fragment of its address. */
  hash?: string;
  /** Statements that run in the page. */
  prepare?: string;
}

/** What an answer can have, with parts that are too wide for a screen. */
const answer = `# Review of the payment module

The module is **sound in its main path**, with two findings. See \`charge()\` in [payment.ts](https://example.com/shop/payment.ts), <https://example.org/bare> and a note[^1].

| Line | What | How bad | ${"A wide column | ".repeat(6)}
| ---: | --- | --- | ${"- | ".repeat(6)}
| 43 | The promise is not awaited, so an error is lost | high | ${"a_long_word_without_blanks | ".repeat(6)}
| 118 | No test for an empty cart | low | ${"- | ".repeat(6)}

## What to do

1. Await the call.
2. Add a test:
   - [ ] for an empty cart
   - [x] for a refund
     1. whole
     2. in part

> A refund that arrives twice is booked twice.

\`\`\`ts
// The key makes a second call harmless.
export async function charge(cart: Cart, key: string): Promise<Receipt> {
  if (cart.items.length === 0) throw new Error("An empty cart costs nothing.");
  return await gateway.post(\`/charges/\${key}\`, { amount: cart.total, currency: "EUR" }); // ${"a long line ".repeat(12)}
}
\`\`\`

\`\`\`diff
-  gateway.post(url, body);
+  await gateway.post(url, body);
\`\`\`

<details>
<summary>All of \`bun test\`</summary>

12 tests passed.

</details>

\`\`\`mermaid
graph TD
  cart --> charge
\`\`\`

The sum is $\\sum_i p_i q_i$.

[^1]: As of the last commit.`;

const files = [
  ...["src/auth/login.ts", "src/auth/session-token.ts", "src/cart/cart.ts", "src/cart/discounts.ts"],
  ...["src/catalogue/search.ts", "src/catalogue/import-products.ts", "src/checkout/payment.ts"],
  ...["src/checkout/refunds.ts", "src/checkout/tax.ts", "src/db/migrations.ts", "src/db/pool.ts"],
  ...["src/http/rate-limit.ts", "src/http/router.ts", "src/mail/templates.ts", "src/orders/invoices.ts"],
  ...["src/queue/retry.ts", "src/queue/worker.ts", "src/reports/monthly.ts", "src/shipping/carriers.ts"],
  ...["src/shipping/labels.ts", "src/stock/reservations.ts", "src/uploads/images.ts", "src/users/export.ts"],
  "packages/internationalization/src/formatters/relative-time-with-an-exceptionally-long-name.test.ts",
];

const succeeded = { kind: "succeeded", length: 2_000, offset: 0 } satisfies Outcome;
const denials = [{ tool: "Bash", rule: "Bash(npm test:*)" }];
const models = {
  "claude-opus-5-5": { input: 1_200, output: 4_321, cacheRead: 81_000, cacheWritten: 9_300, costUsd: 0.31 },
};

/** How a task ends, by its number; some do as none wants. */
function endOf(task: number): { outcome: Outcome; more?: Partial<Usage> } {
  if (task % 29 === 6)
    return { outcome: { kind: "failed", reason: "max-turns", message: "Reached 40 turns" } };
  if (task % 31 === 9)
    return { outcome: { kind: "crashed", exitCode: 1, stderrTail: "Error: ENOENT: no such file" } };
  if (task % 37 === 12) return { outcome: { kind: "timed-out", clock: "idle", afterMs: 1_200_000 } };
  if (task % 23 === 11) return { outcome: succeeded, more: { denials } };
  return { outcome: succeeded };
}

interface Course {
  files: readonly string[];
  /** Sessions at once. */
  slots: number;
  /** Until when, in seconds; what has not ended by then runs. */
  untilSeconds?: number;
  /** Whether all tasks succeed. */
  isGood?: boolean;
  /** What happens at the end. */
  last?: readonly EventBody[];
  name?: string;
  budgetUsd?: number;
}

function reviewOf(path: string): string {
  return `Review ${path} for bugs, and say what you would do first`;
}

/** A batch as it comes about: each slot takes the next task when it is free. */
function course({
  files,
  slots,
  untilSeconds = 1e9,
  isGood,
  last = [],
  name,
  budgetUsd,
}: Course): BatchState {
  const created: EventBody = {
    type: "batch-created",
    account: { hash: "h", environment: {} },
    batch: {
      batchId: batchIdSchema.parse("bcdfghjk"),
      ...(name === undefined ? {} : { name }),
      ...(budgetUsd === undefined ? {} : { budgetUsd }),
      startedBy: "run",
      asyncMode: true,
      tasks: files.map((path) => ({ prompt: reviewOf(path), key: path, values: { path } })),
      template: reviewOf("{{path}}"),
      sessionOptions: { model: "opus", tools: "Read,Grep,Glob,Bash", timeoutSeconds: 1_800 },
      concurrency: slots,
      failureMode: "continue",
      outputDirectory: "/home/me/Desktop/claude-code-results",
      claudePath: "/usr/bin/claude",
      workingDirectory: "/home/me/shop",
    },
  };
  const free = Array.from({ length: slots }, (_, slot) => slot * 1.5);
  const log: { at: number; body: EventBody }[] = [];
  for (const [index] of files.entries()) {
    const task = index + 1;
    const slot = free.indexOf(Math.min(...free));
    const from = free[slot] ?? 0;
    const to = from + 20 + ((task * 7_919) % 83) + (task % 17 === 3 ? 180 : 0);
    free[slot] = to + 0.4;
    const about = { task, attempt: 1 };
    log.push({
      at: from,
      body: {
        type: "attempt-started",
        ...about,
        identity,
        sessionId: `0b5e2c1a-${task}`,
        transcript: `/state/${task}.ndjson`,
      },
    });
    const { outcome, more = {} } = isGood ? { outcome: succeeded } : endOf(task);
    const spent = usage({
      costUsd: 0.17 + ((task * 37) % 230) / 1_000,
      numTurns: 3 + (task % 9),
      durationMs: (to - from) * 1_000,
      models,
      ...more,
    });
    log.push({ at: to, body: { type: "attempt-ended", ...about, outcome, usage: spent } });
  }
  const until = Math.min(untilSeconds, Math.max(...log.map(({ at }) => at)));
  const seen = log.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
  const events = [{ at: 0, body: created }, ...seen, ...last.map((body) => ({ at: until + 0.5, body }))];
  return after(
    ...events.map(({ at, body }): Event => ({ ...body, at: Math.round(began + at * 1_000), epoch: 1 })),
  );
}

const name = "Review the shop's back end";

const linked: Partial<PageView> = {
  hrefOf: (task) => (task < 14 ? `result-${task}.html` : undefined),
  sessionOf: (task) => (task % 3 && task < 20 ? `session-${task}.html` : undefined),
  activityOf: (task) => ["Read src/db/pool.ts", "Bash bun test pool", "Grep charge\\(", undefined][task % 4],
  others: [
    otherBatch({ name: "Review the shop's back end", costUsd: 4.2 }),
    otherBatch({
      batchId: "yyyyyyyy",
      end: { kind: "failed" },
      counts: countsOf({ succeeded: 21, failed: 3 }),
    }),
  ],
};

function live(state: BatchState, more: Partial<PageView> = {}): string {
  return livePage().html(pageView(state, { ...linked, ...more }));
}

/** The pages of a batch, in all that it can be in. */
function batchPages(): Record<string, PageKind> {
  const running = course({ files, slots: 6, untilSeconds: 200, name, budgetUsd: 10 });
  const ended = course({
    files: files.slice(0, 8),
    slots: 4,
    isGood: true,
    name,
    last: [{ type: "batch-ended" }],
  });
  const failed = course({ files, slots: 6, name, last: [{ type: "batch-ended" }] });
  const failedPage = live(failed, {
    stateWord: "finished",
    summary: { task: 24, text: answer.slice(0, 900), cut: true },
  });
  const cancelled = course({
    files,
    slots: 6,
    untilSeconds: 120,
    name: "",
    last: [{ type: "cancel-requested", by: "client" }],
  });
  return {
    running: { html: live(running) },
    starting: { html: live(course({ files, slots: 6, untilSeconds: -1, name })) },
    held: {
      html: live(running, {
        held: { because: "Claude usage limit reached, resets 3pm", until: began + 3_600_000 },
      }),
    },
    ended: { html: live(ended, { stateWord: "finished" }) },
    failed: { html: failedPage },
    paused: {
      html: live(course({ files, slots: 3, untilSeconds: 150, name, last: [{ type: "batch-paused" }] }), {
        stateWord: "paused",
      }),
    },
    interrupted: { html: live(cancelled, { stateWord: "interrupted" }) },
    "nothing-found": { html: failedPage, hash: "q=zebra" },
    filtered: { html: failedPage, hash: "q=checkout&show=succeeded&sort=cost&down=1" },
  };
}

/** A batch of this many tasks, with 32 sessions that run. */
export function largePage(tasks: number): PageKind {
  const paths = Array.from({ length: tasks }, (_, index) => `src/engine/file-${index}.ts`);
  const untilSeconds = (tasks / 32) * 55;
  return { html: live(course({ files: paths, slots: 32, untilSeconds, name: "All of the engine" })) };
}

function countsOf(more: Partial<ListedBatch["counts"]>): ListedBatch["counts"] {
  return { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, ...more };
}

/** The pages that `ui` alone has. */
async function servedPages(): Promise<Record<string, PageKind>> {
  const served = { mark: "a-1", key: "key", program: product.version };
  const html = live(course({ files, slots: 6, untilSeconds: 200, name, budgetUsd: 10 }), { served });
  const fault = "Nothing was done: “Turns of a session at most” was given as 0: expected at least 1";
  const opened = (act: "cancel" | "change" | "retry", more = "") => ({
    html,
    prepare: `document.querySelector('.acts > [data-act="${act}"]').hidden = false; document.querySelector('.acts > [data-act="${act}"]').click(); ${more}`,
  });
  const list: [Partial<ListedBatch>, string][] = [
    [
      {
        name: "Review the shop's back end",
        counts: countsOf({ running: 6, queued: 12, succeeded: 14, failed: 1 }),
      },
      "b1",
    ],
    [{ name: "nightly", isHeld: true, counts: countsOf({ running: 1, queued: 1_999 }) }, "b2"],
    [{ end: { kind: "succeeded" }, counts: countsOf({ succeeded: 3 }), models: ["claude-haiku-4-5"] }, "b3"],
    [
      {
        name: "A name that is much longer than anybody would give to a batch by hand, made by a program of theirs",
        end: { kind: "failed" },
        counts: countsOf({ succeeded: 1_811, failed: 189 }),
        costUsd: 812.4,
        models: ["claude-opus-5-5", "claude-haiku-4-5", "claude-sonnet-5"],
      },
      "b4",
    ],
    [{ name: "sample", end: { kind: "paused" }, counts: countsOf({ succeeded: 5, queued: 295 }) }, "b5"],
    [{ end: { kind: "stopped", by: "user" }, counts: countsOf({ succeeded: 2, cancelled: 8 }) }, "b6"],
  ];
  const batches = list.map(
    ([more, id], index): ListedBatch => ({
      batchId: `${id}cdfghj`,
      createdAt: began - index * 7_200_000,
      isHeld: false,
      counts: countsOf({}),
      costUsd: 1.5 * (index + 1),
      costAtLeast: index === 1,
      models: ["claude-opus-5-5"],
      ...more,
    }),
  );
  const page = (listed: readonly ListedBatch[], isCut: boolean) =>
    batchesPage({
      rows: listed.map((one) => batchRowHtml(one, `/batches/${one.batchId}`)),
      totals: totalsHtml(listed, { spent: { todayUsd: 14.2, monthUsd: 230, dailyBudgetUsd: 50 }, isCut }),
      facts: { feed: "/events", mark: "a-1", program: product.version },
      isCut,
    }).toString();
  const facts = taskFacts();
  const links = {
    report: "/batches/bcdfghjk",
    hrefOf: (task: number) => `/batches/bcdfghjk/tasks/${task}`,
    session: "/batches/bcdfghjk/sessions/3",
    retry: "/batches/bcdfghjk#retry-tasks=3",
  };
  const away = "Type `parallel-claude-code-mcp ui` in a terminal: it opens a page that lets it in.";
  return {
    served: { html },
    away: { html, prepare: `document.getElementById("away").hidden = false` },
    acted: {
      html,
      prepare: `Object.assign(document.getElementById("acted"), { className: "note", textContent: "2 tasks are run again with --model opus." })`,
    },
    "dialog-cancel": opened("cancel"),
    "dialog-change": opened("change"),
    "dialog-retry": opened(
      "retry",
      `document.querySelector("#${dialogId("retry")} .fault").textContent = "${fault}"`,
    ),
    batches: { html: page(batches, true) },
    "batches-none": { html: page([], false) },
    "batches-nothing-found": { html: page(batches, false), hash: "q=zebra" },
    error: { html: errorPage(facts, links) },
    "error-crashed": {
      html: errorPage(
        {
          ...facts,
          outcome: {
            kind: "crashed",
            exitCode: 1,
            stderrTail: "one\nError: ENOENT: no such file or directory, open '/home/me/shop/a.ts'",
          },
          stderrTail: `    at open (node:fs:${"1".repeat(200)})\n    at main`,
        },
        links,
      ),
    },
    refused: { html: await refusal(401, `This browser was not let in yet. ${away}`).text() },
  };
}

function taskFacts(): ErrorPage {
  const { text: _, outcome: __, others: ___, ...facts } = resultOf({});
  return {
    ...facts,
    outcome: { kind: "failed", reason: "max-turns", message: "Reached maximum number of turns (40)" },
    stderrTail: "a line of stderr",
    transcript: "/state/3.jsonl",
  };
}

const mine = { nested: false } as const;
const said = (text: string): ConversationPart => ({ kind: "said", text, failed: false, ...mine });
const called = (tool: string, input: object, id: string, parent?: string): ConversationPart => {
  return { kind: "called", tool, input: JSON.stringify(input), id, nested: parent !== undefined, parent };
};
const returned = (of: string, text: string, failed = false, parent?: string): ConversationPart => {
  return { kind: "returned", of, text, failed, nested: parent !== undefined, parent };
};
const reply = (id: string) => ({ id, read: { fresh: 1_000, cacheRead: 17_000, cacheWritten: 500 } });

const talk: readonly ConversationPart[] = [
  { kind: "started", model: "claude-opus-5-5" },
  {
    kind: "thought",
    text: "The test fails because the promise is not awaited. ".repeat(8),
    ...mine,
    reply: reply("1"),
  },
  said("I look at the module first."),
  called("Read", { file_path: "/home/me/shop/src/checkout/payment.ts", offset: 40, limit: 60 }, "t1"),
  returned(
    "t1",
    "    40→export async function charge(cart: Cart) {\n    41→  gateway.post(url, body);\n    42→}",
  ),
  called("Grep", { pattern: "charge\\(", path: "src", glob: "*.ts" }, "t2"),
  returned("t2", "src/checkout/payment.ts\nsrc/checkout/refunds.ts"),
  called("Bash", { command: "bun test payment --timeout 5000\nbun run lint" }, "t3"),
  returned(
    "t3",
    `Exit code 1\n${"(fail) charge > is awaited [12.00ms]\n".repeat(4)}error: expect(received).toBe(expected)`,
    true,
  ),
  called(
    "TodoWrite",
    {
      todos: [
        { content: "Await the call", status: "completed" },
        { content: "Add a test", status: "in_progress" },
        { content: "Run all tests", status: "pending" },
      ],
    },
    "t4",
  ),
  returned("t4", "ok"),
  called(
    "Edit",
    {
      file_path: "/home/me/shop/src/checkout/payment.ts",
      old_string: "export async function charge(cart: Cart) {\n  gateway.post(url, body);\n}",
      new_string: "export async function charge(cart: Cart) {\n  await gateway.post(url, body);\n}",
    },
    "t5",
  ),
  returned("t5", "The file has been updated."),
  called(
    "Write",
    {
      file_path: "/home/me/shop/test/payment.test.ts",
      content: 'import { expect, test } from "bun:test";\n\ntest("an empty cart costs nothing", () => {});\n',
    },
    "t6",
  ),
  returned("t6", "The file was written."),
  called(
    "Agent",
    {
      description: "Look for other promises",
      subagent_type: "Explore",
      prompt: "Find calls that are not awaited.",
    },
    "t7",
  ),
  { kind: "prompted", text: "Find calls that are not awaited.", nested: true, parent: "t7" },
  called("Grep", { pattern: "gateway\\.post" }, "t8", "t7"),
  returned("t8", "src/checkout/refunds.ts:12", false, "t7"),
  {
    kind: "said",
    text: "There is **one** more, in `refunds.ts`.",
    failed: false,
    nested: true,
    parent: "t7",
  },
  returned("t7", "There is one more."),
  called(
    "mcp__tracker__create_issue",
    { title: "Refunds are not awaited", labels: ["bug"], estimate: { days: 1 } },
    "t9",
  ),
  returned("t9", "The tool is not allowed.", true),
  { kind: "waits", why: "API error 529, again in 4 s" },
  {
    kind: "said",
    text: "Both are done.\n\n| File | Change |\n| --- | --- |\n| `payment.ts` | awaits the call |",
    failed: false,
    ...mine,
    reply: reply("2"),
  },
  {
    kind: "ended",
    failed: false,
    subtype: "success",
    text: "Both are done.",
    numTurns: 9,
    durationMs: 94_000,
    costUsd: 0.31,
  },
];

function sessionOf(parts: readonly ConversationPart[], more: Partial<SessionPage> = {}): SessionPage {
  const budget = { used: 0, most: 1_000_000 };
  const shown = new ShownSession({ prefix: "s1-", directory: "/home/me/shop", room: 1_000_000, budget });
  for (const [index, part] of parts.entries()) shown.add(part, index * 100);
  const status = { className: "ok", word: "succeeded" } as const;
  const spent = usage({ costUsd: 0.31, numTurns: 9, durationMs: 94_000, models });
  const attempt = {
    number: 1,
    resumes: false,
    status,
    usage: spent,
    startedAt: began,
    endedAt: began + 96_000,
    talk: {
      sessionId: "0b5e2c1a-7a1c-4f0e-9d53-2f7f7f6f1c11",
      transcript: "/home/me/.local/state/parallel-claude-code-mcp/batches/bcdfghjk/session-7-1.ndjson",
      model: "claude-opus-5-5",
      steps: shown.steps,
      isOver: !more.isRunning,
    },
    stderr: "",
    checks: [],
  };
  return {
    batchId: "bcdfghjk",
    batchName: name,
    taskNumber: 7,
    totalTasks: 24,
    label: "Review src/checkout/payment.ts for bugs, and say what you would do first",
    prompt: reviewOf("src/checkout/payment.ts"),
    status,
    usage: spent,
    isRunning: false,
    attempts: [attempt],
    attemptsLeft: 0,
    links: { result: "result-7.html", report: "report-bcdfghjk.html" },
    feedHref: "",
    now: began + 100_000,
    ...more,
  };
}

/** The pages of tasks and their sessions. */
function taskPages(): Record<string, PageKind> {
  const long = `${"Review the module. ".repeat(60)}\n\nThen say what you would do first.`;
  const text = { shown: answer, totalLength: answer.length + 1, transcript: "/state/3.jsonl" };
  const whole = sessionOf(talk);
  const [first] = whole.attempts;
  const failed = { className: "bad", word: "turn limit" } as const;
  const attempts = first
    ? [
        { ...first, status: failed, stderr: "a line of stderr\nanother one" },
        {
          ...first,
          number: 2,
          resumes: true,
          remark: "The model was not available, so another one answered.",
          talk: { ...first.talk, steps: undefined },
        },
      ]
    : [];
  return {
    result: {
      html: resultPage(
        resultOf({
          label: reviewOf("src/checkout/payment.ts"),
          prompt: long,
          batchName: name,
          text,
          highlight: highlighted,
          usage: usage({ denials: [{ tool: "Write", rule: "Write" }, ...denials], models }),
          others: [{ heading: "After the background command had ended", text: "Nothing else **changed**." }],
          remarks: ["The session ended 12 s after its answer."],
        }),
      ),
    },
    "result-data": {
      html: resultPage(
        resultOf({
          text: { shown: "", totalLength: 0, transcript: "/state/3.jsonl" },
          outcome: {
            ...succeeded,
            structured: [
              {
                file: "src/a.ts",
                severity: "high",
                lines: [1, 2],
                why: "The promise is not awaited, so an error is lost.",
              },
              { file: "src/b.ts", severity: "low", lines: [], more: { seen: true } },
            ],
          },
        }),
      ),
    },
    session: { html: sessionPage(whole).toString() },
    "session-unfolded": {
      html: sessionPage(whole).toString(),
      prepare: `document.getElementById("unfold").click()`,
    },
    "session-running": {
      html: sessionPage(
        sessionOf(talk.slice(0, 8), {
          isRunning: true,
          status: { className: "run", word: "running" },
          feedHref: "session-7.js",
        }),
      ).toString(),
    },
    "session-failed": {
      html: sessionPage({
        ...whole,
        status: failed,
        outcome: "The session reached its limit of 40 turns. `retry bcdfghjk 7 --max-turns 80` goes on.",
        attempts,
        attemptsLeft: 2,
      }).toString(),
    },
  };
}

const side = {
  state: "finished",
  tasks: 3,
  succeeded: 3,
  failed: 0,
  cancelled: 0,
  unfinished: 0,
  costUsd: 0.5,
  sessionMs: 240_000,
  elapsedMs: 125_000,
} as const;

/** The pages of comparisons and of spending. */
function otherPages(): Record<string, PageKind> {
  const cell = (taskIndex: number, more: object = {}) => ({
    taskIndex,
    status: { className: "ok", word: "succeeded" } as const,
    costUsd: 0.25,
    durationMs: 45_000,
    text: "The module is sound, but `charge()` is not awaited.\n\nAdd a test for an empty cart.",
    href: `result-${taskIndex}.html`,
    ...more,
  });
  const cells = [cell(1), cell(1, { differs: true })];
  const without = cells.map(({ text: _, ...one }) => one);
  const rows = sideRows(
    [
      "The module is sound.",
      "It has one finding.",
      "Line 43: not awaited.",
      ...Array<string>(12).fill("As before."),
    ],
    [
      "The module is sound.",
      "It has two findings.",
      "Line 43: not awaited.",
      "Line 118: no test.",
      ...Array<string>(12).fill("As before."),
    ],
  );
  const tasks: TaskComparison[] = [
    { key: "src/checkout/payment.ts", change: "changed", cells: without, difference: { kind: "text", rows } },
    {
      key: "src/db/pool.ts",
      change: "changed",
      cells: without,
      difference: {
        kind: "data",
        fields: [
          { path: "findings[0].severity", before: "low", after: "high" },
          { path: "findings[1]", after: { line: 118, why: "No test for an empty cart" } },
        ],
      },
    },
    {
      key: "src/cart/cart.ts",
      change: "outcome",
      cells: [
        cell(3),
        cell(3, {
          status: { className: "bad", word: "turn limit" },
          text: "The session reached its limit of 40 turns.",
        }),
      ],
    },
    { key: "src/mail/templates.ts", change: "new", cells: [undefined, cell(4)] },
    { key: "src/http/router.ts", change: "same", cells },
  ];
  const sum = {
    costUsd: 1.5,
    costAtLeast: false,
    sessions: 12,
    batches: 2,
    inputTokens: 12_400,
    outputTokens: 98_700,
    cacheReadTokens: 1_203_000,
    cacheWrittenTokens: 40_100,
  };
  const days = Array.from({ length: 14 }, (_, index) => ({
    of: `2025-11-${index + 9}`.replace("-9", "-09"),
    ...sum,
    costUsd: ((index * 37) % 23) / 2,
  }));
  return {
    comparison: {
      html: comparisonPage({
        columns: [
          { ...side, batchId: "bcdfghjk", name: "monday" },
          { ...side, batchId: "lmnpqrst", name: "tuesday", costUsd: 0.75 },
        ],
        counts: { outcome: 1, changed: 2, new: 1, gone: 0, unfinished: 0, same: 1 },
        message: "Of 5 tasks, 1 ended differently, 2 have other answers, 1 is new and 1 is the same.",
        tasks,
        leftOut: 1,
        now: began,
      }),
    },
    variants: {
      html: comparisonPage({
        columns: ["opus", "sonnet", "haiku"].map((model, index) => ({
          ...side,
          batchId: "bcdfghjk",
          name: `model ${model}`,
          costUsd: 3 / (index + 1),
        })),
        counts: { outcome: 0, changed: 1, new: 0, gone: 0, unfinished: 0, same: 1 },
        message: "Of 2 tasks, 1 has other answers.",
        tasks: [
          {
            key: "src/checkout/payment.ts",
            change: "changed",
            cells: [
              cell(1),
              cell(2, { differs: true, text: "One finding: the promise is not awaited." }),
              cell(3),
            ],
          },
          { key: "src/db/pool.ts", change: "same", cells: [cell(4), cell(5), cell(6)] },
        ],
        leftOut: 0,
        now: began,
      }),
    },
    spending: {
      html: spendingPage({
        heading: "Day",
        message: "In the last 14 days.",
        total: { ...sum, costUsd: 74.5 },
        bars: days,
        others: sum,
        command: "spend --since 14d",
        now: began,
      }),
    },
    "spending-batches": {
      html: spendingPage({
        heading: "Batch",
        message: "This month.",
        total: sum,
        bars: [
          { of: "bcdfghjk", name, ...sum },
          { of: "lmnpqrst", ...sum, costUsd: 0.2 },
        ],
        command: "spend --by batch",
        now: began,
      }),
    },
    "spending-none": {
      html: spendingPage({
        heading: "Day",
        message: "Today.",
        total: {
          ...sum,
          costUsd: 0,
          sessions: 0,
          batches: 0,
          inputTokens: 0,
          outputTokens: 0,
          cacheReadTokens: 0,
          cacheWrittenTokens: 0,
        },
        bars: [],
        command: "spend --since today",
        now: began,
      }),
    },
  };
}

/** A page of each kind, by its name. */
export async function pageKinds(): Promise<Record<string, PageKind>> {
  return { ...batchPages(), ...(await servedPages()), ...taskPages(), ...otherPages() };
}
