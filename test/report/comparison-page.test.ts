// The page of a comparison.
import { describe, expect, test } from "bun:test";
import { type Comparison, countsLine, type Side } from "../../src/report/comparison.ts";
import {
  type ComparisonPage,
  comparisonPage,
  type TaskComparison,
} from "../../src/report/comparison-page.ts";
import { sideRows } from "../../src/report/diff/side-by-side.ts";
import { isOurComparison, isOurPage } from "../../src/report/file-tag.ts";

const side = (more: Partial<Side> = {}): Side => ({
  name: "",
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
  ...more,
});
const counts: Comparison["counts"] = { outcome: 0, changed: 2, new: 0, gone: 0, unfinished: 0, same: 1 };
const ok = { className: "ok", word: "succeeded" } as const;

function task(more: Partial<TaskComparison> = {}): TaskComparison {
  const cells = [1, 2].map((taskIndex) => ({ taskIndex, status: ok, costUsd: 0.25, durationMs: 5_000 }));
  return { key: "src/a.ts", change: "changed", cells, ...more };
}

function pageOf(more: Partial<ComparisonPage> = {}): string {
  const columns = [
    side({ name: "monday" }),
    side({ batchId: "lmnpqrst", costUsd: 0.75, failed: 1, succeeded: 1 }),
  ];
  return comparisonPage({
    columns,
    counts,
    message: "Of 3 tasks.",
    tasks: [task()],
    leftOut: 0,
    now: 0,
    ...more,
  });
}

describe("lines stand side by side", () => {
  const rows = (before: string, after: string) => sideRows(before.split("|"), after.split("|"));

  test("with the words that differ, where a line changed a little", () => {
    expect(rows("It is safe today.", "It is unsafe today.")).toEqual([
      {
        kind: "changed",
        before: [
          { text: "It is ", isMarked: false },
          { text: "safe", isMarked: true },
          { text: " today.", isMarked: false },
        ],
        after: [
          { text: "It is ", isMarked: false },
          { text: "unsafe", isMarked: true },
          { text: " today.", isMarked: false },
        ],
      },
    ]);
  });

  test("without marks where they have nothing in common, and alone where one side has more", () => {
    expect(rows("red|same", "Completely other words|same|more")).toEqual([
      {
        kind: "changed",
        before: [{ text: "red", isMarked: false }],
        after: [{ text: "Completely other words", isMarked: false }],
      },
      { kind: "same", text: "same" },
      { kind: "changed", after: [{ text: "more", isMarked: false }] },
    ]);
  });

  test("without those that are far from a change", () => {
    const many = Array.from({ length: 20 }, (_, index) => `line ${index}`).join("|");
    const found = rows(`a|${many}|b`, `x|${many}|y`);
    expect(found.map(({ kind }) => kind)).toEqual([
      "changed",
      "same",
      "same",
      "same",
      "left-out",
      "same",
      "same",
      "same",
      "changed",
    ]);
    expect(found[4]).toEqual({ kind: "left-out", count: 14 });
  });
});

describe("the page", () => {
  test("is ours by its first 512 bytes, and no page of a batch", () => {
    const head = pageOf().slice(0, 512);
    expect([isOurComparison(head), isOurPage(head)]).toEqual([true, false]);
    expect(head).toContain("comparison of bcdfghjk lmnpqrst");
  });

  test("has totals with their differences, without rows of zeros", () => {
    const page = pageOf();
    expect(page).toContain("<h1>monday (bcdfghjk) → lmnpqrst</h1>");
    expect(page).toContain(
      '<th scope="row">Cost</th><td class="n">$0.50</td><td class="n">$0.75</td><td class="n">+$0.25</td>',
    );
    expect(page).toContain('<th scope="row">Failed</th>');
    expect(page).not.toContain('<th scope="row">Cancelled</th>');
    expect(page).toContain('<span class="pill warn">2 answers changed</span>');
  });

  test("says of variants that they differ, and nothing of before and after", () => {
    const page = pageOf({ columns: [side({ name: "model=opus" }), side({ name: "model=haiku" })] });
    expect(page).toContain("<h1>Variants in batch bcdfghjk</h1>");
    expect(page).toContain('<span class="pill warn">2 answers differ</span>');
    const columns = [side({ name: "model=opus" }), side({ name: "model=haiku" })];
    const counts = { outcome: 2, changed: 1, new: 0, gone: 0, unfinished: 0, same: 3 };
    expect(countsLine(columns, counts)).toBe("2 outcomes differ, 1 answer differs, 3 same");
    expect(countsLine([side(), side({ batchId: "lmnpqrst" })], counts)).toBe(
      "2 outcomes changed, 1 answer changed, 3 same",
    );
    expect(page).toContain("compare bcdfghjk</code>");
  });

  test("shows texts as two columns and data as fields, with words for those who see no colours", () => {
    const difference = { kind: "text", rows: sideRows(["one two three"], ["one 2 three", "four"]) } as const;
    const text = pageOf({ tasks: [task({ difference })] });
    expect(text).toContain('<span class="unseen">removed: </span>one <del>two</del> three</td>');
    expect(text).toContain('<span class="unseen">added: </span>one <ins>2</ins> three</td>');
    const fields = [
      { path: "list[0].level", before: "low", after: { a: 1 } },
      { path: "n", after: 1 },
    ];
    const data = pageOf({ tasks: [task({ difference: { kind: "data", fields } })] });
    expect(data).toContain(
      '<code>list[0].level</code></th><td class="went" dir="auto">low</td><td class="came" dir="auto">{&quot;a&quot;:1}</td>',
    );
    expect(data).toContain('<code>n</code></th><td></td><td class="came" dir="auto">1</td>');
  });

  test("shows each column's own text where there is nothing to put beside it", () => {
    const [cell] = task().cells;
    if (!cell) throw new Error("no cell");
    const page = pageOf({
      tasks: [
        task({
          change: "new",
          cells: [undefined, { ...cell, href: "file:///x.html", text: "fresh", isCut: true }],
        }),
      ],
    });
    expect(page).toContain('<span class="s wait">no such task</span>');
    expect(page).toContain('<a href="file:///x.html">task 1</a>');
    expect(page).toContain(
      '<pre class="plain" dir="auto">fresh</pre><p class="note">Only the beginning is here.</p>',
    );
  });

  test("unfolds the first tasks that differ, and says how many are not on it", () => {
    const tasks = [...Array.from({ length: 30 }, () => task()), task({ change: "same" })];
    const page = pageOf({ tasks, leftOut: 7 });
    expect(page.match(/<details class="compared" data-change="changed" open>/g)).toHaveLength(20);
    expect(page).toContain('<details class="compared" data-change="same"><summary>');
    expect(page).toContain("7 more tasks not on this page.");
    expect(pageOf({ tasks: [] })).toContain("<p>No task differs.</p>");
  });
});
