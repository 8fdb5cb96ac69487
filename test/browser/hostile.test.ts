// What a model wrote, in a real browser: none of it runs, asks a server, or leads away.
import { afterAll, describe, expect } from "bun:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { resultPage } from "../../src/report/result-page.ts";
import { textCall } from "../../src/report/search-texts.ts";
import { sessionPage, sessionUpdate } from "../../src/report/session/session-page.ts";
import { Home } from "../harness.ts";
import {
  batchState,
  ended,
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
import { injectionsTo } from "./injections.ts";

// Somebody who would like to hear from a page.
const heard: string[] = [];
const thief = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: ({ url }) => {
    heard.push(url);
    return new Response("");
  },
});
afterAll(() => thief.stop(true));
const all = Object.entries(injectionsTo(`${thief.url}stolen`));

/** What a hostile text left in the page, and whether it ran. */
const traces = `(() => {
  const wrong = [];
  if (window.pwned) wrong.push("a script ran");
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (/^on|^style$|^srcdoc$|^action$|^formaction$/.test(name) && element.id !== "mark") wrong.push(element.localName + " " + name);
      if (/^(href|src)$/.test(name) && /^\\s*(javascript|data|vbscript):/i.test(element[name] ?? value)) wrong.push(value);
    }
  }
  for (const name of ["img", "iframe", "object", "embed", "form", "base", "link", "video", "audio", "math", "template", "use", "textarea"])
    if (document.querySelector(name)) wrong.push(name);
  // But for the companion, which may be on its way at this moment.
  if ([...document.scripts].filter(({ src }) => !/\\/(?:report-bcdfghjk|session\\.js)/.test(src)).length > 1) wrong.push("scripts");
  if (document.querySelectorAll("style").length > 1) wrong.push("styles");
  if (document.querySelectorAll("meta[http-equiv]").length > 1) wrong.push("metas");
  return wrong;
})()`;

async function expectHarmless(page: Page, directory: string): Promise<void> {
  expect(await page.evaluate(traces)).toEqual([]);
  expect(heard).toEqual([]);
  const home = pathToFileURL(directory).href;
  expect(page.requests).toContainEqual(expect.stringContaining(".html"));
  expect(page.requests.filter((url) => !url.startsWith(home))).toEqual([]);
  expect(page.visits.filter((url) => !url.startsWith(home))).toEqual([]);
  expect(page.complaints.filter((text) => !text.includes("ERR_FILE_NOT_FOUND"))).toEqual([]);
}

