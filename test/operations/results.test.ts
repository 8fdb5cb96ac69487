// Reading results: which, how much of each, and what the message says of the rest.
import { describe, expect, test } from "bun:test";
import { readResults } from "../../src/operations/results.ts";
import { failed, Inside } from "../inside.ts";

const read = async (inside: Inside, input: object, door: "tools" | "command-line" = "tools") =>
  readResults.run(inside.context(door), { batchId: "latest", ...input }, inside.call());

/** Tasks 1, 3 and 4 have ended, task 3 without success. */
function four(inside: Inside) {
  const context = inside.context();
  return inside.batch(context, { tasks: 5 }).answer(1, "one").end(3, failed).answer(4, "four").start(5);
}

describe("results are chosen", () => {
  const cases: [what: string, input: object, tasks: number[], matching: number, message: string][] = [
    ["all that have ended", {}, [1, 3, 4], 3, "These are 1 to 3 of 3 matching tasks."],
    [
      "by number, with those that have not ended yet",
      { tasks: [1, 2, 5] },
      [1],
      1,
      "This is the only matching task. Not ended yet: 2, 5.",
    ],
    ["by success", { status: "success" }, [1, 4], 2, "These are 1 to 2 of 2 matching tasks."],
    ["by failure", { status: "error" }, [3], 1, "This is the only matching task."],
    [
      "page by page",
      { limit: 2 },
      [1, 3],
      3,
      "These are 1 to 2 of 3 matching tasks. The next page has `offset: 2`.",
    ],
    ["from the next page on", { offset: 2 }, [4], 3, "This is number 3 of 3 matching tasks."],
    ["past the last", { offset: 3 }, [], 3, "There are only 3 matching tasks; `offset: 3` is past the last."],
    ["where none fits", { tasks: [2] }, [], 0, "No ended task matches the request. Not ended yet: 2."],
  ];
  for (const [what, input, tasks, matching, message] of cases) {
    test(what, async () => {
      using inside = new Inside();
      four(inside);
      const answer = await read(inside, input);
      expect(answer.results.map(({ taskIndex }) => taskIndex)).toEqual(tasks);
      expect(answer).toMatchObject({ state: "running", totalTasks: 5, matching, message });
      expect(answer.nextOffset).toBe(what === "page by page" ? 2 : undefined);
    });
  }

  test("and the first of many that have not ended are named", async () => {
    using inside = new Inside();
    inside.batch(inside.context(), { tasks: 21 });
    const numbers = Array.from({ length: 21 }, (_, index) => index + 1);
    const named = async (tasks: number[]) => (await read(inside, { tasks })).message;
    expect(await named(numbers)).toEndWith(`Not ended yet: ${numbers.slice(0, 20).join(", ")} ….`);
    expect(await named(numbers.slice(1))).toEndWith(`Not ended yet: ${numbers.slice(1).join(", ")}.`);
  });
});

test("an entry has the text and its length, and a page of its own where there is one", async () => {
  using inside = new Inside();
  const batch = four(inside);
  const end = batch.log.state.tasks[0];
  const at = end?.status === "done" ? end.endedAt : 0;
  inside.write(`output/result-001-${at}.html`, `<meta name="batch-task" content="${batch.id}/1">`);
  const { results } = await read(inside, {});
  expect(results[0]).toMatchObject({
    taskDescription: "task 1",
    status: "success",
    result: "one",
    textLength: 3,
    outcome: "succeeded",
    sessionId: "session-1",
  });
  expect(results[0]).not.toHaveProperty("truncated");
  expect(results[1]).toMatchObject({
    status: "error",
    error: "Reached its turn limit",
    outcome: "failed: max-turns",
  });
});

