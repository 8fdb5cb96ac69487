// The upper part of the live page, fact by fact, in every state of a batch.
import { describe, expect, test } from "bun:test";
import type { EventBody } from "../../src/model/event.ts";
import type { BatchState } from "../../src/model/state.ts";
import { timeText } from "../../src/report/amounts.ts";
import type { PageView } from "../../src/report/page.ts";
import { headerHtml, heldNote, progressHtml } from "../../src/report/progress-panel.ts";
import { factsIn, markupOf, textsIn } from "./markup.ts";
import { batchState, began, ended, livePage, pageView, started, succeeded, usage } from "./samples.ts";

const failed = { kind: "failed", reason: "execution", message: "" } as const;
const noTokens = { input: 0, output: 0 };

/** Of four tasks, one succeeded for $1.50 after two seconds, one failed for nothing after one, one runs. */
const midway = (...more: EventBody[]) =>
  batchState(
    ["a", "b", "c", "d"],
    [
      started(1),
      started(2),
      ended(1, succeeded, usage({ costUsd: 1.5, apiKeySource: "none" })),
      ended(2, failed, usage({ costUsd: 0 })),
      started(3),
      ...more,
    ],
  );

function panelOf(state: BatchState, more: Partial<Parameters<typeof progressHtml>[1]> = {}) {
  const facts = { now: state.changedAt + 10_000, stateWord: "running" as const, tokens: noTokens, ...more };
  return String(progressHtml(state, facts));
}

describe("the facts of the panel", () => {
  test("of a batch that runs are those so far, and estimates", () => {
    const state = midway();
    state.budgetUsd = 20;
    expect(factsIn(panelOf(state, { tokens: { input: 1_234_567, output: 890 } }))).toEqual({
      Done: "2 of 4",
      Elapsed: "15 s",
      // Two sessions took 2 s each, one waits, and one has outlasted the mean: 2.5 s of work.
      Left: "under 10 s",
      "Cost so far": "$1.50",
      // As much for each of the two that are left as for those that have ended.
      "Still to come": "about $1.50",
      Budget: "$20.00",
      "Billed to": "the login",
      "Tokens so far": "1.23M in, 890 out",
      "At once": "up to 8",
    });
  });

  test("of a batch that has ended are final, and estimate nothing", () => {
    const state = midway(ended(3, succeeded), { type: "batch-ended" });
    const panel = panelOf(state, { stateWord: "finished", tokens: { input: 1, output: 0 } });
    expect(factsIn(panel)).toEqual({
      Done: "3 of 4",
      Elapsed: "7 s",
      Cost: "$1.51",
      "Billed to": "the login",
      Tokens: "1 in, 0 out",
      "At once": "up to 8",
    });
  });

  test("say how many answers are from earlier, if any are", () => {
    const reused = { batchId: midway().batch.batchId, task: 1, at: began, sessionId: "s", transcript: "/t" };
    const state = midway(ended(3, { ...succeeded, reused }));
    expect(factsIn(panelOf(state))).toMatchObject({ Done: "3 of 4", Reused: "1 of 4" });
  });

  test("of an interrupted batch end with its last event, whatever the time is now", () => {
    expect(factsIn(panelOf(midway(), { stateWord: "interrupted" }))).toMatchObject({ Elapsed: "5 s" });
  });

  test("wait for the end of a hold", () => {
    const held = { because: "limit", until: began + 75_000 };
    expect(factsIn(panelOf(midway(), { held }))).toMatchObject({ Left: "about 60 s" });
  });

  test("say how many run where that is found out while they run, and nothing while none does", () => {
    const state = midway();
    state.batch.concurrency = "auto";
    expect(factsIn(panelOf(state))).toMatchObject({ "At once": "1 now" });
    const idle = batchState(["a"], []);
    idle.batch.concurrency = "auto";
    expect(factsIn(panelOf(idle))).toEqual({ Done: "0 of 1", Elapsed: "10 s", "Cost so far": "$0.00" });
  });

  test("name no cost to come where nothing is", () => {
    expect(factsIn(panelOf(midway()))).toHaveProperty("Still to come");
    const free = batchState(["a", "b"], [started(1), ended(1, succeeded, usage({ costUsd: 0 }))]);
    expect(factsIn(panelOf(free))).not.toHaveProperty("Still to come");
  });
});

test("the legend has each count that is not zero", () => {
  expect(textsIn(panelOf(midway()), "li")).toEqual(["1 succeeded", "1 failed", "1 running", "1 queued"]);
});

test("each count's part of the bar begins where the one before ends", () => {
  const parts = markupOf(panelOf(midway()))
    .elements.filter(({ name }) => name === "rect")
    .map(({ attributes }) => ["class", "x", "width"].map((name) => attributes.get(name)));
  expect(parts).toEqual([
    ["ok", "0.00%", "25.00%"],
    ["bad", "25.00%", "25.00%"],
    ["run", "50.00%", "25.00%"],
  ]);
});

