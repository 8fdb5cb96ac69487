// What axe-core finds on each kind of page: in light on a wide screen, in dark on a narrow one. One browser for all.
import { expect } from "bun:test";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { product } from "../../src/model/product.ts";
import type { BatchState } from "../../src/model/state.ts";
import { batchesPage, batchRowHtml, totalsHtml } from "../../src/report/batches-page.ts";
import { comparisonPage } from "../../src/report/comparison-page.ts";
import { sideRows } from "../../src/report/diff/side-by-side.ts";
import { errorPage } from "../../src/report/error-page.ts";
import type { ErrorPage } from "../../src/report/error-text.ts";
import type { PageView } from "../../src/report/page.ts";
import { resultPage } from "../../src/report/result-page.ts";
import { sessionPage } from "../../src/report/session/session-page.ts";
import { spendingPage } from "../../src/report/spending-page.ts";
import { dialogId } from "../../src/report/wire/acts.ts";
import { Home } from "../harness.ts";
import {
  batchState,
  began,
  ended,
  failures,
  livePage,
  otherBatch,
  pageView,
  resultOf,
  sessionOf,
  started,
  succeeded,
  usage,
} from "../report/samples.ts";
import { browserTest, Page } from "./browser.ts";

/** What an answer can have, with parts that are too wide for a screen. */
const answer = `# One

Text with \`code\`, a [link](https://example.com), <https://example.org/bare> and a note[^1].

| a | b | ${"wide column | ".repeat(12)}
| - | - | ${"- | ".repeat(12)}
| 1 | 2 | ${"a_long_word_without_blanks | ".repeat(12)}

- [ ] open
  - [x] done
    1. deep

> quoted

<details>
<summary>More of \`it\`</summary>

Folded.

</details>

\`\`\`ts
const line = "${"long ".repeat(60)}"; // ${"longer ".repeat(20)}
\`\`\`

\`\`\`mermaid
graph TD
\`\`\`

[^1]: The note.`;

const prompts = Array.from({ length: 30 }, (_, index) => `Review part ${index + 1} of the work`);
const outcomes = [succeeded, ...failures];
const denials = [{ tool: "Bash", rule: "Bash(npm test:*)" }];

function batch(done: number, running = 0): BatchState {
  const events = Array.from({ length: done + running }, (_, index) => {
    const outcome = outcomes[index % outcomes.length] ?? succeeded;
    const spent = usage({ costUsd: index, ...(index % 9 ? {} : { denials }) });
    return index < done ? [started(index + 1), ended(index + 1, outcome, spent)] : [started(index + 1)];
  });
  return batchState(prompts, events.flat(), "Everything");
}

const linked: Partial<PageView> = {
  hrefOf: (task) => (task < 20 ? `result-${task}.html` : undefined),
  sessionOf: (task) => (task % 2 ? `session-${task}.html` : undefined),
  activityOf: () => "Reads README.md",
  others: [otherBatch()],
};

const sum = {
  costUsd: 1.5,
  costAtLeast: false,
  sessions: 12,
  batches: 2,
  inputTokens: 10,
  outputTokens: 20,
  cacheReadTokens: 30,
  cacheWrittenTokens: 40,
};

const side = {
  batchId: "bcdfghjk",
  state: "finished",
  tasks: 2,
  succeeded: 2,
  failed: 0,
  cancelled: 0,
  unfinished: 0,
  costUsd: 0.5,
  sessionMs: 10_000,
  elapsedMs: 5_000,
} as const;

function taskFacts(): ErrorPage {
  const { text: _, outcome: __, others: ___, ...facts } = resultOf({});
  return {
    ...facts,
    outcome: { kind: "failed", reason: "max-turns", message: "Reached its limit." },
    stderrTail: "a line of stderr",
    transcript: "/state/3.jsonl",
  };
}

