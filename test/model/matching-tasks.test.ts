// Which tasks of two batches are the same, and which tasks of one are variants of another.
import { describe, expect, test } from "bun:test";
import type { Task } from "../../src/model/event.ts";
import { matchingTasks } from "../../src/model/matching-tasks.ts";
import { stateFrom } from "../../src/model/state.ts";
import { variantsOf } from "../../src/model/variants.ts";
import { created } from "./events.ts";

function batchOf(tasks: Task[], sessionOptions = {}) {
  return stateFrom(created(1, { batch: { tasks, sessionOptions } })).batch;
}

const keyed = (...keys: string[]): Task[] => keys.map((key) => ({ prompt: `Read ${key}`, key }));
const plain = (...prompts: string[]): Task[] => prompts.map((prompt) => ({ prompt }));

describe("tasks of two batches are the same", () => {
  const cases: [what: string, before: Task[], after: Task[], matches: (number | undefined)[][]][] = [
    [
      "by key, wherever they stand",
      keyed("a", "b", "c"),
      keyed("c", "a", "d"),
      [
        [3, 1],
        [1, 2],
        [undefined, 3],
        [2, undefined],
      ],
    ],
    ["by key, although their prompts differ", keyed("a"), [{ prompt: "other", key: "a" }], [[1, 1]]],
    [
      "never with another key, although their prompts are equal",
      [{ prompt: "x", key: "a" }],
      [{ prompt: "x", key: "b" }],
      [
        [undefined, 1],
        [1, undefined],
      ],
    ],
    ["by prompt where one has no key", plain("Read a"), keyed("a"), [[1, 1]]],
    [
      "by number and prompt",
      plain("x", "x", "y"),
      plain("x", "x", "z"),
      [
        [1, 1],
        [2, 2],
        [undefined, 3],
        [3, undefined],
      ],
    ],
    [
      "by prompt in their order, where they have moved",
      plain("x", "y", "x"),
      plain("y", "x", "x"),
      [
        [2, 1],
        [1, 2],
        [3, 3],
      ],
    ],
    [
      "by the prompt without what a retry added",
      plain("x"),
      [{ prompt: "x\n\nmore", appended: 6 }],
      [[1, 1]],
    ],
  ];
  for (const [what, before, after, matches] of cases) {
    test(what, () => expect<unknown>(matchingTasks(batchOf(before), batchOf(after))).toEqual(matches));
  }
});

describe("variants", () => {
  const models = ["opus", "haiku"];

  test("of a matrix are columns, in rows by the key that they share", () => {
    const tasks = ["a [1].ts", "b.ts"].flatMap((path, index) =>
      models.map(
        (model): Task => ({
          prompt: "Review it",
          key: `${path} [model=${model}]`,
          options: { model },
          values: { index: String(index + 1), path },
        }),
      ),
    );
    expect(variantsOf(batchOf(tasks))).toEqual({
      columns: ["model=opus", "model=haiku"],
      rows: [
        { key: "a [1].ts", tasks: [1, 2] },
        { key: "b.ts", tasks: [3, 4] },
      ],
    });
  });

  test("do not include summaries, nor tasks that are variants of none", () => {
    const tasks: Task[] = [
      { prompt: "x", options: { model: "opus" } },
      { prompt: "x", options: { model: "haiku" } },
      { prompt: "y" },
      { prompt: "Sum up", summary: { round: 1, level: 1, first: 1, last: 3, isWhole: true } },
    ];
    expect(variantsOf(batchOf(tasks))).toEqual({
      columns: ["model=opus", "model=haiku"],
      rows: [{ tasks: [1, 2] }],
    });
  });

  test("may be tasks with the same prompt; what differs in nothing that matters is none", () => {
    const tasks: Task[] = [
      { prompt: "x", options: { name: "one" } },
      { prompt: "x", options: { name: "two", effort: "low", model: "opus" } },
      { prompt: "x" },
      { prompt: "y", options: { model: "opus", effort: "low" } },
    ];
    expect(variantsOf(batchOf(tasks, { model: "haiku" }))).toEqual({
      columns: ["effort=default, model=haiku", "effort=low, model=opus"],
      rows: [{ tasks: [1, 2] }, { tasks: [3, undefined] }, { tasks: [undefined, 4] }],
    });
    expect(variantsOf(batchOf(plain("x", "y")))).toBeUndefined();
    expect(variantsOf(batchOf(plain("x", "x")))).toBeUndefined();
    expect(
      variantsOf(batchOf([{ prompt: "x", options: { model: "opus" } }, { prompt: "y" }])),
    ).toBeUndefined();
  });
});