describe("a hostile session", () => {
  browserTest("can do nothing in the page of its result, wherever its words stand", async () => {
    expect(all.length).toBeGreaterThanOrEqual(96);
    await using home = new Home();
    await using page = await new Page().begin();
    for (const [index, [name, text]] of all.entries()) {
      const file = join(home.work, `result-${index}.html`);
      const words = { shown: text, totalLength: text.length + 1, transcript: text };
      const html = resultPage(
        resultOf({
          text: words,
          prompt: `${name}\n${text}`,
          batchName: text,
          model: text,
          sessionId: text,
          workingDirectory: text,
          others: [{ heading: text, text }],
          remarks: [text],
          outcome: { ...succeeded, structured: { [text]: text, list: [text] }, remark: text },
          usage: usage({
            denials: [{ tool: text, rule: text }],
            models: { [text]: { input: 1, output: 1, cacheRead: 1, cacheWritten: 1 } },
          }),
        }),
      );
      await Bun.write(file, html);
      await page.open(file);
      expect({ name, wrong: await page.evaluate(traces) }).toEqual({ name, wrong: [] });
    }
    await expectHarmless(page, home.work);
  });

  browserTest(
    "can do nothing in the page of what it did, neither at once nor as the page follows",
    async () => {
      await using home = new Home();
      await using page = await new Page().begin();
      const view = sessionOf(
        all.map(([, text]) => text),
        { feedHref: "session.js", isRunning: true },
      );
      const file = join(home.work, "session.html");
      await Bun.write(file, sessionPage(view).toString());
      await Bun.write(
        join(home.work, "session.js"),
        [...sessionUpdate({ ...view, label: "Again" })].join(""),
      );
      await page.open(file);
      await page.until(`document.querySelector("h1").textContent === "Again"`);
      await page.click("#unfold");
      await expectHarmless(page, home.work);
      await page.click("#fold");
      expect(await page.evaluate(`document.querySelectorAll("#talk details[open]").length`)).toBe(0);
      await page.evaluate(`(location.hash = "#s1-9")`);
      await page.until(`document.getElementById("s1-9").checkVisibility()`);
    },
  );

  browserTest(
    "can do nothing in the page of its batch, neither at once nor as the page follows",
    async () => {
      await using home = new Home();
      await using page = await new Page().begin();
      const texts = all.map(([, text]) => text);
      const fails = (text: string) => ({ kind: "failed", reason: "request", message: text }) as const;
      const state = batchState(
        texts,
        texts.flatMap((text, index) => [
          started(index + 1),
          ...(index % 3 === 0 ? [] : [ended(index + 1, index % 3 === 1 ? fails(text) : succeeded)]),
        ]),
        texts.join(" ").slice(0, 150),
      );
      for (const text of texts) state.fileFailures.set(text, text);
      const live = livePage();
      const view = (turn: string) =>
        pageView(state, {
          activityOf: (task) => `${turn} ${texts[task - 1]}`,
          hrefOf: (task) => (task % 2 ? `result-${task}.html` : undefined),
          held: { because: `${turn} ${texts[0]}` },
          others: texts.map((name) => otherBatch({ name, href: "x.html", end: undefined })),
        });
      const file = join(home.work, "index.html");
      await Bun.write(file, live.html(view("first")));
      await Bun.write(join(home.work, "report-bcdfghjk.js"), live.update(view("second")));
      await page.open(file);
      await page.until(`document.getElementById("part-running").textContent.includes("second")`);
      await expectHarmless(page, home.work);
      await Bun.write(join(home.work, "report-bcdfghjk.js"), live.update(view("third")));
      await page.until(`document.getElementById("part-running").textContent.includes("third")`);
      await page.click('[data-show="failed"]');
      await page.evaluate(`document.getElementById("lanes").focus()`);
      for (const key of ["End", "ArrowLeft", "Home"]) await page.press(key);
      await expectHarmless(page, home.work);
      // Those that the filter has hidden are not in the page.
      await page.click('[data-show=""]');
      await expectHarmless(page, home.work);
      expect(await page.evaluate(`document.querySelectorAll("#task-table tbody tr").length`)).toBe(
        texts.length,
      );
    },
  );

  browserTest("can do nothing in what is searched of it, nor where a place in it is shown", async () => {
    await using home = new Home();
    await using page = await new Page().begin();
    const texts = all.map(([, text]) => text);
    const state = batchState(
      texts.map((_, index) => `task ${index + 1}`),
      texts.flatMap((_, index) => [started(index + 1), ended(index + 1, succeeded)]),
    );
    const file = join(home.work, "index.html");
    await Bun.write(file, livePage().html(pageView(state, { stateWord: "finished" })));
    const call = (part: "prompt" | "answer") => (text: string, index: number) =>
      textCall(index + 1, part, { text: `needle ${text}`, limit: 100_000 });
    const calls = [...texts.map(call("prompt")), ...texts.map(call("answer"))];
    await Bun.write(join(home.work, "report-bcdfghjk-texts.js"), calls.join(""));
    await page.open(file);
    await page.click("#search");
    await page.type("needle");
    await page.until(`document.querySelectorAll(".hit").length === ${texts.length}`);
    await expectHarmless(page, home.work);
    // A search text is neither a pattern nor markup.
    for (const words of ["<script>", "(((", "\\", "[", "</small><img src=x onerror=pwned=1>"]) {
      await page.evaluate(`(location.hash = "#q=" + encodeURIComponent(${JSON.stringify(words)}))`);
      await page.until(`document.getElementById("search").value === ${JSON.stringify(words)}`);
      await expectHarmless(page, home.work);
    }
  });

  browserTest("would still be stopped by the policy if its words reached a page unescaped", async () => {
    await using home = new Home();
    await using page = await new Page().begin();
    // What no policy stops (a refresh, in Chromium a prefetch, and that of a module where a script may load others), and what ends or nests the document, are left out.
    const raw = all.filter(
      ([name]) => !/refresh|prefetch|policy|title|style$|comment|textarea|CDATA|mutates|body/.test(name),
    );
    const html = resultPage(resultOf({ text: { shown: "HERE", totalLength: 4, transcript: "" } }));
    const file = join(home.work, "raw.html");
    await Bun.write(
      file,
      html.replace("HERE", () => raw.map(([, text]) => `<div>${text}</div>`).join("\n")),
    );
    await page.open(file);
    await page.evaluate(`document.querySelectorAll("form button, details").forEach((one) => one.click())`);
    expect(await page.evaluate("window.pwned")).toBeUndefined();
    expect(heard).toEqual([]);
    expect(page.complaints.join("\n")).toContain("Content Security Policy");
  });
});