/** A page of each kind, by the name of its file. */
function pages(): Record<string, string> {
  const live = (state: BatchState, more: Partial<PageView>) =>
    livePage().html(pageView(state, { ...linked, ...more }));
  const text = { shown: answer, totalLength: answer.length + 1, transcript: "/state/3.jsonl" };
  const cells = [1, 2].map((taskIndex) => ({
    taskIndex,
    status: { className: "ok", word: "succeeded" } as const,
    costUsd: 0.25,
    durationMs: 5_000,
    text: "An answer",
    href: "result.html",
    differs: taskIndex === 2,
  }));
  const rows = sideRows(["one two three", "same"], ["one 2 three", "same", "four"]);
  const served = live(batch(14, 6), { served: { mark: "a-1", key: "key", program: product.version } });
  const listed = {
    batchId: "bcdfghjk",
    name: "nightly",
    createdAt: began,
    isHeld: false,
    counts: { queued: 1, running: 2, succeeded: 3, failed: 4, cancelled: 0 },
    costUsd: 1.5,
    costAtLeast: true,
    models: ["claude-opus-5-5"],
  };
  const facts = taskFacts();
  return {
    served,
    // With its dialog.
    acting: served,
    batches: batchesPage({
      rows: [
        batchRowHtml(listed, "/batches/bcdfghjk"),
        batchRowHtml({ ...listed, batchId: "zzzzzzzz", end: { kind: "failed" } }, "/batches/zzzzzzzz"),
      ],
      totals: totalsHtml([listed], { spent: { todayUsd: 1, monthUsd: 2, dailyBudgetUsd: 5 }, isCut: true }),
      facts: { feed: "/events", mark: "a-1", program: product.version },
      isCut: true,
    }).toString(),
    error: errorPage(facts, {
      report: "/batches/bcdfghjk",
      hrefOf: (task) => `/batches/bcdfghjk/tasks/${task}`,
      session: "/batches/bcdfghjk/sessions/2",
    }),
    running: live(batch(14, 6), {
      held: { because: "The disk is nearly full", until: began + 3_600_000 },
    }),
    ended: live(batchState(["one"], [started(1), ended(1, succeeded)]), { stateWord: "finished" }),
    failed: live(batch(30), {
      stateWord: "finished",
      summary: { task: 30, text: answer, cut: true },
    }),
    paused: live(batch(9), { stateWord: "paused" }),
    result: resultPage(
      resultOf({
        text,
        usage: usage({
          denials: [{ tool: "Write", rule: "Write" }],
          models: { opus: { input: 1, output: 2, cacheRead: 3, cacheWritten: 4 } },
        }),
        outcome: { ...succeeded, structured: [{ a: 1, b: { c: [1, 2] } }] },
        others: [{ heading: "Another", text: answer }],
      }),
    ),
    session: sessionPage(sessionOf(["words", answer])).toString(),
    comparison: comparisonPage({
      columns: [
        { ...side, name: "monday" },
        { ...side, name: "tuesday" },
      ],
      counts: { outcome: 0, changed: 1, new: 0, gone: 0, unfinished: 0, same: 1 },
      message: "Of 3 tasks.",
      tasks: [
        { key: "src/a.ts", change: "changed", cells, difference: { kind: "text", rows } },
        {
          key: "src/b.ts",
          change: "same",
          cells,
          difference: { kind: "data", fields: [{ path: "list[0]", before: "low", after: { a: 1 } }] },
        },
      ],
      leftOut: 1,
      now: began,
    }),
    spending: spendingPage({
      heading: "Day",
      message: "In 30 days.",
      total: sum,
      bars: [
        { of: "2025-11-22", ...sum },
        { of: "2025-11-23", ...sum, costUsd: 0.5 },
      ],
      others: sum,
      command: "spend",
      now: began,
    }),
  };
}

/** Each finding with the element that it is about. */
const findings = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html.slice(0, 200), failureSummary])))`;

browserTest(
  "no page has anything that axe-core finds fault with, and each can be skipped to its contents",
  async () => {
    await using home = new Home();
    const axe = await Bun.file(fileURLToPath(import.meta.resolve("axe-core/axe.min.js"))).text();
    await using page = await new Page().begin();
    for (const [name, html] of Object.entries(pages())) {
      const file = join(home.work, `${name}.html`);
      await Bun.write(file, html);
      await page.open(file);
      await page.evaluate(`(() => { ${axe}\n })()`);
      if (name === "acting")
        await page.evaluate(`document.getElementById("${dialogId("retry")}").showModal()`);
      // Folded parts are read, too.
      await page.evaluate(`[...document.querySelectorAll("details")].forEach((one) => { one.open = true; })`);
      for (const how of [
        { scheme: "light", width: 1200 },
        { scheme: "dark", width: 390 },
      ] as const) {
        await page.media(how);
        await page.cdp("Emulation.setDeviceMetricsOverride", {
          width: how.width,
          height: 900,
          deviceScaleFactor: 1,
          mobile: false,
        });
        // What scrolls is named after the next frame.
        await page.evaluate(
          "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
        );
        expect({ name, ...how, found: await page.evaluate(findings) }).toEqual({ name, ...how, found: [] });
      }
      const target = String(await page.evaluate(`document.querySelector("a.skip").getAttribute("href")`));
      expect(await page.evaluate(`document.querySelectorAll(${JSON.stringify(target)}).length`)).toBe(1);
    }
  },
);
