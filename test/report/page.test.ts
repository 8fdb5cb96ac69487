import { describe, expect, test } from "bun:test";
import { timeLeftMs } from "../../src/model/estimate.ts";
import { apply } from "../../src/model/state.ts";
import { livePage as pageInPieces } from "../../src/report/page.ts";
import { timeLeftText } from "../../src/report/time-left.ts";
import { markupOf, namesIn } from "./markup.ts";
import {
  batchState,
  began,
  ended,
  failures,
  livePage,
  otherBatch,
  pageView,
  started,
  succeeded,
  usage,
} from "./samples.ts";

const auth = { kind: "failed", reason: "auth", message: "Please run /login" } as const;

/** Five tasks: one succeeded, one failed, one runs, two wait. */
const midway = () =>
  batchState(
    ["Say hello", "Fail <b>now</b>", "Run for long", "Wait", "Wait too"],
    [started(1), ended(1, succeeded), started(2), ended(2, auth), started(3)],
    "Nightly",
  );

const textOf = (html: string) => markupOf(html).text;

describe("livePage", () => {
  test("shows the counts in words, and a segment of the bar for each", () => {
    const html = livePage().html(pageView(midway()));
    const bar = markupOf(html).elements.find(({ attributes }) => attributes.get("class") === "bar");
    expect(bar?.attributes.get("aria-label")).toBe("1 succeeded, 1 failed, 0 cancelled, 1 running, 2 queued");
    expect(namesIn(html).filter((name) => name === "rect")).toHaveLength(3);
    expect(textOf(html)).toContain("2 of 5");
  });

  test("loads itself again without scripts while the batch runs, and not after", () => {
    const refresh = '<noscript><meta http-equiv="refresh" content="5"></noscript>';
    const page = livePage();
    expect(page.html(pageView(midway()))).toContain(refresh);
    for (const stateWord of ["finished", "cancelled", "interrupted"] as const) {
      expect(page.html(pageView(midway(), { stateWord }))).not.toContain('http-equiv="refresh"');
    }
  });

  test("has no script but its own, and shows prompts, names and activities as text", () => {
    const state = batchState(["<script>alert(1)</script>"], [started(1)], "<img src=x onerror=alert(1)>");
    const html = livePage().html(pageView(state, { activityOf: () => "<svg onload=alert(1)>" }));
    expect(namesIn(html)).not.toContain("img");
    expect(namesIn(html).filter((name) => name === "script")).toHaveLength(1);
    for (const { attributes } of markupOf(html).elements)
      expect([...attributes.keys()].filter((name) => name.startsWith("on") || name === "style")).toEqual([]);
    expect(textOf(html)).toContain("<svg onload=alert(1)>");
  });

  test("hands an open page all that has changed, as data that no prompt can end", () => {
    const prompt = '</script>"])\u2028liveUpdate(1)//';
    const state = batchState([prompt, "b"], [started(1), ended(1, auth)]);
    const held = { because: "the disk is nearly full", until: began };
    const heard: unknown[] = [];
    const update = livePage().update(pageView(state, { held }));
    new Function("liveUpdate", update)((news: unknown) => void heard.push(news));
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({ batch: "bcdfghjk", running: true, failed: 1 });
    expect(JSON.stringify(heard[0])).toContain("the disk is nearly full");
    expect(JSON.stringify(heard[0])).not.toContain("<script");
  });

  test("says by whom, where and with what the batch was started, and what each model cost", () => {
    const state = batchState(["a", "b", "c"], []);
    state.batch.client = "claude-code";
    state.batch.sessionOptions = { allowedTools: ["Read", "Bash(<x>)"], permissionMode: "plan" };
    state.batch.tasks[1] = { prompt: "b", options: { workingDirectory: "/elsewhere", model: "opus" } };
    state.batch.tasks[2] = { prompt: "c", options: { permissionMode: "plan" } };
    state.spending.byModel.set("claude-opus-5", {
      input: 1,
      output: 2,
      cacheRead: 3,
      cacheWritten: 4,
      costUsd: 1.5,
    });
    const whole = livePage().html(pageView(state));
    const about = textOf(whole.slice(whole.indexOf('id="part-about"'), whole.indexOf('id="part-files"')));
    for (const words of [
      `Started by${state.batch.startedBy}, called by claude-code`,
      `Working directory${state.batch.workingDirectory}, another for 1 task`,
      "Modelthe default, another for 1 task",
      "Cost by modelclaude-opus-5 $1.50",
      "Permission modeplan",
      "Allowed toolsRead, Bash(<x>)",
    ])
      expect(about).toContain(words);
    expect(about).not.toContain("Disallowed tools");
    expect(about).toContain("Permission modeplanAllowed");
  });

  test("draws each session in the lowest slot that was free when it began", () => {
    const state = batchState(
      ["a", "b", "c"],
      [started(1), started(2), ended(1, auth), started(3), ended(3, succeeded), ended(2, succeeded)],
    );
    const bars = markupOf(livePage().html(pageView(state))).elements.flatMap(({ attributes }) =>
      attributes.has("data-b") ? [attributes.get("data-b")] : [],
    );
    expect(bars).toEqual(["0:1000:2000", "1:2000:4000", "0:4000:1000"]);
  });

  test("adds up the tokens of all sessions", () => {
    const models = { opus: { input: 1_000, output: 20, cacheRead: 500, cacheWritten: 0 } };
    const state = batchState(
      ["a", "b"],
      [1, 2].flatMap((task) => [started(task), ended(task, succeeded, usage({ models }))]),
    );
    expect(textOf(livePage().html(pageView(state)))).toContain("3K in, 40 out");
  });

  test("says what to do about failures, once for those with one cause", () => {
    const state = batchState(
      ["a", "b", "c"],
      [1, 2, 3].flatMap((task) => [started(task), ended(task, auth)]),
    );
    const text = textOf(livePage().html(pageView(state)));
    expect(text.split("To log in, ask")).toHaveLength(2);
    expect(text).toContain("(3 tasks)");
  });

  test("renders every way a task can end", () => {
    const state = batchState(
      failures.map(({ kind }) => kind),
      failures.flatMap((outcome, index) => [started(index + 1), ended(index + 1, outcome)]),
    );
    const text = textOf(livePage().html(pageView(state)));
    for (const word of ["failed", "crashed", "timed out", "cancelled", "not started"])
      expect(text).toContain(word);
  });

  test("points at successes whose tools were denied", () => {
    const denials = [{ tool: "Write", rule: "Write" }];
    const state = batchState(["a"], [started(1), ended(1, succeeded, usage({ denials }))]);
    const text = textOf(livePage().html(pageView(state)));
    expect(text).toContain("1 tool call was denied");
    expect(text).toContain('allowedTools: "Write"');
  });

  test("shows what running sessions do", () => {
    const view = pageView(midway(), { activityOf: (task) => (task === 3 ? "Reading README.md" : undefined) });
    expect(textOf(livePage().html(view))).toContain("Reading README.md");
  });

  test("links to a result once its file is there", () => {
    const page = livePage();
    const state = midway();
    expect(page.html(pageView(state))).not.toContain("result-001.html");
    expect(
      page.html(pageView(state, { hrefOf: (task) => (task === 1 ? "result-001.html" : undefined) })),
    ).toContain('<a href="result-001.html">Say hello</a>');
  });

  test("follows a task from queued to its end", () => {
    const page = livePage();
    const state = batchState(["a"], []);
    expect(textOf(page.html(pageView(state)))).toContain("queued");
    apply(state, { ...started(1), at: began + 5000, epoch: 1 });
    expect(textOf(page.html(pageView(state)))).toContain("Running now");
    apply(state, { type: "cancel-requested", by: "user", at: began + 6000, epoch: 1 });
    expect(textOf(page.html(pageView(state)))).toContain("Is being ended");
    apply(state, { ...ended(1, { kind: "cancelled", by: "user" }), at: began + 7000, epoch: 1 });
    const end = textOf(page.html(pageView(state, { stateWord: "cancelled" })));
    expect(end).not.toContain("Running now");
    expect(end).toContain("cancelled");
  });

  test("gives the cost so far, and says when some of it is not known", () => {
    const state = batchState(["a"], [started(1), ended(1, succeeded, usage({ costUsd: 2, atLeast: true }))]);
    expect(textOf(livePage().html(pageView(state)))).toContain("at least $2.00");
  });

  test("lists the pages of other batches, and files that could not be written", () => {
    const state = midway();
    state.fileFailures.set("/out/result-001.html", "no space left on device");
    const html = livePage().html(pageView(state, { others: [otherBatch()] }));
    expect(html).toContain('href="report-zzzzzzzz.html"');
    expect(textOf(html)).toContain("no space left on device");
  });

  test("says of the other batches how they ended, what they did, cost and took", () => {
    const counts = { queued: 0, running: 0, succeeded: 4, failed: 1, cancelled: 25 };
    const others = [
      otherBatch(),
      otherBatch({ name: "Failed", end: { kind: "failed" }, counts: { ...counts, cancelled: 0 } }),
      otherBatch({ name: "Stopped", end: { kind: "stopped", by: "budget" }, counts, costAtLeast: true }),
      otherBatch({ name: "Runs", end: undefined, counts: { ...counts, queued: 25, cancelled: 0 } }),
    ];
    const html = livePage().html(pageView(midway(), { others }));
    const items = [...html.matchAll(/<li><a href="report-zzzzzzzz.*?<\/li>/g)].map(([item]) => item);
    expect(items.map((item) => /pill (\w+)">([^<]*)</.exec(item)?.slice(1))).toEqual([
      ["ok", "succeeded"],
      ["warn", "1 failed"],
      ["warn", "stopped: budget"],
      ["run", "running"],
    ]);
    expect(items.map((item) => textOf(item).replace(/, 2025.*/, ""))).toEqual([
      "Older (zzzzzzzz) succeeded 2 of 2 tasks done, $0.0500, 3 min 10 s",
      "Failed (zzzzzzzz) 1 failed 5 of 5 tasks done, $0.0500, 3 min 10 s",
      "Stopped (zzzzzzzz) stopped: budget 5 of 30 tasks done, at least $0.0500, 3 min 10 s",
      "Runs (zzzzzzzz) running 5 of 30 tasks done, $0.0500",
    ]);
  });

  test("shows answers that are data side by side, and where all of them are once the batch has ended", () => {
    const many = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`field${index}`, index]));
    const answers: unknown[] = [
      { verdict: "<b>bad</b>" },
      { verdict: "x".repeat(300), ...many },
      ["no record"],
    ];
    const state = batchState(
      ["a", "b", "c"],
      answers.flatMap((structured, index) => [
        started(index + 1),
        ended(index + 1, { ...succeeded, structured }),
      ]),
    );
    const dataIn = (more = {}) =>
      /<div id="part-data">([\s\S]*?)<\/div>\n<div id="part-about">/.exec(
        livePage().html(pageView(state, more)),
      )?.[1];
    const running = dataIn() ?? "";
    expect(
      [...running.matchAll(/<button type="button" id="data-table-\d+">([^<]*)</g)].map(([, name]) => name),
    ).toEqual(["Task", "verdict", ...Array.from({ length: 11 }, (_, index) => `field${index}`)]);
    expect([...running.matchAll(/<tr id="(d\d+)"/g)].map(([, id]) => id)).toEqual(["d1", "d2"]);
    expect(running).toContain("&lt;b&gt;bad&lt;/b&gt;");
    expect(running).toContain("3 more columns not shown.");
    expect(running).not.toContain("results-bcdfghjk.csv");
    expect(dataIn({ stateWord: "finished" })).toContain('<a href="results-bcdfghjk.csv">The whole table</a>');
    expect(textOf(livePage().html(pageView(batchState(["a"], []))))).not.toContain("Answers side by side");
  });

  test("keeps the page of 2,000 tasks with prompts of 100 kB below a megabyte", () => {
    const long = "many words ".repeat(9_000);
    const state = batchState(
      Array.from({ length: 2_000 }, () => long),
      Array.from({ length: 2_000 }, (_, index) => [started(index + 1), ended(index + 1, auth)]).flat(),
    );
    expect(livePage().html(pageView(state)).length).toBeLessThan(1_000_000);
  });
});

