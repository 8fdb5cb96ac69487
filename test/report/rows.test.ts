// The rows of the page's tables, in every state of a task, and how long they are kept.
import { describe, expect, test } from "bun:test";
import type { Event } from "../../src/model/event.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { apply, type TaskState } from "../../src/model/state.ts";
import { keptRows } from "../../src/report/kept-rows.ts";
import { taskRow } from "../../src/report/row.ts";
import { after, crashed, created, ended, event, started, succeeded, usageOf } from "../model/events.ts";
import { markupOf, textsIn } from "./markup.ts";
import { batchState, livePage, pageView, started as startedBody } from "./samples.ts";

function rowOf(task: TaskState | undefined) {
  if (!task) throw new Error("There is no task");
  const row = String(taskRow(task, { label: "label", href: undefined, bars: "" }));
  const attributes = markupOf(`<table>${row}</table>`).elements.find(({ name }) => name === "tr")?.attributes;
  const { class: className, "data-d": lasted, "data-c": cost } = Object.fromEntries(attributes ?? []);
  return { cells: textsIn(row, "td").slice(2), className, lasted, cost };
}

const cancelled: Outcome = { kind: "cancelled", by: "user" };
const retried = ended(2_001, 1, 1, crashed, { retryAt: 9_000 });

describe("the row of a task", () => {
  test.each([
    ["waits", [], ["queued", "", ""], "wait", undefined, undefined],
    [
      "waits for a retry",
      [started(1, 1, 1), retried],
      ["waits for a retry", "", ""],
      "wait",
      undefined,
      undefined,
    ],
    ["runs", [started(1, 1, 1)], ["running", "", ""], "run", undefined, undefined],
    [
      "is being ended",
      [started(1, 1, 1), event(2, { type: "cancel-requested", by: "user" })],
      ["ending", "", ""],
      "run",
      undefined,
      undefined,
    ],
    [
      "succeeded",
      [started(1, 1, 1), ended(4_201, 1, 1, succeeded, { usage: usageOf(1.5) })],
      ["succeeded", "4.2 s", "$1.50"],
      "ok",
      "4200",
      "1.5",
    ],
    [
      "succeeded with tools denied, and spent more than it said",
      [
        started(1, 1, 1),
        ended(1_001, 1, 1, succeeded, {
          usage: usageOf(2, { atLeast: true, denials: [{ tool: "T", rule: "T" }] }),
        }),
      ],
      ["tools denied", "1 s", "≥ $2.00"],
      "warn",
      "1000",
      "2",
    ],
    ["crashed", [started(1, 1, 1), ended(1, 1, 1, crashed)], ["crashed", "0 s", ""], "bad", "0", undefined],
    [
      "was cancelled",
      [started(1, 1, 1), ended(2_001, 1, 1, cancelled)],
      ["cancelled", "2 s", ""],
      "off",
      "2000",
      undefined,
    ],
    [
      "never started",
      [ended(9, 1, 0, { kind: "not-started", message: "" })],
      ["not started", "", ""],
      "bad",
      undefined,
      undefined,
    ],
  ] satisfies [string, Event[], string[], string, string | undefined, string | undefined][])(
    "that %s",
    (_, events, cells, className, lasted, cost) => {
      const [task] = after(created(1), ...events).tasks;
      expect(rowOf(task)).toEqual({ cells, className, lasted, cost });
    },
  );

  test("without words says so, and is a link where there is something to see", () => {
    const [task] = after(created(1)).tasks;
    if (!task) throw new Error("There is no task");
    const cellOf = (label: string, href?: string) =>
      /<td class="p">(.*?)<\/td>/.exec(String(taskRow(task, { label, href, bars: "0:1:" })))?.[1];
    expect(cellOf("")).toBe("(no words)");
    expect(cellOf("x", "x.html")).toBe('<a href="x.html">x</a>');
    expect(String(taskRow(task, { label: "x", href: undefined, bars: "0:1:" }))).toContain(' data-b="0:1:"');
  });
});

describe("rows", () => {
  test("are kept as long as nothing of their task changes", () => {
    const rowsOf = keptRows();
    let href: string | undefined;
    const state = after(created(2), started(1, 1, 1));
    const rows = () => rowsOf({ state, hrefOf: () => href }).rows;
    const [first, second] = rows();
    // What runs is made anew: it may be marked as being ended. What waits is kept.
    expect(rows()[0]).not.toBe(first);
    expect(rows()[1]).toBe(second);
    apply(state, event(2, { type: "cancel-requested", by: "user", tasks: [1] }));
    expect(textsIn(String(rows()[0]), "td")[2]).toBe("ending");
    apply(state, ended(3, 1, 1, succeeded));
    const [done] = rows();
    expect(rows()[0]).toBe(done);
    expect(textsIn(String(done), "td")[2]).toBe("succeeded");
    // The file appears after the task has ended.
    href = "one.html";
    expect(String(rows()[0])).toContain('href="one.html"');
    expect(rows()[0]).toBe(rows()[0]);
  });

  test("add up what went in and came out of all models; what came from a cache went in", () => {
    const models = {
      opus: { input: 1, output: 20, cacheRead: 300, cacheWritten: 4_000 },
      haiku: { input: 5, output: 6, cacheRead: 7, cacheWritten: 8 },
    };
    const events = [1, 2].flatMap((task) => [
      started(1, task, 1),
      ended(2, task, 1, succeeded, { usage: usageOf(1, { models }) }),
    ]);
    const { tokens } = keptRows()({ state: after(created(3), ...events), hrefOf: () => undefined });
    expect(tokens).toEqual({ input: 2 * 4_321, output: 2 * 26 });
  });
});

describe("the table of what runs", () => {
  const runningOf = (count: number, activityOf?: (task: number) => string | undefined) => {
    const state = batchState(
      Array.from({ length: count }, (_, index) => `prompt ${index + 1}`),
      Array.from({ length: count }, (_, index) => startedBody(index + 1)),
    );
    const html = livePage().html(pageView(state, activityOf ? { activityOf } : {}));
    return /id="part-running">(.*?)<\/section>/s.exec(html)?.[1] ?? "";
  };

  test("has what each session does, since when, and a link to its row", () => {
    const part = runningOf(2, (task) => (task === 1 ? "Reading README.md" : undefined));
    expect(textsIn(part, "td")).toEqual([
      ...["1", "prompt 1", "Reading README.md", "2 s"],
      ...["2", "prompt 2", "Works", "1 s"],
    ]);
    expect(part).toContain('<a href="#t1">prompt 1</a>');
    expect(textsIn(part, "p")).toEqual([]);
  });

  test.each([
    [200, []],
    [201, ["1 more session in the table of all tasks."]],
  ])("of %d sessions has 200, and says how many more run", (count, more) => {
    const part = runningOf(count);
    expect(part.match(/<tr id="r/g)).toHaveLength(200);
    expect(textsIn(part, "p")).toEqual(more);
  });
});
