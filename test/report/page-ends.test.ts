// The lower parts of the live page: files that could not be written, other batches, the footer.
import { describe, expect, test } from "bun:test";
import { timeText } from "../../src/report/amounts.ts";
import { fileFailuresHtml, footerHtml, othersHtml } from "../../src/report/page-ends.ts";
import { markupOf, textsIn } from "./markup.ts";
import { batchState, began, otherBatch } from "./samples.ts";

function failuresOf(count: number): string {
  const state = batchState(["a"], []);
  for (let index = 0; index < count; index++) state.fileFailures.set(`/out/${index}`, "full");
  return String(fileFailuresHtml(state));
}

describe("files that could not be written", () => {
  test("are listed with why, after a word of comfort", () => {
    expect(failuresOf(0)).toBe("");
    expect(textsIn(failuresOf(2), "p")).toEqual(["The results themselves are safe in the transcripts."]);
    expect(textsIn(failuresOf(2), "li")).toEqual(["/out/0: full", "/out/1: full"]);
  });

  test.each([
    [20, undefined],
    [21, "And 1 more file."],
    [23, "And 3 more files."],
  ])("of %d are twenty, and the number of the others: %p", (count, more) => {
    expect(textsIn(failuresOf(count), "li")).toHaveLength(20);
    expect(textsIn(failuresOf(count), "p")[1]).toBe(more);
  });
});

describe("other batches", () => {
  test.each([
    [50, []],
    [51, ["And 1 older one."]],
    [53, ["And 3 older ones."]],
  ])("of %d are fifty, and the number of the others", (count, more) => {
    const part = String(othersHtml(Array.from({ length: count }, () => otherBatch())));
    expect(textsIn(part, "li")).toHaveLength(50);
    expect(textsIn(part, "p")).toEqual(more);
  });

  test("without a name are called by their id, once", () => {
    expect(textsIn(String(othersHtml([otherBatch({ name: undefined })])), "a")).toEqual(["Batch zzzzzzzz"]);
    expect(textsIn(String(othersHtml([otherBatch()])), "a")).toEqual(["Older (zzzzzzzz)"]);
    expect(String(othersHtml([]))).toBe("");
  });
});

test("the footer says how old the page is, where the files are, and how to go on in a terminal", () => {
  const footer = (word: "running" | "finished") =>
    textsIn(String(footerHtml(batchState(["a"], []), word, { now: began, isServed: false })), "p");
  expect(footer("finished")).toEqual([
    `As of ${timeText(began)}.`,
    "Files of the batch: /home/me/Desktop/claude-code-resultsIn a terminal: parallel-claude-code-mcp show bcdfghjkWith buttons to act: parallel-claude-code-mcp ui bcdfghjk",
  ]);
  expect(footer("running")[0]).toBe(`This page updates while the batch runs. As of ${timeText(began)}.`);
  expect(
    markupOf(
      String(footerHtml(batchState(["a"], []), "running", { now: began, isServed: true })),
    ).elements[0]?.attributes.get("data-at"),
  ).toBe(String(began));
});