describe("a hold", () => {
  test("is told with its reason as one sentence, and its end where that is known", () => {
    expect(heldNote(undefined)).toBe("");
    expect(heldNote({ because: "the disk is nearly full. " })).toBe(
      "No new sessions start: the disk is nearly full.",
    );
    expect(heldNote({ because: "limit", until: began })).toBe(
      `No new sessions start: limit. They continue at ${timeText(began)}.`,
    );
  });

  test("is in the panel while it is on, and not else", () => {
    expect(markupOf(panelOf(midway(), { held: { because: "limit" } })).text).toContain(
      "On hold. No new sessions start: limit.",
    );
    expect(panelOf(midway())).not.toContain("On hold");
  });
});

test("options that a retry changed are listed, the last ten, in the words of whoever started the batch", () => {
  expect(panelOf(midway())).not.toContain("Options changed");
  const state = midway();
  state.optionChanges = Array.from({ length: 12 }, (_, index) => ({
    at: 1,
    tasks: [1, 2],
    options: { maxTurns: index, model: "opus" },
  }));
  const panel = panelOf(state);
  expect(markupOf(panel).text).toContain("Options changed by a retry:");
  const items = textsIn(panel.slice(panel.indexOf("Options changed")), "li");
  expect(items).toHaveLength(10);
  expect(items[0]).toBe('tasks 1, 2: maxTurns: 2, model: "opus"');
  state.batch.startedBy = "run";
  expect(markupOf(panelOf(state)).text).toContain("tasks 1, 2: --max-turns 11, --model opus");
});

describe("the header", () => {
  const headerOf = (name?: string) =>
    markupOf(String(headerHtml(batchState(["a"], [], name), "running"))).text;

  test("has the name of the batch, and its id beside it", () => {
    expect(headerOf("Nightly")).toContain("Nightly\nrunningBatch bcdfghjkStarted ");
  });

  test("of a batch without a name has its id once", () => {
    expect(headerOf()).toContain("Batch bcdfghjk\nrunningStarted ");
  });
});

describe("the page as a whole", () => {
  const pageOf = (state: BatchState, more: Partial<PageView> = {}) => livePage().html(pageView(state, more));

  test("tells its script and its reader whether it changes", () => {
    const runs = (html: string) => [
      /data-running="(\w+)"/.exec(html)?.[1],
      markupOf(html).text.includes("This page updates while the batch runs. As of "),
    ];
    expect(runs(pageOf(midway()))).toEqual(["yes", true]);
    for (const stateWord of ["finished", "cancelled", "interrupted"] as const)
      expect(runs(pageOf(midway(), { stateWord }))).toEqual(["no", false]);
  });

  test.each([
    ["running", midway(), undefined],
    ["finished", midway(ended(3, succeeded), { type: "batch-ended" }), undefined],
    ["interrupted", midway(), "Interrupted: 2 of 4 tasks done (1 succeeded, 1 failed), 2 unfinished."],
    [
      "cancelled",
      midway({ type: "cancel-requested", by: "user" }, ended(3, { kind: "cancelled", by: "user" }), {
        type: "batch-ended",
      }),
      "Cancelled by the user: 2 of 4 tasks done (1 succeeded, 1 failed), 1 stopped, 1 not started.",
    ],
  ] as const)("of a batch that is %s says what is left of one that was stopped", (stateWord, state, said) => {
    const html = pageOf(state, { stateWord });
    const attention = /id="part-attention">(.*?)<\/section>/s.exec(html)?.[1] ?? "";
    const [note] = textsIn(attention, "p");
    expect(note?.split(" Finished results")[0]?.split(" retry_batch")[0]).toBe(said);
  });

  test("counts the tasks that need attention, and the sessions that run, in the headings", () => {
    const headings = textsIn(pageOf(midway()), "h2");
    expect(headings).toEqual([
      "Timeline",
      "Needs attention 1 task",
      "Running now 1 session",
      "All tasks 4",
      "How it was started",
    ]);
    // A stop without a failure has a heading without a number.
    const stopped = batchState(["a"], [started(1)]);
    expect(textsIn(pageOf(stopped, { stateWord: "interrupted" }), "h2")).toContain("Needs attention");
  });

  test("shows warnings from before the start, and no heading for none", () => {
    expect(pageOf(midway())).not.toContain("Warnings");
    const state = midway();
    state.batch.warnings = ["`model` is odd.", "two"];
    const html = pageOf(state);
    expect(textsIn(html, "h2")).toContain("Warnings");
    expect(html).toContain('<p class="note"><code>model</code> is odd.</p><p class="note">two</p>');
  });

  test("draws time up to now while it runs, and else up to the last event", () => {
    const spanOf = (more: Partial<PageView>, state = midway()) =>
      /data-span="(\d+)"/.exec(pageOf(state, { now: began + 60_000, ...more }))?.[1];
    expect(spanOf({})).toBe("60000");
    expect(spanOf({ stateWord: "interrupted" })).toBe("5000");
    const over = midway(ended(3, succeeded), { type: "batch-ended" });
    expect(spanOf({ stateWord: "finished" }, over)).toBe("7000");
    expect(spanOf({}, over)).toBe("7000");
  });
});
