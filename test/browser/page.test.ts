// How the pages look and what they tell assistive technology, in a real browser.
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { apply, type BatchState } from "../../src/model/state.ts";
import { resultPage } from "../../src/report/result-page.ts";
import { searchedCharacters, textCall } from "../../src/report/search-texts.ts";
import { sessionPage } from "../../src/report/session/session-page.ts";
import { eventually, Home } from "../harness.ts";
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

/** 60 tasks of every standing, some of them running and some queued. */
function everything(): BatchState {
  const outcomes = [succeeded, ...failures];
  const denials = [{ tool: "Bash", rule: "Bash(npm test:*)" }];
  const events = Array.from({ length: 50 }, (_, index) => {
    const outcome = outcomes[index % outcomes.length] ?? succeeded;
    const end = ended(
      index + 1,
      outcome,
      usage({ costUsd: (index * 7) % 11, ...(index % 9 ? {} : { denials }) }),
    );
    return index < 46 ? [started(index + 1), end] : [started(index + 1)];
  });
  const prompts = Array.from({ length: 60 }, (_, index) => `Review part ${index + 1} of the work`);
  return batchState(prompts, events.flat(), "Everything");
}

const view = (state: BatchState, more = {}) =>
  pageView(state, {
    activityOf: () => "Reads README.md",
    hrefOf: (task) => (task < 40 ? `result-${task}.html` : undefined),
    held: { because: "The disk is nearly full", until: began + 3_600_000 },
    others: [otherBatch()],
    ...more,
  });

const markdown =
  "# One\n\nText with `code`, a [link](https://example.com) and\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n> quoted\n\n```\nlong\n```";

async function written(home: Home): Promise<{ live: string; result: string }> {
  const page = livePage();
  const live = join(home.work, "index.html");
  const result = join(home.work, "result.html");
  // Of one state, so that nothing changes in the page once it has loaded its companion.
  const shown = view(everything());
  await Bun.write(live, page.html(shown));
  await Bun.write(join(home.work, "report-bcdfghjk.js"), page.update(shown));
  const text = { shown: markdown, totalLength: markdown.length, transcript: "/state/3.jsonl" };
  const denials = [{ tool: "Write", rule: "Write" }];
  await Bun.write(
    result,
    resultPage(
      resultOf({
        text,
        sessionId: "abc-1",
        usage: usage({ denials }),
        outcome: { ...succeeded, structured: [{ a: 1 }] },
      }),
    ),
  );
  return { live, result };
}

/** The hold is said once, when the companion is first loaded. Later it would be said over what a test looks for. */
const holdIsSaid = `document.getElementById("said").textContent.includes("No new sessions start")`;