describe("of a long text", () => {
  const text = Array.from({ length: 30_000 }, (_, index) => String(index % 10)).join("");
  const cases: [what: string, input: object, from: number, length: number, nextFrom: number | undefined][] = [
    ["an excerpt is given", {}, 0, 2_000, 2_000],
    ["all is given on request", { full: true }, 0, 30_000, undefined],
    ["a part is given from a place on", { tasks: [1], from: 5 }, 5, 20_000, 20_005],
    ["a part of a length is given", { tasks: [1], characters: 7 }, 0, 7, 7],
    ["any part is given", { tasks: [1], from: 29_990, characters: 10 }, 29_990, 10, undefined],
    ["nothing is behind its end", { tasks: [1], from: 30_000 }, 30_000, 0, undefined],
  ];
  for (const [what, input, from, length, nextFrom] of cases) {
    test(what, async () => {
      using inside = new Inside();
      inside.batch(inside.context()).answer(1, text).finish();
      const { results, message } = await read(inside, input);
      expect(results[0]?.result).toBe(text.slice(from, from + length));
      expect(results[0]?.nextFrom).toBe(nextFrom);
      expect(results[0]?.truncated).toBe(nextFrom === undefined ? undefined : true);
      expect(results[0]?.textLength).toBe(30_000);
      const more = `The text of task 1 is longer: ask for \`tasks\` [1] with \`from\` ${nextFrom}.`;
      if (nextFrom === undefined) expect(message).not.toContain("longer");
      else expect(message).toEndWith(more);
    });
  }

  test("the command line shows all of it", async () => {
    using inside = new Inside();
    const { id } = inside.batch(inside.context()).answer(1, text).finish();
    const { message } = await read(inside, {}, "command-line");
    expect(message).toEndWith(
      `The text of task 1 is longer: \`parallel-claude-code-mcp results ${id} 1\` shows all of it.`,
    );
  });

  test("an answer has as many whole results as fit", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 3 });
    for (const task of [1, 2, 3]) batch.answer(task, text);
    const call = inside.call({ limits: { waitSeconds: 0, answerCharacters: 20_000 } });
    const answer = await readResults.run(context, { batchId: batch.id, full: true }, call);
    expect(JSON.stringify(answer).length).toBeWithin(19_000, 20_001);
    expect(answer.results).toHaveLength(3);
    expect(answer.results.every(({ truncated }) => truncated)).toBe(true);
  });
});

test("descriptions share what is theirs", async () => {
  using inside = new Inside();
  const context = inside.context();
  const prompt = "p".repeat(3_000);
  const batch = inside.batch(context, { tasks: Array.from({ length: 20 }, () => ({ prompt })) });
  for (let task = 1; task <= 20; task++) batch.answer(task, "a");
  const described = async (limit: number) => (await read(inside, { limit })).results[0]?.taskDescription;
  expect(await described(1)).toMatch(/^p{1000}[^p]/);
  expect(await described(20)).toMatch(/^p{500}[^p]/);
});

describe("is refused", () => {
  const one = "`from` and `characters` are for the text of one task: name it by its number, and no other.";
  const cases: [input: object, message: string | RegExp][] = [
    [{ from: 1 }, one],
    [{ characters: 1 }, one],
    [{ tasks: [1, 2], from: 1 }, one],
    [{ tasks: [6] }, /^Batch \w+ has tasks 1 to 5; there is no task 6\.$/],
    [{ tasks: [6, 7], from: 0 }, /there are no tasks 6, 7\.$/],
  ];
  for (const [input, message] of cases) {
    test(JSON.stringify(input), async () => {
      using inside = new Inside();
      four(inside);
      await expect(read(inside, input)).rejects.toThrow(message);
    });
  }
});

test("of a batch that ended without success, the message says first how", async () => {
  using inside = new Inside();
  four(inside).append({ type: "cancel-requested", by: "user" }, { type: "batch-ended" });
  const { state, end, message } = await read(inside, { tasks: [1] });
  expect({ state, end }).toEqual({ state: "cancelled", end: "stopped" });
  expect(message).toMatch(/^Cancelled by the user: .*\. This is the only matching task\.$/);
  using good = new Inside();
  good.batch(good.context()).answer(1, "yes").finish();
  expect((await read(good, {})).message).toBe("This is the only matching task.");
});
