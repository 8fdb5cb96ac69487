// What needs attention: which tasks, gathered by what to do about them.
import { describe, expect, test } from "bun:test";
import type { EventBody } from "../../src/model/event.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { attentionTable } from "../../src/report/attention.ts";
import { keptRows } from "../../src/report/kept-rows.ts";
import { textsIn } from "./markup.ts";
import { batchState, ended, started, succeeded, usage } from "./samples.ts";

const auth: Outcome = { kind: "failed", reason: "auth", message: "" };
const billing: Outcome = { kind: "failed", reason: "billing", message: "" };

/** Groups as a reader sees them: advice, then the rows. */
function groupsOf(events: EventBody[], tasks: number, hrefOf = (_: number): string | undefined => undefined) {
  const prompts = Array.from({ length: tasks }, (_, index) => `prompt ${index + 1}`);
  const state = batchState(prompts, events);
  const { attentions } = keptRows()({ state, hrefOf });
  const table = String(attentionTable(state, attentions));
  return { table, groups: textsIn(table, "tbody").map((text) => text.split("\n")) };
}

const ends = (outcome: Outcome, ...tasks: number[]) =>
  tasks.flatMap((task) => [started(task), ended(task, outcome)]);

describe("the table of tasks that need attention", () => {
  test("is empty where all is well, and where tasks were only cancelled or wait", () => {
    const events = [...ends(succeeded, 1), ...ends({ kind: "cancelled", by: "user" }, 2), started(3)];
    expect(groupsOf(events, 4).table).toBe("");
  });

  test("has the largest group first, with its advice once, naming its tasks, and how many they are", () => {
    const { groups } = groupsOf([...ends(billing, 1), ...ends(auth, 2, 4), ...ends(billing, 3, 5)], 5);
    expect(groups.map(([advice, ...rows]) => [advice?.replace(/\).*?(\{[^}]*\}).*$/, ") $1"), rows])).toEqual(
      [
        [
          'Failed: billing (3 tasks) {"batchId":"bcdfghjk","tasks":[1,3,5]}',
          [
            "1prompt 1Refused for billing reasons",
            "3prompt 3Refused for billing reasons",
            "5prompt 5Refused for billing reasons",
            "",
          ],
        ],
        [
          'Failed: not logged in (2 tasks) {"batchId":"bcdfghjk","tasks":[2,4]}',
          ["2prompt 2Not logged in", "4prompt 4Not logged in", ""],
        ],
      ],
    );
  });

  test("has no number beside the advice for a single task", () => {
    const [[advice = ""] = []] = groupsOf(ends(auth, 1), 1).groups;
    expect(advice).toEndWith('"tasks":[1]} reruns the task. Copy call');
    expect(advice).not.toContain("(1");
  });

  test("has the call that helps on a button that copies it, unless the page can make it", () => {
    const { table } = groupsOf(ends(auth, 1), 1);
    expect(table).toContain(
      'data-text="retry_batch {&quot;batchId&quot;:&quot;bcdfghjk&quot;,&quot;tasks&quot;:[1]}"',
    );
    const { attentions } = keptRows()({ state: batchState(["x"], ends(auth, 1)), hrefOf: () => undefined });
    const served = String(attentionTable(batchState(["x"], ends(auth, 1)), attentions, { acts: true }));
    expect(served).not.toContain("data-text");
    expect(served).toContain('data-act="retry"');
  });

  test.each([
    [4, undefined],
    [5, "and 1 more task"],
    [7, "and 3 more tasks"],
  ])("has four rows of a group of %d, and says how many more there are: %p", (count, more) => {
    const tasks = Array.from({ length: count }, (_, index) => index + 1);
    const [rows = []] = groupsOf(ends(auth, ...tasks), count).groups;
    expect(rows.slice(1, 5).map((row) => row[0])).toEqual(["1", "2", "3", "4"]);
    expect(rows[5] || undefined).toBe(more);
  });

  test.each([
    [30, undefined],
    [32, "2 more tasks in the table of all tasks."],
  ])("of %d groups, it has thirty, and says what the others hold: %p", (count, more) => {
    const events = Array.from({ length: count }, (_, index) => [
      started(index + 1),
      // Advice that differs: the variable that is lost.
      ended(index + 1, { kind: "not-started", message: "", lost: [`V${index}`] }),
    ]).flat();
    const { table, groups } = groupsOf(events, count);
    expect(groups).toHaveLength(30);
    expect(textsIn(table, "p")).toEqual(more === undefined ? [] : [more]);
  });

  test.each([
    [1, "Succeeded, but 1 tool call was denied"],
    [2, "Succeeded, but 2 tool calls were denied"],
  ])("has a success at which %d tools were denied, in a colour of its own", (count, happened) => {
    const denials = Array.from({ length: count }, () => ({ tool: "Write", rule: "Write" }));
    const { table, groups } = groupsOf([started(1), ended(1, succeeded, usage({ denials }))], 1);
    expect(groups[0]?.[1]).toBe(`1prompt 1${happened}`);
    expect(table).toContain('<tr id="a1" class="warn">');
  });

  test("has a success with a remark, which is what there is to say", () => {
    const { groups } = groupsOf(ends({ ...succeeded, remark: "It was odd." }, 1), 1);
    expect(groups).toEqual([["SucceededIt was odd.", "1prompt 1Succeeded, with a remark", ""]]);
  });

  test("links to the file of a task, or else to its row", () => {
    const { table } = groupsOf(ends(auth, 1, 2), 2, (task) => (task === 1 ? "one.txt" : undefined));
    expect([...table.matchAll(/<a href="([^"]*)">prompt/g)].map(([, href]) => href)).toEqual([
      "one.txt",
      "#t2",
    ]);
  });
});
