// The file of the texts that a page searches: every prompt, and the last answer of each task.
import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { SearchFile } from "../../src/engine/output/search-file.ts";
import { searchedCharacters, textCall } from "../../src/report/search-texts.ts";
import { Home } from "../harness.ts";
import { batchState } from "../report/samples.ts";

/** What a page would know after it has loaded the file. */
function loaded(path: string): Record<string, string> {
  const known: Record<string, string> = {};
  const taskText = (task: number, part: string, text: string) => {
    known[`${task} ${part}`] = text;
  };
  new Function("taskText", readFileSync(path, "utf8"))(taskText);
  return known;
}

describe("the texts of a batch", () => {
  test("are all prompts at once, and each answer as it comes; of several, the last one", async () => {
    await using home = new Home();
    const file = new SearchFile(() => batchState(["one", "two"], []).batch, home.work);
    expect(await file.create()).toBe(true);
    expect(await file.create()).toBe(false);
    await file.append([{ task: 2, text: "first" }]);
    expect([file.has(1), file.has(2)]).toEqual([false, true]);
    await file.forget([1, 2]);
    expect(file.has(2)).toBe(false);
    expect(loaded(file.path)).toEqual({ "1 prompt": "one", "2 prompt": "two", "2 answer": "" });
    const before = file.writings;
    await file.append([{ task: 2, text: "second" }]);
    expect(file.writings).toBe(before + 1);
    expect(loaded(file.path)["2 answer"]).toBe("second");
  });

  test("are written anew with all prompts where somebody has removed them", async () => {
    await using home = new Home();
    const file = new SearchFile(() => batchState(["one", "two"], []).batch, home.work);
    await file.create();
    await file.append([{ task: 1, text: "first" }]);
    rmSync(file.path);
    await file.forget([1]);
    expect(loaded(file.path)).toEqual({ "1 prompt": "one", "2 prompt": "two" });
    await file.append([{ task: 2, text: "x" }]);
    rmSync(file.path);
    expect(await file.create()).toBe(true);
    expect(file.has(2)).toBe(false);
  });

  test("are shared out among many tasks, and what is left out is told", () => {
    expect([1, 40, 41, 2_000].map(searchedCharacters)).toEqual([1_000_000, 1_000_000, 975_609, 20_000]);
    expect(textCall(3, "answer", { text: "four", limit: 4 })).toBe('taskText(3,"answer","four")\n');
    expect(textCall(3, "answer", { text: "fives", limit: 4 })).toBe('taskText(3,"answer","five…",5)\n');
    // White space that is put together is nothing that is left out.
    expect(textCall(3, "prompt", { text: " a\n\n b ", limit: 4 })).toBe('taskText(3,"prompt","a b")\n');
    expect(textCall(3, "prompt", { text: " ".repeat(20), limit: 4 })).toBe('taskText(3,"prompt","",20)\n');
  });

  test("leave to an answer what the prompt of its task does not need", async () => {
    await using home = new Home();
    const long = "x".repeat(2_000_000);
    const file = new SearchFile(() => batchState(["short", long], []).batch, home.work);
    await file.create();
    await file.append([{ task: 1, text: long }]);
    await file.append([{ task: 2, text: long }]);
    const lengths = Object.entries(loaded(file.path)).map(([name, text]) => [name, text.length]);
    // One character more: the sign that something is left out.
    expect(Object.fromEntries(lengths)).toEqual({
      "1 prompt": 5,
      "2 prompt": 500_001,
      "1 answer": 999_996,
      "2 answer": 500_001,
    });
  });
});
