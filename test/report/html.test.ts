// HTML is a type of its own: no text gets into a page but escaped. The `@ts-expect-error` lines are part of the test.
import { expect, test } from "bun:test";
import { Html, html, joined, nothing, repeated, sectionHtml, vouchedFor } from "../../src/report/html.ts";
import { resultPage } from "../../src/report/result-page.ts";
import { filesBelow } from "../files-below.ts";
import { markupOf, namesIn } from "./markup.ts";
import { batchState, ended, livePage, pageView, resultOf, started, succeeded, usage } from "./samples.ts";

const vector = "<meta http-equiv=refresh content=0;url=http://127.1:39990>";

test("a page with parts that many pages repeat is the same text, piece by piece, and as bytes if they fit", () => {
  const style = repeated(vouchedFor("a { content: “<” }"));
  const page = html`<style>${style}</style>${["é", style]}<p title="${"<"}">${1}</p>`;
  const text = '<style>a { content: “<” }</style>éa { content: “<” }<p title="&lt;">1</p>';
  expect(String(page)).toBe(text);
  expect([...page.pieces()].join("")).toBe(text);
  const bytes = new TextEncoder().encode(text);
  const buffer = new Uint8Array(bytes.length + 3).fill(7);
  expect(page.encodeInto(buffer, 1)).toBe(bytes.length);
  expect(buffer).toEqual(new Uint8Array([7, ...bytes, 7, 7]));
  for (let length = 0; length < bytes.length; length++)
    expect(page.encodeInto(new Uint8Array(length))).toBeUndefined();
});

test("values are escaped in elements and attributes, and HTML, lists and numbers are not", () => {
  const list = ["<i>", html`<b>${1.5}</b>`, undefined, ""];
  expect(String(html`<p title="${`"'&<>`}">${list}</p>`)).toBe(
    '<p title="&quot;&#x27;&amp;&lt;&gt;">&lt;i&gt;<b>1.5</b></p>',
  );
  expect(String(joined(["<", html`<br>`], " & "))).toBe("&lt; &amp; <br>");
  expect(nothing.isEmpty).toBe(true);
  expect(JSON.stringify({ row: html`<tr>` })).toBe('{"row":"<tr>"}');
});

test("a string does not compile where a page wants HTML, and nobody else can make any", () => {
  // @ts-expect-error A string is no HTML.
  expect(String(sectionHtml("x", "X", vector))).not.toContain("<meta");
  // @ts-expect-error The mark is not to be had.
  expect(() => new Html(vector, Symbol("html"))).toThrow("Internal error");
  // @ts-expect-error What looks like it is none.
  const fake: Html = { isEmpty: false, toString: () => vector, toJSON: () => vector };
  expect(fake).not.toBeInstanceOf(Html);
});

test("only our own script and style, and what the filter of Markdown lets through, are vouched for", async () => {
  const root = `${import.meta.dir}/../../src`;
  const callers: string[] = [];
  for (const file of filesBelow(root, ".ts"))
    if ((await Bun.file(`${root}/${file}`).text()).includes("vouchedFor(")) callers.push(file);
  expect(callers.sort()).toEqual(["report/frame.ts", "report/html.ts", "report/markdown.ts"]);
});

test("whom a batch is billed to is text in the live page and its companion, whatever a transcript says", () => {
  const state = batchState(["a"], [started(1), ended(1, succeeded, usage())]);
  state.spending.bySource.set(vector, 1);
  const page = livePage();
  const whole = page.html(pageView(state, { stateWord: "finished" }));
  expect(markupOf(whole).text).toContain(vector);
  expect(
    markupOf(whole).elements.filter(({ attributes }) => attributes.get("http-equiv") === "refresh"),
  ).toEqual([]);
  const update = page.update(pageView(state));
  expect(update).toContain("&lt;meta");
  expect(update).not.toContain("<meta");
});

test("every text of a result page is text in it", () => {
  const models = { [vector]: { input: 1, output: 1, cacheRead: 1, cacheWritten: 1 } };
  const page = resultPage(
    resultOf({
      prompt: vector,
      batchName: vector,
      sessionId: vector,
      workingDirectory: vector,
      model: vector,
      remarks: [vector],
      others: [{ heading: vector, text: vector }],
      usage: usage({ models, denials: [{ tool: vector, rule: vector }] }),
      text: { shown: vector, totalLength: 1_000, transcript: vector },
      reportHref: vector,
      feedHref: vector,
    }),
  );
  expect(namesIn(page).filter((name) => name === "meta")).toHaveLength(4);
});
