// The drawing of a batch over time: which bars, where, in which colour, with which axis, and the same in words.
import { describe, expect, test } from "bun:test";
import type { Event } from "../../src/model/event.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { Lanes } from "../../src/report/lanes.ts";
import { timelineHtml } from "../../src/report/timeline.ts";
import { barsFrom, barsText } from "../../src/report/wire/bars.ts";
import { after, crashed, created, ended, started, succeeded } from "../model/events.ts";
import { markupOf } from "./markup.ts";

// Of the drawing, 2,000 units wide: with a span of 2,000 ms, a unit is a millisecond.
function timelineOf(events: Event[], until: number, hrefOf = (_: number): string | undefined => undefined) {
  const state = after(...events);
  const lanes = new Lanes();
  lanes.place(state);
  const html = String(timelineHtml({ state, lanes, until, hrefOf }));
  const { elements, text } = markupOf(html);
  const named = (name: string) => elements.filter((element) => element.name === name);
  const path = (className: string) =>
    named("path")
      .find(({ attributes }) => attributes.get("class") === className)
      ?.attributes.get("d");
  return { html, text, named, path };
}

/** Begin, top, width and height of each bar of a colour. */
function barsOf(path: string | undefined): number[][] {
  return [...(path ?? "").matchAll(/M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-([\d.]+)z/g)].map((bar) => {
    expect(bar[3]).toBe(bar[5]);
    return bar.slice(1, 5).map(Number);
  });
}

describe("a bar", () => {
  test("begins where its session began, is as wide as it lasted, and leaves a gap of 1.5 to what follows", () => {
    const { path } = timelineOf(
      [created(2), started(501, 1, 1), started(1_001, 2, 1), ended(1_501, 1, 1, succeeded)],
      2_001,
    );
    // Of two lanes of 16 pixels, a success leaves two pixels of air; what runs ends where the time ends.
    expect(barsOf(path("ok"))).toEqual([[500, 1, 998.5, 14]]);
    expect(barsOf(path("run"))).toEqual([[1000, 17, 998.5, 14]]);
  });

  test("of a failure fills its lane", () => {
    const { path } = timelineOf([created(1), started(1, 1, 1), ended(1_001, 1, 1, crashed)], 2_001);
    expect(barsOf(path("bad"))).toEqual([[0, 0, 998.5, 16]]);
  });

  test("of a moment can still be seen, and none has a width below that, though the clock was set back", () => {
    const { path } = timelineOf(
      [created(2), started(1_001, 1, 1), ended(1_001, 1, 1, crashed), started(1_501, 2, 1)],
      1_401,
    );
    expect(barsOf(path("bad")).map(([, , width]) => width)).toEqual([2]);
    expect(barsOf(path("run")).map(([, , width]) => width)).toEqual([2]);
  });

  test.each([
    ["succeeded", succeeded, "ok"],
    ["crashed", crashed, "bad"],
    ["cancelled", { kind: "cancelled", by: "user" }, "off"],
  ] satisfies [string, Outcome, string][])(
    "of a task that %s has the colour of its end",
    (_, outcome, className) => {
      const { path } = timelineOf([created(1), started(1, 1, 1), ended(1_001, 1, 1, outcome)], 2_001);
      expect(barsOf(path(className))).toHaveLength(1);
    },
  );

  test("of an attempt that another one followed, or will follow, has failed, unless it succeeded", () => {
    const retried = ended(501, 1, 1, crashed, { retryAt: 600 });
    const waits = timelineOf([created(1), started(1, 1, 1), retried], 2_001);
    expect(barsOf(waits.path("bad"))).toEqual([[0, 0, 498.5, 16]]);
    const again = timelineOf(
      [created(1), started(1, 1, 1), retried, started(1_001, 1, 2), ended(1_501, 1, 2, succeeded)],
      2_001,
    );
    expect(barsOf(again.path("bad"))).toEqual([[0, 0, 498.5, 16]]);
    expect(barsOf(again.path("ok"))).toEqual([[1000, 1, 498.5, 14]]);
    // A success that a retry ran again, on demand.
    const twice = timelineOf(
      [created(1), started(1, 1, 1), ended(501, 1, 1, succeeded, { retryAt: 600 }), started(1_001, 1, 2)],
      2_001,
    );
    expect(barsOf(twice.path("ok"))).toEqual([[0, 1, 498.5, 14]]);
  });

  test("is told to the script by its lane, its begin and its length, which one that runs has not yet", () => {
    const state = after(
      created(2),
      started(101, 1, 1),
      started(201, 2, 1),
      ended(301, 2, 1, crashed, { retryAt: 400 }),
      started(401, 2, 2),
    );
    const lanes = new Lanes();
    lanes.place(state);
    expect(state.tasks.map((task) => barsText(lanes.barsOf(task), state.createdAt))).toEqual([
      "0:100:",
      "1:200:100;1:400:",
    ]);
  });
});

