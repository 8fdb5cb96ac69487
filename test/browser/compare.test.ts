// The page of a comparison in a real browser.
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { comparisonPage, type TaskComparison } from "../../src/report/comparison-page.ts";
import { sideRows } from "../../src/report/diff/side-by-side.ts";
import { Home } from "../harness.ts";
import { browserTest, Page } from "./browser.ts";
import { injectionsTo } from "./injections.ts";

const side = {
  state: "finished",
  tasks: 3,
  succeeded: 3,
  failed: 0,
  cancelled: 0,
  unfinished: 0,
  costUsd: 1,
  sessionMs: 1,
} as const;
const counts = { outcome: 0, changed: 1, new: 1, gone: 0, unfinished: 0, same: 1 };
const ok = { className: "ok", word: "succeeded" } as const;

function task(key: string, change: TaskComparison["change"], text: string): TaskComparison {
  return {
    key,
    change,
    cells: [1, 2].map((taskIndex) => ({ taskIndex, status: { ...ok, word: text }, model: text, text })),
  };
}

function pageWith(tasks: TaskComparison[], name = "monday"): string {
  const columns = [
    { ...side, name, batchId: "bcdfghjk" },
    { ...side, name: "", batchId: "lmnpqrst" },
  ];
  return comparisonPage({ columns, counts, message: name, tasks, leftOut: 0, now: 0 });
}

describe("a comparison", () => {
  browserTest("is filtered, searched and folded, by mouse and by keyboard", async () => {
    await using home = new Home();
    await using page = await new Page().begin();
    const file = join(home.work, "comparison.html");
    const tasks = [
      task("a.ts", "changed", "apple"),
      task("b.ts", "new", "pear"),
      task("c.ts", "same", "plum"),
    ];
    await Bun.write(file, pageWith(tasks));
    await page.open(file);
    const shown = () =>
      page.evaluate(
        `[...document.querySelectorAll("#compared > details")].filter((one) => one.checkVisibility()).map((one) => one.querySelector("b").textContent).join()`,
      );
    expect(await shown()).toBe("a.ts,b.ts,c.ts");
    await page.click('[data-show="new"]');
    expect(await shown()).toBe("b.ts");
    expect(await page.text("#shown")).toBe("1 of 3 shown");
    expect(await page.evaluate(`document.querySelector('[aria-pressed="true"]').dataset.show`)).toBe("new");
    await page.click('[data-show=""]');
    await page.click("#search");
    await page.type("PLUM");
    expect(await shown()).toBe("c.ts");
    await page.type("x");
    expect(await page.text("#nothing")).toBe("No task matches.");
    await page.evaluate(
      `(() => { const search = document.getElementById("search"); search.value = ""; search.dispatchEvent(new Event("input")); })()`,
    );
    const open = () => page.evaluate(`document.querySelectorAll("#compared > details[open]").length`);
    await page.click("#unfold");
    expect(await open()).toBe(3);
    await page.click("#fold");
    expect(await open()).toBe(0);
    await page.evaluate(`document.querySelector("#compared summary").focus()`);
    await page.press("Enter");
    expect(await open()).toBe(1);
    await page.evaluate(`window.dispatchEvent(new Event("beforeprint"))`);
    expect(await open()).toBe(3);
    await page.evaluate(`window.dispatchEvent(new Event("afterprint"))`);
    expect(await open()).toBe(1);
    expect(page.complaints).toEqual([]);
  });

  browserTest("runs, loads and styles nothing of what a model wrote", async () => {
    await using home = new Home();
    await using page = await new Page().begin();
    const file = join(home.work, "comparison.html");
    for (const [name, text] of Object.entries(injectionsTo("http://127.0.0.1:9/stolen"))) {
      const fields = [{ path: text, before: text, after: { [text]: text } }];
      const rows = sideRows([text, "x"], [`${text} more`, text]);
      await Bun.write(
        file,
        pageWith(
          [
            task(text, "new", text),
            { ...task(text, "changed", text), difference: { kind: "text", rows } },
            { ...task(text, "changed", text), difference: { kind: "data", fields } },
          ],
          text,
        ),
      );
      await page.open(file);
      const wrong = await page.evaluate(`(() => [
        ...(window.pwned ? ["a script ran"] : []),
        ...[...document.querySelectorAll("*")].flatMap((one) => [...one.attributes].filter(({ name }) => /^(on|style$|srcdoc$|action$)/.test(name)).map(({ name }) => one.localName + " " + name)),
        ...["img", "iframe", "object", "form", "base", "link", "svg", "math", "template", "textarea"].filter((one) => document.querySelector(one)),
        ...(document.scripts.length > 1 ? ["scripts"] : []),
        ...(document.querySelectorAll("style").length > 1 ? ["styles"] : []),
      ])()`);
      expect({ name, wrong }).toEqual({ name, wrong: [] });
    }
    expect(page.requests.filter((url) => !url.startsWith("file:") && url !== "about:blank")).toEqual([]);
    expect(page.complaints).toEqual([]);
  });

  browserTest(
    "has two columns in a wide window, one in a narrow one, and no scroll bar of its own",
    async () => {
      await using home = new Home();
      const file = join(home.work, "comparison.html");
      const rows = sideRows(["one two three four five"], ["one 2 three four five"]);
      await Bun.write(
        file,
        pageWith([{ ...task("a.ts", "changed", "x"), difference: { kind: "text", rows } }]),
      );
      const sides = `[".diff .went", ".diff .came"].map((one) => document.querySelector(one).getBoundingClientRect())`;
      for (const [width, isBeside] of [
        [1200, true],
        [420, false],
      ] as const) {
        await using page = await new Page({ width }).begin();
        await page.open(file);
        expect(await page.evaluate(`(([one, other]) => one.top === other.top)(${sides})`)).toBe(isBeside);
        expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      }
    },
  );
});