/** Texts whose contrast with what is behind them is below 4.5. */
const faint = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (colour, under) => {
    canvas.fillStyle = "rgb(" + under.join(",") + ")"; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => { const [r, g, b] = rgb.map((c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (element) => {
    const chain = []; for (let at = element; at; at = at.parentElement) chain.unshift(getComputedStyle(at).backgroundColor);
    return chain.reduce((under, colour) => parse(colour, under), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === "" || !element.checkVisibility() || ["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
    const ground = behind(element);
    const style = getComputedStyle(element);
    const ink = parse(element.closest("svg") ? style.fill : style.color, ground);
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.add(element.tagName + "." + element.className + " " + ratio.toFixed(2) + " " + walker.currentNode.data.trim().slice(0, 30));
  }
  return [...found];
})()`;

describe("the pages", () => {
  browserTest("can be read in light, in dark, and on paper", async () => {
    await using home = new Home();
    const files = await written(home);
    await using page = await new Page().begin();
    const grounds: unknown[] = [];
    for (const file of [files.live, files.result]) {
      await page.open(file);
      for (const how of [
        { scheme: "light" },
        { scheme: "dark" },
        { scheme: "dark", media: "print" },
      ] as const) {
        await page.media(how);
        expect({ how, faint: await page.evaluate(faint) }).toEqual({ how, faint: [] });
        grounds.push(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      }
    }
    expect(grounds.slice(0, 3)).toEqual(["rgb(246, 245, 242)", "rgb(25, 24, 23)", "rgb(255, 255, 255)"]);
  });

  browserTest("hide on paper what can only be clicked, and show where links lead", async () => {
    await using home = new Home();
    const files = await written(home);
    await using page = await new Page().begin();
    await page.open(files.live);
    expect(await page.evaluate(`document.getElementById("tools").checkVisibility()`)).toBe(true);
    await page.media({ media: "print" });
    expect(await page.evaluate(`document.getElementById("tools").checkVisibility()`)).toBe(false);
    expect(
      await page.evaluate(`getComputedStyle(document.querySelector("#t1 a"), "::after").content`),
    ).toContain("result-1.html");
    await page.open(files.result);
    expect(await page.evaluate(`document.querySelector("[data-copy]").checkVisibility()`)).toBe(false);
    expect(
      await page.evaluate(`getComputedStyle(document.querySelector(".answer a"), "::after").content`),
    ).toContain("example.com");
  });

  browserTest("let no word for an end stand in the next column", async () => {
    await using home = new Home();
    const outcomes = [
      ...failures,
      { kind: "failed", reason: "model", message: "no" },
      { kind: "timed-out", clock: "first-event", afterMs: 1 },
      { kind: "cancelled", by: "failure-mode" },
    ] as const;
    const state = batchState(
      outcomes.map((_, index) => `part ${index}`),
      outcomes.flatMap((outcome, index) => [started(index + 1), ended(index + 1, outcome)]),
    );
    const file = join(home.work, "index.html");
    await Bun.write(file, livePage().html(pageView(state, { stateWord: "finished" })));
    for (const width of [400, 700, 1200]) {
      await using page = await new Page({ width }).begin();
      await page.open(file);
      const wide = `[...document.querySelectorAll("#task-table td.s")].filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)`;
      expect({ width, wide: await page.evaluate(wide) }).toEqual({ width, wide: [] });
    }
  });

  browserTest("fit a screen of 400 pixels, and of 1,600", async () => {
    await using home = new Home();
    const files = await written(home);
    for (const width of [400, 1600]) {
      await using page = await new Page({ width }).begin();
      for (const file of [files.live, files.result]) {
        await page.open(file);
        expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      }
    }
  });

  browserTest(
    "tell assistive technology their landmarks, tables, heads and controls, none without a name",
    async () => {
      await using home = new Home();
      const files = await written(home);
      for (const width of [1200, 400]) {
        await using page = await new Page({ width }).begin();
        await page.open(files.live);
        await page.evaluate(`document.querySelector('th[data-sort="cost"] button')?.click()`);
        const tree = await page.accessibility();
        const named = (role: string) => tree.filter((one) => one.role === role).map(({ name }) => name);
        for (const role of ["banner", "main", "contentinfo"]) expect(named(role)).toHaveLength(1);
        expect(named("navigation")).toEqual(["Other batches in this directory"]);
        expect(named("search")).toEqual(["Tasks"]);
        expect(named("heading")).toEqual(
          expect.arrayContaining(["Everything", "Timeline", "Needs attention 41 tasks"]),
        );
        expect(named("table").map((name) => name.replace(/ \d.*/, ""))).toEqual([
          "All tasks",
          "Needs attention",
          "Running now",
        ]);
        for (const head of ["Task", "Prompt", "Status", "Duration", "Cost"])
          expect(named("columnheader").map((name) => name.replace(/ [↑↓]$/, ""))).toContain(head);
        expect(named("row").length).toBeGreaterThan(60);
        const controls = tree.filter(({ role }) =>
          /^(button|link|searchbox|combobox|group|image|DisclosureTriangle)$/.test(role),
        );
        expect(controls.length).toBeGreaterThan(50);
        expect(controls.filter(({ role, name }) => name.trim() === "" && role !== "group")).toEqual([]);
        expect(named("group").some((name) => name.includes("Arrow keys go from session to session"))).toBe(
          true,
        );
      }
      await using page = await new Page().begin();
      await page.open(files.result);
      const tree = await page.accessibility();
      expect(tree.filter(({ role }) => role === "heading")[0]?.name).toBe(
        "Review src/model/state.ts for mistakes",
      );
      expect(tree.filter(({ role }) => role === "button").map(({ name }) => name)).toEqual([
        "Copy the prompt",
        "Copy as Markdown",
        "Download",
        "Copy this code",
        "Copy the command",
      ]);
      expect(tree.filter(({ role, name }) => /button|link/.test(role) && name.trim() === "")).toEqual([]);
    },
  );

  browserTest(
    "skip no heading, have one link for each target, and lead the keyboard to the table at once",
    async () => {
      await using home = new Home();
      const files = await written(home);
      await using page = await new Page().begin();
      for (const [file, target] of [
        [files.live, "tasks"],
        [files.result, "answer"],
      ] as const) {
        await page.open(file);
        const levels = await page.evaluate(
          `[...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((one) => Number(one.tagName[1]))`,
        );
        const steps = (levels as number[]).map((level, index, all) => level - (all[index - 1] ?? 0));
        expect(steps.filter((step) => step > 1)).toEqual([]);
        expect(
          await page.evaluate(
            `[...document.querySelectorAll("tr, li")].filter((one) => one.querySelectorAll(":scope > td a, :scope > a").length > 1).length`,
          ),
        ).toBe(0);
        await page.press("Tab");
        expect(await page.evaluate("document.activeElement.className")).toBe("skip");
        expect(await page.evaluate(`getComputedStyle(document.activeElement).clipPath`)).toBe("none");
        await page.press("Enter");
        await page.until(`location.hash === "#${target}"`);
      }
      // From there, the search is the next stop.
      await page.open(files.live);
      await page.press("Tab");
      await page.press("Enter");
      await page.until(`location.hash === "#tasks"`);
      await page.press("Tab");
      expect(await page.evaluate("document.activeElement.id")).toBe("search");
    },
  );

  browserTest("have no stop for the keyboard that cannot be seen, on a phone either", async () => {
    await using home = new Home();
    const { live } = await written(home);
    const seen = `((element) => {
      if (element === document.body) return "end";
      const clipped = element.closest("thead, .skip, .unseen");
      const { width, height } = element.getBoundingClientRect();
      return width > 0 && height > 0 && !(clipped && getComputedStyle(clipped).clipPath !== "none") ? "seen" : element.outerHTML.slice(0, 60);
    })(document.activeElement)`;
    for (const width of [400, 1200]) {
      await using page = await new Page({ width }).begin();
      await page.open(live);
      const stops: unknown[] = [];
      for (let left = 150; left > 0 && stops.at(-1) !== "end"; left--) {
        await page.press("Tab");
        stops.push(await page.evaluate(seen));
      }
      expect(stops.pop()).toBe("end");
      expect(stops.length).toBeGreaterThan(40);
      expect(stops.filter((stop) => stop !== "seen")).toEqual([]);
    }
  });

  browserTest("what scrolls in a result page is a stop for the keyboard, and nothing else is", async () => {
    await using home = new Home();
    const shown = `\`\`\`\n${"wide ".repeat(200)}\n\`\`\`\n\n\`\`\`\nnarrow\n\`\`\`\n\n|a|\n|-|\n|${"w".repeat(23)}|`;
    const file = join(home.work, "result.html");
    const text = { shown, totalLength: shown.length, transcript: "/t" };
    await Bun.write(file, resultPage(resultOf({ text })));
    await using page = await new Page().begin();
    await page.open(file);
    const stops = `[...document.querySelectorAll("pre:not([hidden]), .wide")].map((one) => [one.tabIndex === 0, one.getAttribute("role"), one.getAttribute("aria-label")])`;
    const none = [false, null, null];
    expect(await page.evaluate(stops)).toEqual([none, [true, "group", "Text that scrolls"], none, none]);
  });

  browserTest(
    "the timeline's lines stand at its times, and the pointer takes nothing of its summary away",
    async () => {
      await using home = new Home();
      const { live } = await written(home);
      for (const width of [1200, 400]) {
        await using page = await new Page({ width }).begin();
        await page.open(live);
        const words = await page.text("#timeline-box .sum");
        expect(words).toContain("sessions");
        const move = (x: string) =>
          page.evaluate(
            `(({ left, top, width }) => document.getElementById("lanes").dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: ${x}, clientY: top + 2 })))(document.querySelector("#lanes .bars").getBoundingClientRect())`,
          );
        await move("left + width * 0.015");
        expect(await page.text("#readout")).toStartWith("Task 1 ·");
        expect(await page.text("#timeline-box .sum")).toBe(words);
        await move("left - 500");
        expect(await page.text("#readout")).toStartWith("Point at a session");
        const [lines, times] = (await page.evaluate(
          `[document.querySelector(".grid").getAttribute("d").match(/M[\\d.]+/g).map((one) => Number(one.slice(1)) / 20),
          [...document.querySelectorAll(".axis text")].map((one) => parseFloat(one.getAttribute("x")))]`,
        )) as [number[], number[]];
        expect(times.length).toBeGreaterThan(1);
        expect(lines.map((one) => one.toFixed(1))).toEqual(times.map((one) => one.toFixed(1)));
        // Nothing of the summary is cut off.
        expect(
          await page.evaluate(
            `[...document.querySelectorAll("#timeline-box p")].every(({ scrollWidth, clientWidth, scrollHeight, clientHeight }) => scrollWidth <= clientWidth && scrollHeight <= clientHeight)`,
          ),
        ).toBe(true);
      }
    },
  );

  browserTest(
    "sort answers that are data by a click, and keep order and focus when the page changes",
    async () => {
      await using home = new Home();
      const answers = [{ severity: 10, kind: "style" }, { severity: 9, kind: "bug" }, { severity: -1 }];
      const state = batchState(
        ["a", "b", "c", "d"],
        answers.flatMap((structured, index) => [
          started(index + 1),
          ended(index + 1, { ...succeeded, structured }),
        ]),
      );
      const page = livePage();
      const live = join(home.work, "index.html");
      const write = async (more = {}) => {
        await Bun.write(live, page.html(pageView(state, more)));
        await Bun.write(join(home.work, "report-bcdfghjk.js"), page.update(pageView(state, more)));
      };
      await write();
      await using open = await new Page().begin();
      await open.open(live);
      const order = `[...document.querySelectorAll("#data-table tbody tr")].map((row) => row.id).join()`;
      await open.click("#data-table-1");
      expect(await open.evaluate(order)).toBe("d3,d2,d1");
      await open.click("#data-table-1");
      expect(await open.evaluate(order)).toBe("d1,d2,d3");
      expect(await open.text("#said")).toBe("Sorted by severity, descending.");
      expect(
        await open.evaluate(`document.querySelector("#data-table [aria-sort]").getAttribute("aria-sort")`),
      ).toBe("descending");
      const more = { ...answers[1], severity: 9.5, file: "x.ts" };
      for (const body of [started(4), ended(4, { ...succeeded, structured: more })])
        apply(state, { ...body, at: state.changedAt + 1_000, epoch: 1 });
      await write();
      await open.until(`document.querySelectorAll("#data-table thead th").length === 4`);
      expect(await open.evaluate(order)).toBe("d1,d4,d2,d3");
      expect(await open.evaluate("document.activeElement.id")).toBe("data-table-1");
    },
  );

  browserTest("print a folded task, and an address that is its own link once", async () => {
    await using home = new Home();
    const shown = "<https://bare.example/x> and [words](https://words.example/y)";
    const file = join(home.work, "result.html");
    const text = { shown, totalLength: shown.length, transcript: "/t" };
    await Bun.write(file, resultPage(resultOf({ prompt: "line\n".repeat(20), text })));
    await using page = await new Page().begin();
    await page.open(file);
    const height = `document.querySelector("pre.asked").getBoundingClientRect().height`;
    const behind = `[...document.querySelectorAll(".answer a")].map((one) => getComputedStyle(one, "::after").content)`;
    expect(await page.evaluate(`document.querySelector("pre.asked").checkVisibility()`)).toBe(false);
    await page.media({ media: "print" });
    expect(await page.evaluate(height)).toBeGreaterThan(200);
    expect(await page.evaluate(behind)).toEqual(["none", expect.stringContaining(" (")]);
    // Where the style cannot unfold it, the script does, and folds it again.
    await page.media({ media: "screen" });
    const open = `document.querySelector("details").open`;
    await page.evaluate(`dispatchEvent(new Event("beforeprint"))`);
    expect(await page.evaluate(open)).toBe(true);
    await page.evaluate(`dispatchEvent(new Event("afterprint"))`);
    expect(await page.evaluate(open)).toBe(false);
  });

  browserTest("times are those of the reader's clock, also after an update", async () => {
    await using home = new Home();
    const files = await written(home);
    await using page = await new Page().begin();
    const times = `[...new Set([...document.querySelectorAll("time")].map((one) => one.textContent.slice(-6)))]`;
    for (const [zone, offset] of [
      ["Asia/Kolkata", "+05:30"],
      ["America/St_Johns", "-03:30"],
    ]) {
      await page.cdp("Emulation.setTimezoneOverride", { timezoneId: zone });
      for (const file of [files.live, files.result]) {
        await page.open(file);
        expect(await page.evaluate(times)).toEqual([offset]);
      }
    }
    await page.open(files.live);
    const update = livePage().update(view(everything(), { now: began + 600_000 }));
    await Bun.write(join(home.work, "report-bcdfghjk.js"), update);
    await page.until(`document.getElementById("part-progress").textContent.includes("10 min")`);
    expect(await page.evaluate(times)).toEqual(["-03:30"]);
  });

  browserTest("a batch of less than a second has times on its axis too", async () => {
    await using home = new Home();
    const file = join(home.work, "index.html");
    const state = batchState(["a"], [started(1)]);
    await Bun.write(file, livePage().html(view({ ...state, createdAt: began }, { now: began + 800 })));
    await using page = await new Page().begin();
    await page.open(file);
    const times = await page.evaluate(
      `[...document.querySelectorAll(".axis text")].map((one) => one.textContent)`,
    );
    expect(times).toEqual(["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s"]);
  });

  browserTest(
    "have a timeline for mouse and keyboard, also when they were opened before the first session",
    async () => {
      await using home = new Home();
      const live = join(home.work, "index.html");
      const page = livePage();
      await Bun.write(live, page.html(pageView(batchState(["one"], []))));
      await using tab = await new Page().begin();
      await tab.open(live);
      const later = batchState(["one"], [started(1), ended(1, succeeded)]);
      await Bun.write(join(home.work, "report-bcdfghjk.js"), livePage().update(pageView(later)));
      await tab.until(`document.getElementById("lanes") !== null`);
      await tab.evaluate(`document.getElementById("lanes").focus()`);
      await tab.press("Home");
      expect(await tab.text("#readout")).toMatch(/^Task 1/);
      await tab.press("Escape");
      expect(await tab.text("#readout")).toStartWith("Point at a session");
      await tab.click("#lanes .bars");
      await tab.until(`document.getElementById("readout").textContent.startsWith("Task 1")`);
      // Where its session has a page, Enter leads to its attempt there, and Tab behind what everybody knows already.
      const session = join(home.work, "session.html");
      await Bun.write(session, sessionPage(sessionOf(["words"])).toString());
      const sessionPageOf = () => pathToFileURL(session).href;
      const linked = livePage().update(pageView(later, { sessionOf: sessionPageOf }));
      await Bun.write(join(home.work, "report-bcdfghjk.js"), linked);
      await tab.open(live);
      await tab.until(`document.querySelector("a.did") !== null`);
      await tab.evaluate(`document.getElementById("lanes").focus()`);
      await tab.press("Home");
      await tab.press("Enter");
      // Whole, because its load would pass for that of the page that is opened next.
      await tab.until(
        `location.hash === "#attempt-1" && document.title.includes("session of task") && document.readyState === "complete"`,
      );
      const levels = await tab.evaluate(
        `[...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((one) => Number(one.tagName[1]))`,
      );
      const steps = (levels as number[]).map((level, index, all) => level - (all[index - 1] ?? 0));
      expect(steps.filter((step) => step > 1)).toEqual([]);
      await tab.open(session);
      await tab.until(`location.hash === "" && document.readyState === "complete"`);
      await tab.press("Tab");
      expect(await tab.evaluate("document.activeElement.className")).toBe("skip");
      await tab.press("Enter");
      await tab.until(`location.hash === "#talk"`);
      expect(await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    },
  );

  browserTest("no time of the axis stands in another one on a phone", async () => {
    await using home = new Home();
    await using page = await new Page({ width: 400 }).begin();
    const file = join(home.work, "index.html");
    const state = batchState(["a"], [started(1)]);
    for (const seconds of [75, 90, 200, 900, 5_400, 10_000, 40_000]) {
      await Bun.write(file, livePage().html(view(state, { now: state.createdAt + seconds * 1_000 })));
      await page.open(file);
      const places = (await page.evaluate(
        `[...document.querySelectorAll(".axis text")].map((one) => one.getBoundingClientRect()).map(({ left, right }) => [left, right])`,
      )) as [number, number][];
      const gaps = places.slice(1).map(([left], index) => left - (places[index]?.[1] ?? 0));
      expect({ seconds, least: Math.min(...gaps) >= 3 }).toEqual({ seconds, least: true });
    }
  });

  browserTest("sort, search and filter, and say in the address what was chosen", async () => {
    await using home = new Home();
    const { live } = await written(home);
    await using page = await new Page().begin();
    await page.open(live);
    await page.until(holdIsSaid);
    const column = (cell: number) =>
      page.evaluate(
        `[...document.querySelectorAll("#task-table tbody tr")].filter((row) => !row.hidden).map((row) => row.cells[${cell}].textContent)`,
      );
    await page.click('th[data-sort="cost"] button');
    expect(((await column(4)) as string[])[0]).toBe("$10.00");
    await page.click('th[data-sort="cost"] button');
    expect(await page.evaluate(`document.querySelector('th[data-sort="cost"]').ariaSort`)).toBe("ascending");
    await page.click('[data-show="running"]');
    expect(await column(2)).toEqual(["running", "running", "running", "running"]);
    await page.click("#search");
    await page.type("part 48 ");
    // With its last key, too, which would write the address again.
    await page.until(`document.getElementById("search").value === "part 48 "`);
    expect(await column(0)).toEqual(["48"]);
    expect(await page.text("#said")).toContain("1 of 60 tasks shown");
    const hash = String(await page.evaluate("location.hash"));
    await page.evaluate(`(location.hash = ${JSON.stringify(hash.replace("48", "49"))})`);
    await page.until(`document.getElementById("search").value.includes("49")`);
    expect(await column(0)).toEqual(["49"]);
    // An address says all of a choice, and a link to a row shows it.
    await page.evaluate(`(location.hash = "#show=running")`);
    await page.until(`document.getElementById("search").value === ""`);
    expect(await column(0)).toEqual(["47", "48", "49", "50"]);
    await page.evaluate(`(location.hash = "#t3")`);
    await page.until(`document.querySelector("#t3:target").hidden === false`);
    expect(await page.evaluate(`document.querySelector('[data-show=""]').ariaPressed`)).toBe("true");
  });

  browserTest("find what only prompts and answers say, and show where they say it", async () => {
    await using home = new Home();
    const { live } = await written(home);
    const texts = join(home.work, "report-bcdfghjk-texts.js");
    const limit = 3_000;
    const calls = [
      textCall(1, "prompt", { text: `Review part 1\n${"and more ".repeat(300)}of the *umbrella*`, limit }),
      textCall(1, "answer", { text: "Nothing was found.", limit }),
      textCall(3, "prompt", { text: "Review part 3", limit }),
      textCall(3, "answer", { text: `${"so ".repeat(900)}\nUse a **red\n  \`Zebra\`** instead`, limit }),
    ];
    await Bun.write(texts, calls.join(""));
    await using page = await new Page().begin();
    await page.open(live);
    await page.until(holdIsSaid);
    const hits = `[...document.querySelectorAll("#task-table tbody tr:not([hidden])")].map((row) => [row.id, row.querySelector(".hit")?.textContent])`;
    const search = async (words: string) => {
      await page.evaluate(
        `(({ box, words }) => { box.value = words; box.focus(); box.dispatchEvent(new Event("input")); })({ box: document.getElementById("search"), words: ${JSON.stringify(words)} })`,
      );
    };
    await search("UMBRELLA");
    await page.until(`${hits}.length === 1`);
    expect(await page.evaluate(hits)).toEqual([
      ["t1", expect.stringMatching(/^Prompt: ….*and more of the umbrella$/)],
    ]);
    expect(await page.text(".hit mark")).toBe("umbrella");
    await search("red `zebra`  instead");
    expect(await page.evaluate(hits)).toEqual([
      ["t3", expect.stringMatching(/^Answer: … so .* Use a red Zebra instead$/)],
    ]);
    expect(await page.text("#said")).toBe("1 of 60 tasks shown.");
    expect(await page.evaluate(`document.getElementById("reach").hidden`)).toBe(true);
    // What the table shows needs no such place.
    await search("part 3 ");
    expect(new Set((await page.evaluate(`${hits}.map(([, hit]) => hit)`)) as string[])).toEqual(
      new Set([null as unknown as string]),
    );
    // An answer that comes later is found without loading the page again; the last one of a task counts.
    await Bun.write(texts, [...calls, textCall(3, "answer", { text: "A heron", limit })].join(""));
    const more = view(everything(), { texts: { href: "report-bcdfghjk-texts.js", writings: 2 } });
    await Bun.write(join(home.work, "report-bcdfghjk.js"), livePage().update(more));
    await search("heron");
    await page.until(`${hits}.length === 1`);
    await search("zebra");
    expect(await page.evaluate(hits)).toEqual([]);
    await search("");
    expect(await page.evaluate(`document.querySelectorAll(".hit").length`)).toBe(0);
  });

  browserTest("say which texts are not searched as a whole, and that they are not there", async () => {
    await using home = new Home();
    const { live } = await written(home);
    await using page = await new Page().begin();
    await page.open(`${live}`);
    await page.click("#search");
    await page.type("x");
    await page.until(`document.getElementById("reach").textContent.includes("Only what the table shows")`);
    const cut = textCall(7, "answer", { text: "long ".repeat(100), limit: 50 });
    await Bun.write(join(home.work, "report-bcdfghjk-texts.js"), cut);
    await page.open(live);
    await page.evaluate(`(location.hash = "#q=long")`);
    await page.until(`document.querySelectorAll(".hit").length === 1`);
    expect(await page.text("#reach")).toBe(
      "1 task has long texts, of which only the beginnings are searched: 666,666 characters of each task.",
    );
  });

  browserTest("search 2,000 answers of 20,000 characters within a moment", async () => {
    await using home = new Home();
    const tasks = 2_000;
    const state = batchState(
      Array.from({ length: tasks }, (_, index) => `Review part ${index + 1} of the work`),
      Array.from({ length: tasks }, (_, index) => [started(index + 1), ended(index + 1, succeeded)]).flat(),
    );
    const file = join(home.work, "index.html");
    await Bun.write(file, livePage().html(pageView(state, { stateWord: "finished" })));
    const limit = searchedCharacters(tasks);
    const text = "all of these words are looked at ".repeat(1_000);
    const calls = Array.from({ length: tasks }, (_, index) =>
      textCall(index + 1, "answer", {
        text: `${text.slice(0, 15_000)}${index === 1_234 ? " quince" : ""}`,
        limit,
      }),
    );
    await Bun.write(join(home.work, "report-bcdfghjk-texts.js"), calls.join(""));
    await using page = await new Page().begin();
    await page.open(file);
    await page.click("#search");
    await page.type("quince");
    await page.until(`document.querySelectorAll(".hit").length === 1`);
    expect(await page.evaluate(`document.querySelector(".hit").closest("tr").id`)).toBe("t1235");
  });

  browserTest(
    "show everything without scripts too, and load themselves again while the batch runs",
    async () => {
      await using home = new Home();
      const { live } = await written(home);
      await using page = await new Page().begin();
      await page.cdp("Emulation.setScriptExecutionDisabled", { value: true });
      await page.open(live);
      const tree = await page.accessibility();
      expect(tree.some(({ name }) => name.includes("Reads README.md"))).toBe(true);
      expect(tree.some(({ role, name }) => role === "image" && name.includes("sessions, "))).toBe(true);
      // What could do nothing is not there.
      expect(tree.filter(({ role }) => role === "searchbox" || role === "button")).toEqual([]);
      const before = page.visits.length;
      await eventually(
        () => page.visits.length > before,
        () => "the page did not load itself again",
      );
    },
  );

  browserTest("tell when nothing has been heard of the batch for long", async () => {
    await using home = new Home();
    const { live } = await written(home);
    await using page = await new Page().begin();
    await page.open(live);
    // The sample was written in 2025, and its runner is long gone.
    await page.until(`!document.getElementById("silence").hidden`);
  });

  browserTest(
    "copy the command that continues a conversation, code, and the answer, and download that",
    async () => {
      await using home = new Home();
      const { result } = await written(home);
      await using page = await new Page().begin();
      await page.open(result);
      for (const button of ["[data-copy='command']", "[data-copy='markdown']", ".code > button"]) {
        await page.evaluate(`document.querySelector("${button}").focus()`);
        await page.click(button);
        await page.until(`document.querySelector("${button}").textContent === "Copied"`);
      }
      await page.evaluate(`(() => {
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        blob.text().then((text) => { window.saved = text; });
        return make.call(URL, blob);
      };
    })()`);
      await page.click("[data-save]");
      await page.until("window.saved !== undefined");
      expect(await page.evaluate("window.saved")).toBe(
        await page.evaluate(`document.getElementById("markdown").textContent`),
      );
      expect(await page.evaluate("window.saved")).toContain("```");
    },
  );
});
