import { describe, expect, test } from "bun:test";
import { timeText } from "../../src/report/amounts.ts";
import { fileTag } from "../../src/report/file-tag.ts";
import { resultPage } from "../../src/report/result-page.ts";
import { factsIn, markupOf, namesIn, textsIn } from "./markup.ts";
import { began, resultOf, succeeded, usage } from "./samples.ts";

const textOf = (html: string) => markupOf(html).text;

describe("resultPage", () => {
  test("says within its first 512 bytes whose it is", () => {
    const head = Buffer.from(resultPage(resultOf())).subarray(0, 512).toString();
    expect(head).toContain(fileTag("bcdfghjk", 3));
  });

  test("shows the checks of the answer, and what each said, as text", () => {
    const checks = [
      { kind: "pattern" as const, asked: "^<b>", passed: true, output: "" },
      { kind: "question" as const, asked: "Is it good?", passed: true, output: "<i>Yes</i>, it is." },
      { kind: "command" as const, asked: "npx tsc", passed: false, output: "It ended with exit code 2." },
      { kind: "command" as const, asked: "nope", passed: false, output: "", broken: true },
    ];
    const html = resultPage(resultOf({ checks }));
    expect(html).not.toContain("<i>Yes");
    const text = textOf(html);
    for (const said of [
      "Checks of the answer",
      "passedthe pattern `^<b>`",
      "passedthe question “Is it good?”<i>Yes</i>, it is.",
      "failedthe command `npx tsc`It ended with exit code 2.",
      "not madethe command `nope`",
    ])
      expect(text).toContain(said);
    expect(textOf(resultPage(resultOf({})))).not.toContain("Checks of the answer");
  });

  test("has no script but its own, fetches nothing, and says so in its policy", () => {
    const html = resultPage(resultOf({ prompt: "<script>alert(1)</script>", batchName: "<img src=x>" }));
    expect(namesIn(html).filter((name) => name === "script")).toHaveLength(1);
    for (const name of ["img", "iframe", "link", "form", "object"]) expect(namesIn(html)).not.toContain(name);
    const policy = markupOf(html).elements.find(
      ({ attributes }) => attributes.get("http-equiv") !== undefined,
    );
    expect(policy?.attributes.get("content")).toContain("default-src 'none'");
    expect(textOf(html)).toContain("<script>alert(1)</script>");
  });

  test("shows the task, the answer, and what it took", () => {
    const models = { "claude-opus-4-5": { input: 1234, output: 56, cacheRead: 7, cacheWritten: 8 } };
    const text = textOf(resultPage(resultOf({ usage: usage({ costUsd: 1.5, models }) })));
    for (const part of [
      "Review src/model/state.ts",
      "It is fine.",
      "$1.50",
      "1 min 14 s",
      "1,234",
      "Task 3 of 40",
    ]) {
      expect(text).toContain(part);
    }
  });

  test("says that a cost is not the whole of it", () => {
    expect(textOf(resultPage(resultOf({ usage: usage({ costUsd: 1.5, atLeast: true }) })))).toContain(
      "at least $1.50",
    );
  });

  test("gives the command that continues the conversation, quoted for a shell", () => {
    const html = resultPage(resultOf({ workingDirectory: "/home/me/it's; rm -rf ~", sessionId: "abc-1" }));
    expect(textOf(html)).toContain("cd '/home/me/it'\\''s; rm -rf ~' && claude --resume abc-1");
  });

  test("says when the answer is cut, how long it is, and where all of it is", () => {
    const text = { shown: "x".repeat(1000), totalLength: 123_456, transcript: "/state/3.jsonl" };
    const page = textOf(resultPage(resultOf({ text })));
    expect(page).toContain("first 1,000 of 123,456 characters");
    expect(page).toContain("/state/3.jsonl");
    expect(textOf(resultPage(resultOf()))).not.toContain("These are the first");
  });

  test("shows an answer that came as data once, and what is nested in it as lists", () => {
    const structured = { tags: ["a", "<b>"], issues: [{ line: 1 }], deep: { a: { b: { c: 1 } } } };
    const answer = (shown: string) => {
      const text = { shown, totalLength: shown.length, transcript: "/state/3.jsonl" };
      return resultPage(resultOf({ outcome: { ...succeeded, structured }, text }));
    };
    const once = answer(JSON.stringify(structured, null, 2));
    expect(once).not.toContain('id="answer"');
    expect(once).toContain('href="#structured"');
    expect(once).toContain('<td class="short"><ul><li>a</li><li>&lt;b&gt;</li></ul></td>');
    expect(once).toContain('<td class="short"><ul><li><ul><li><b>line</b> 1</li></ul></li></ul></td>');
    expect(textOf(once)).toContain('b {"c":1}');
    // Words of its own are shown beside it.
    expect(answer("Here it is.")).toContain('id="answer"');
    expect(answer('{"tags":[]}')).toContain('id="answer"');
  });

  test("shows a cut answer as text, though it came as data: the data may be cut, too", () => {
    const structured = { a: 1 };
    const text = { shown: '{"a":1}', totalLength: 8, transcript: "/state/3.jsonl" };
    const html = resultPage(resultOf({ outcome: { ...succeeded, structured }, text }));
    expect(html).toContain('id="answer"');
    expect(html).toContain('href="#answer"');
    const whole = resultPage(
      resultOf({ outcome: { ...succeeded, structured }, text: { ...text, totalLength: 7 } }),
    );
    expect(whole).not.toContain('id="answer"');
    // An answer without words, beside data: the data is the answer.
    const silent = { ...text, shown: "", totalLength: 0 };
    expect(resultPage(resultOf({ outcome: { ...succeeded, structured }, text: silent }))).not.toContain(
      'id="answer"',
    );
    expect(textOf(resultPage(resultOf({ text: silent })))).toContain("Claude returned no text.");
  });

  test("has the task's label as its title, or the number where there is none", () => {
    const titlesOf = (more: Parameters<typeof resultOf>[0]) => {
      const html = resultPage(resultOf(more));
      return [...textsIn(html, "title"), ...textsIn(html, "h1")];
    };
    expect(titlesOf({ label: "Lint" })).toEqual(["Lint · task 3", "Lint"]);
    expect(titlesOf({ label: "" })).toEqual(["Task 3 · task 3", "Task 3"]);
  });

  test.each([
    [1, 3, ["All tasks of the batch", "Task 2 →"]],
    [2, 3, ["← Task 1", "All tasks of the batch", "Task 3 →"]],
    [3, 3, ["← Task 2", "All tasks of the batch"]],
    [1, 1, ["All tasks of the batch"]],
  ])(
    "links task %d of %d to its neighbours that there are, above and below",
    (taskNumber, totalTasks, links) => {
      const navigations = [
        ...resultPage(resultOf({ taskNumber, totalTasks })).matchAll(/<nav class="steps".*?<\/nav>/gs),
      ];
      expect(navigations.map(([navigation]) => textsIn(navigation, "a"))).toEqual([links, links]);
      const step = (to: number, by: number, rel: string) =>
        `<a href="report-bcdfghjk.html#t${to}" data-step="${by}" rel="${rel}">`;
      const whole = String(navigations[0]?.[0]);
      expect(whole.includes(step(taskNumber - 1, -1, "prev"))).toBe(taskNumber > 1);
      expect(whole.includes(step(taskNumber + 1, 1, "next"))).toBe(taskNumber < totalTasks);
    },
  );

  test("has all facts that are known, and none that is not", () => {
    const factsOf = (more: Parameters<typeof resultOf>[0]) => {
      const html = resultPage(resultOf(more));
      return factsIn(html.slice(html.indexOf('id="facts"')));
    };
    const lasting = {
      Ended: timeText(began + 74_000),
      "Working directory": "/home/me/my project",
      Transcript: "/state/batches/bcdfghjk/3-1.jsonl",
    };
    const known = {
      ...lasting,
      Cost: "$0.0123",
      Duration: "1 min 14 s",
      Turns: "3",
      Model: "claude-opus-4-5",
      Started: timeText(began),
      Session: "0b5e2c1a-7a1c-4f0e-9d53-2f7f7f6f1c11",
      "Continue in a terminal":
        "cd '/home/me/my project' && claude --resume 0b5e2c1a-7a1c-4f0e-9d53-2f7f7f6f1c11 Copy",
    };
    expect(factsOf({})).toEqual(known);
    const denied = (rule: string) => ({ tool: "Bash", rule });
    const usageDenied = usage({ denials: [denied("Bash(a)"), denied("Bash(b)"), denied("Bash(a)")] });
    expect(factsOf({ attempts: 2, leaked: 2, variables: ["A", "B"], usage: usageDenied })).toEqual({
      ...known,
      Attempts: "2, of which this is the last",
      "Left behind": "2 processes, ended with it",
      "Variables from env": "A, B",
      "Denied tools": "Bash(a) Bash(b)",
    });
    expect(
      factsOf({ usage: undefined, model: undefined, startedAt: undefined, sessionId: undefined }),
    ).toEqual(lasting);
  });

  test("says below the title how it ended, how long it took, what it cost, and when that was", () => {
    const underOf = (more: Parameters<typeof resultOf>[0]) =>
      textsIn(/<p class="under">.*?<\/p>/s.exec(resultPage(resultOf(more)))?.[0] ?? "", "p");
    const ended = timeText(began + 74_000);
    expect(underOf({})).toEqual([`Succeeded1 min 14 s$0.0123${ended}`]);
    expect(underOf({ usage: undefined, startedAt: undefined })).toEqual([`Succeeded${ended}`]);
    const denials = [{ tool: "Bash", rule: "Bash(a)" }];
    expect(underOf({ usage: usage({ denials }) })[0]).toStartWith("Succeeded, tools denied1 min");
  });

  test("has the tokens of each model, and no such part where none is known", () => {
    const models = { opus: { input: 1_234, output: 56, cacheRead: 7, cacheWritten: 8 } };
    const html = resultPage(resultOf({ usage: usage({ models }) }));
    const part = html.slice(html.indexOf('id="tokens"'));
    expect(textsIn(part, "th")).toEqual(["Model", "Input", "Output", "Read from cache", "Written to cache"]);
    expect(textsIn(part, "td")).toEqual(["opus", "1,234", "56", "7", "8"]);
    expect(resultPage(resultOf())).not.toContain('id="tokens"');
  });

  test("folds a long task", () => {
    expect(namesIn(resultPage(resultOf()))).not.toContain("details");
    const isFolded = (prompt: string) => namesIn(resultPage(resultOf({ prompt }))).includes("details");
    expect([isFolded("x".repeat(600)), isFolded("x".repeat(601))]).toEqual([false, true]);
    expect([isFolded("x\n".repeat(7)), isFolded("x\n".repeat(8))]).toEqual([false, true]);
    const [summary] = textsIn(resultPage(resultOf({ prompt: "line\n".repeat(400) })), "summary");
    expect(summary).toBe("line (2,000 characters)");
  });

  test("shows what was answered before, under its own words", () => {
    const others = [{ heading: "Earlier:", text: "The tests **passed**." }];
    const text = textOf(resultPage(resultOf({ others })));
    expect(text).toMatch(/Other answers of this session[\s\S]*Earlier:[\s\S]*The tests passed\./);
  });

  test("names denied tools and what would let them through", () => {
    const denials = [{ tool: "Bash", rule: "Bash(npm test:*)" }];
    const text = textOf(resultPage(resultOf({ usage: usage({ denials }) })));
    expect(text).toContain("tools denied");
    expect(text).toContain('allowedTools: "Bash(npm test:*)"');
  });

  test("shows a remark", () => {
    const remarks = ["The session did not exit by itself.", 'It ran with "<opus>".'];
    const text = textOf(resultPage(resultOf({ remarks })));
    for (const remark of remarks) expect(text).toContain(remark);
  });

  test.each([
    ["records", [{ a: 1, b: { c: "<b>" } }, { a: 2 }]],
    ["an object", { name: "<script>", list: [1, 2] }],
    ["a list", ["x", null, { y: 1 }]],
    ["text", "<script>"],
    ["nothing", null],
    ["an empty list", []],
    ["10,000 rows", Array.from({ length: 10_000 }, (_, row) => ({ row }))],
    ["names that other objects have", JSON.parse('{"__proto__":{"x":1},"constructor":2}')],
  ])("shows data: %s", (_, structured: unknown) => {
    const html = resultPage(resultOf({ outcome: { ...succeeded, structured } }));
    expect(textOf(html)).toContain("Answer as data");
    expect(namesIn(html).filter((name) => name === "script")).toHaveLength(1);
    expect(html.length).toBeLessThan(1_000_000);
  });

  test("shows data that is nested too deep for JSON, rather than fail", () => {
    let structured: unknown = 1;
    for (let depth = 0; depth < 200_000; depth++) structured = [structured];
    expect(resultPage(resultOf({ outcome: { ...succeeded, structured } }))).toContain("Answer as data");
  });

  test("keeps a prompt of 9 MB from filling the page", () => {
    expect(resultPage(resultOf({ prompt: "word ".repeat(1_800_000) })).length).toBeLessThan(500_000);
  });
});