describe("the drawing", () => {
  test("is not there before the first session", () => {
    expect(timelineOf([created(1)], 1_001).html).toBe("");
  });

  test.each([
    [1, 16],
    [16, 256],
    [52, 260],
    // Never below three pixels a lane.
    [100, 300],
  ])("of %d sessions at once is %d pixels high", (count, pixels) => {
    const sessions = Array.from({ length: count }, (_, index) => started(1, index + 1, 1));
    const { named } = timelineOf([created(count), ...sessions], 2_001);
    const [drawing] = named("svg");
    expect(drawing?.attributes.get("height")).toBe(String(pixels));
    expect(drawing?.attributes.get("viewbox")).toBe(`0 0 2000 ${pixels}`);
    const [lanes] = named("div").filter(({ attributes }) => attributes.get("id") === "lanes");
    expect(lanes?.attributes.get("data-count")).toBe(String(count));
    expect(lanes?.attributes.get("data-span")).toBe("2000");
  });

  test.each([
    [100, ["0", "0.02 s", "0.04 s", "0.06 s", "0.08 s", "0.1 s"]],
    [4_500, ["0", "1 s", "2 s", "3 s", "4 s"]],
    [6_000, ["0", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s"]],
    [6_001, ["0", "2 s", "4 s", "6 s"]],
    [90_000, ["0", "15 s", "30 s", "45 s", "1 min", "1 min 15 s"]],
    [7_200_000, ["0", "30 min", "1 h", "1 h 30 min", "2 h"]],
    [86_400_000, ["0", "6 h", "12 h", "18 h", "24 h"]],
    // Longer than the longest of the round steps: whole days.
    [6 * 86_400_000 + 1, ["0", "48 h", "96 h", "144 h"]],
  ])("of %d ms has an axis of round moments", (span, texts) => {
    const { html } = timelineOf([created(1), started(1, 1, 1)], span + 1);
    const axis = [...html.matchAll(/<text x="([\d.]+)%"[^>]*>([^<]+)</g)];
    expect(axis.map(([, , text]) => text)).toEqual(texts);
  });

  test("has the words of its axis inside, and a line of the grid above each", () => {
    const { html, path } = timelineOf([created(1), started(1, 1, 1)], 2_001);
    const axis = [...html.matchAll(/<text x="([\d.]+)%" y="14"(?: text-anchor="(\w+)")?>([^<]+)</g)];
    expect(axis.map(([, x, anchor, text]) => [x, anchor, text])).toEqual([
      ["0.00", undefined, "0"],
      ["25.00", "middle", "0.5 s"],
      ["50.00", "middle", "1 s"],
      ["75.00", "middle", "1.5 s"],
      ["100.00", "end", "2 s"],
    ]);
    expect(path("grid")).toBe("M0.0 0v16M500.0 0v16M1000.0 0v16M1500.0 0v16M2000.0 0v16");
  });
});

describe("the timeline in words", () => {
  const four = [
    created(4),
    ...[1, 2, 3, 4].map((task) => started(1, task, 1)),
    ...[1, 2, 3].map((task) => ended(1 + 20_000 * task, task, 1, succeeded)),
  ];

  test("says how many sessions there were, how many in parallel, and how long they took", () => {
    const { text, named } = timelineOf(four, 100_001);
    const words =
      "4 sessions, 4 in parallel at most; half took over 40 s, the longest is task 4 with 1 min 40 s.";
    expect(text).toContain(words);
    const [lanes] = named("div").filter(({ attributes }) => attributes.get("id") === "lanes");
    expect(lanes?.attributes.get("aria-label")).toStartWith(words);
  });

  test("lists the longest first, with how each stands, and links to its page or else to its row", () => {
    const { html } = timelineOf(four, 100_001, (task) => (task === 2 ? "two.html" : undefined));
    const items = [...html.matchAll(/<li>(.*?)<\/li>/g)].map(([, item]) => item);
    expect(items).toEqual([
      '<b>1 min 40 s</b> <span class="s run">running</span> task 4 <a href="#t4">task 4</a>',
      '<b>1 min</b> <span class="s ok">succeeded</span> task 3 <a href="#t3">task 3</a>',
      '<b>40 s</b> <span class="s ok">succeeded</span> task 2 <a href="two.html">task 2</a>',
      '<b>20 s</b> <span class="s ok">succeeded</span> task 1 <a href="#t1">task 1</a>',
    ]);
  });

  test("lists no more than eight", () => {
    const sessions = Array.from({ length: 9 }, (_, index) => started(1, index + 1, 1));
    expect(timelineOf([created(9), ...sessions], 2_001).html.match(/<li>/g)).toHaveLength(8);
  });
});

test("the page's script reads of the bars what the row says of them", () => {
  const bars = [
    { lane: 0, from: 1_000, to: 3_000 },
    { lane: 12, from: 4_500 },
  ];
  expect(barsFrom(barsText(bars, 500))).toEqual([
    { slot: 0, from: 500, lasted: 2_000 },
    { slot: 12, from: 4_000, lasted: undefined },
  ]);
  expect(barsFrom(barsText([], 500))).toEqual([]);
});