describe("timeLeftMs", () => {
  test("knows nothing before the first task has ended, nor of a batch that is being cancelled", () => {
    const state = batchState(["a", "b"], [started(1)]);
    expect(timeLeftMs(state, began + 1000)).toBeUndefined();
    const cancelled = batchState(
      ["a", "b"],
      [started(1), ended(1, succeeded), { type: "cancel-requested", by: "user" }],
    );
    expect(timeLeftMs(cancelled, began)).toBeUndefined();
  });

  test("takes what ended so far as the measure of the rest, at the present number of sessions", () => {
    // One task took 1 s; one begins now, four wait: five seconds of work, one at a time.
    const state = batchState(["a", "b", "c", "d", "e", "f"], [started(1), ended(1, succeeded), started(2)]);
    expect(timeLeftMs(state, state.changedAt)).toBe(5_000);
  });

  test("is told without false precision", () => {
    expect([2_000, 38_000, 170_000, 7_800_000].map(timeLeftText)).toEqual([
      "under 10 s",
      "about 40 s",
      "about 3 min",
      "about 2 h",
    ]);
  });
});

test("a page of thousands of tasks and its companion are never one text", () => {
  const prompts = Array.from({ length: 3_000 }, (_, index) => `"rows":[] <b>${index}</b>`);
  const view = pageView(batchState(prompts, []));
  const page = pageInPieces();
  const html = page.html(view);
  const update = [...page.update(view)];
  expect([...html.pieces()].join("")).toBe(html.toString());
  // The longest are script and style.
  const longest = (pieces: Iterable<string>) => Math.max(...[...pieces].map(({ length }) => length));
  expect(html.toString().length).toBeGreaterThan(500_000);
  expect(longest(html.pieces())).toBeLessThan(150_000);
  expect(longest(update)).toBeLessThan(50_000);
  // The same as one call of its function with all of it as JSON.
  const whole = update.join("");
  const json = whole.slice("liveUpdate(".length, -")\n".length);
  expect(whole).toBe(`liveUpdate(${JSON.stringify(JSON.parse(json))})\n`);
  expect(JSON.parse(json).rows).toHaveLength(3_000);
});
