// The page of a session, from the parts of its conversation: what it shows, how calls nest, and what it leaves out.
import { describe, expect, test } from "bun:test";
import type { ConversationPart } from "../../src/model/conversation.ts";
import { isOurSession, sessionTag } from "../../src/report/file-tag.ts";
import { excerptOf } from "../../src/report/session/excerpt.ts";
import { blocksOf, type SessionPage, sessionPage } from "../../src/report/session/session-page.ts";
import { ShownSession } from "../../src/report/session/shown-session.ts";
import { injectionsTo } from "../browser/injections.ts";
import { nativePath } from "../native-path.ts";
import { markupOf, namesIn } from "./markup.ts";
import { began, sessionOf, usage } from "./samples.ts";

const shop = nativePath("/home/me/shop");
const said = (text: string): ConversationPart => ({ kind: "said", text, failed: false, nested: false });
const called = (tool: string, input: unknown, id: string, parent?: string): ConversationPart => ({
  kind: "called",
  tool,
  input: JSON.stringify(input),
  id,
  nested: parent !== undefined,
  parent,
});
const returned = (of: string, text: string, failed = false, parent?: string): ConversationPart => ({
  kind: "returned",
  of,
  text,
  failed,
  nested: parent !== undefined,
  parent,
});
const ended = (text: string, more: object = {}): ConversationPart => ({
  kind: "ended",
  failed: false,
  subtype: "success",
  text,
  numTurns: 2,
  durationMs: 2_400,
  costUsd: 0.05,
  ...more,
});

function shownFrom(parts: readonly ConversationPart[], room = 1_000_000) {
  const budget = { used: 0, most: room };
  const shown = new ShownSession({ prefix: "s1-", directory: shop, room, budget });
  for (const [index, part] of parts.entries()) shown.add(part, index * 100);
  return { steps: shown.steps, budget };
}

function pageWith(
  parts: readonly ConversationPart[],
  more: Partial<SessionPage> = {},
  isOver = true,
): string {
  const { steps } = shownFrom(parts);
  const talk = { sessionId: "id-1", transcript: "/state/session-1.ndjson", model: "opus", steps, isOver };
  return String(
    sessionPage({
      batchId: "bcdfghjk",
      taskNumber: 3,
      totalTasks: 40,
      label: "Review a.ts",
      prompt: "Review a.ts",
      status: { className: "ok", word: "succeeded" },
      usage: usage({ costUsd: 0.05 }),
      isRunning: false,
      attempts: [
        {
          number: 1,
          resumes: false,
          status: { className: "ok", word: "succeeded" },
          startedAt: began,
          endedAt: began + 5_000,
          talk,
          stderr: "",
          checks: [],
        },
      ],
      attemptsLeft: 0,
      links: {},
      feedHref: "",
      now: began,
      ...more,
    }),
  );
}

const textOf = (html: string) => markupOf(html).text.replace(/\s+/g, " ");
/** The HTML of the element with an id, as far as the next step. */
const partOf = (html: string, id: string) => html.slice(html.indexOf(`id="${id}"`)).split('id="s1-')[1] ?? "";

describe("a session is shown", () => {
  test("with its words as Markdown, its thoughts folded, and how it ended, which repeats nothing", () => {
    const html = pageWith([
      { kind: "thought", text: "let me see", nested: false },
      said("It is **fine**."),
      ended("It is **fine**."),
    ]);
    expect(html).toContain("<strong>fine</strong>");
    expect(html.split("<strong>fine</strong>")).toHaveLength(2);
    expect(html).toMatch(/<details class="thought" id="s1-1"><summary>Thought: let me see/);
    expect(textOf(html)).toContain("Answered 2 turns, 2.4 s, $0.05");
  });

  test("with what each reply read, as far as the transcript says it", () => {
    const reply = { id: "m1", read: { fresh: 1_000, cacheRead: 17_000, cacheWritten: 500 } };
    const html = pageWith([
      { ...called("Bash", { command: "ls" }, "t1"), reply } as ConversationPart,
      { ...said("Done."), reply } as ConversationPart,
      { ...said("More."), reply: { id: "m2" } } as ConversationPart,
    ]);
    expect(textOf(html)).toContain("Reply 1: 18,500 tokens read, 17,000 from the cache, 500 written to it");
    expect(textOf(html)).toContain("Reply 2");
    expect(textOf(html)).not.toContain("Reply 3");
  });

  test("with the exit status of each command, which the CLI writes before its output", () => {
    const html = pageWith([
      called("Bash", { command: "npm test" }, "t1"),
      returned("t1", "Exit code 3\nno such file", true),
      called("Bash", { command: "ls" }, "t2"),
      returned("t2", "a\nb\n"),
      called("Bash", { command: "npm start", run_in_background: true }, "t3"),
      returned("t3", "Running in the background"),
      called("Bash", { command: "rm x" }, "t4"),
      returned("t4", "This command requires approval", true),
      called("Bash", { command: "sleep 9" }, "t5"),
    ]);
    expect(textOf(partOf(html, "s1-1"))).toContain(
      "npm test exit status 3 1 lineCommandnpm testWhat it saidno such file",
    );
    expect(partOf(html, "s1-1")).not.toContain("Exit code 3");
    expect(textOf(partOf(html, "s1-2"))).toContain("ls exit status 0 2 lines");
    expect(textOf(partOf(html, "s1-3"))).toContain("in the background done 1 line");
    expect(textOf(partOf(html, "s1-4"))).toContain("failed 1 line");
    expect(textOf(partOf(html, "s1-5"))).toContain("no result");
    expect(textOf(pageWith([called("Bash", { command: "ls" }, "t1")], {}, false))).toContain("ls runs");
    // What failed is unfolded, and linked from above.
    expect(html).toContain('<details class="call bad" id="s1-1" open>');
    expect(html).toContain('<details class="call" id="s1-2">');
    expect(html).toContain('<a href="#s1-1">Bash npm test</a>');
    expect(textOf(html)).toContain("2 steps failed");
  });

  test("with edits as diffs, and what is written as lines that come", () => {
    const html = pageWith([
      called("Edit", { file_path: `${shop}/src/a.ts`, old_string: "a\nb\nc", new_string: "a\nB\nc" }, "t1"),
      returned("t1", "ok"),
      called(
        "MultiEdit",
        {
          file_path: `${shop}/b.ts`,
          edits: [
            { old_string: "1", new_string: "2" },
            { old_string: "3", new_string: "4" },
          ],
        },
        "t2",
      ),
      called("Write", { file_path: `${shop}/c.ts`, content: "<b>\n".repeat(500) }, "t3"),
    ]);
    const one = partOf(html, "s1-1");
    expect(one).toContain(`<code>${nativePath("src/a.ts")}</code>`);
    expect(one).toContain("<span>  a\n</span><del>- b\n</del><ins>+ B\n</ins><span>  c\n</span>");
    expect(partOf(html, "s1-2")).toContain(
      '<del>- 1\n</del><ins>+ 2\n</ins><span class="gap">  …\n</span><del>- 3\n</del><ins>+ 4\n</ins>',
    );
    const three = partOf(html, "s1-3");
    expect(three).toContain("<ins>+ &lt;b&gt;\n</ins>");
    expect(textOf(three)).toContain("c.ts (500 lines)");
    expect(textOf(three)).toContain("100 more lines in the transcript.");
  });

  test("with what a subagent did inside the call that started it, however deep, and in whatever order it comes", () => {
    const html = pageWith([
      called("Agent", { description: "Count files", prompt: "Count." }, "a"),
      called("Agent", { description: "Other" }, "b"),
      { kind: "prompted", text: "Count.", nested: true, parent: "a" },
      called("Agent", { description: "Deeper" }, "c", "a"),
      { kind: "said", text: "inner words", failed: false, nested: true, parent: "c" },
      returned("b", "other result"),
      returned("c", "deep result", false, "a"),
      returned("a", "2 files"),
      // In the background, one goes on after its call has returned.
      { kind: "said", text: "late words", failed: false, nested: true, parent: "b" },
      said("All done."),
    ]);
    const flat = html.slice(html.indexOf('id="s1-1"'));
    const order = [
      "Count files",
      "Deeper",
      "inner words",
      "deep result",
      "2 files",
      "Other",
      "late words",
      "other result",
      "All done",
    ];
    const places = order.map((words) => flat.indexOf(words));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(html.match(/<div class="inside">/g)).toHaveLength(3);
  });

  test("with a heading for each further turn, and costs as sums from then on", () => {
    const text = textOf(
      pageWith([ended("one"), { kind: "started" }, said("two"), ended("two", { costUsd: 0.07 })]),
    );
    expect(text).toContain("Answered 2 turns, 2.4 s, $0.05");
    expect(text).toContain("Turn 2");
    expect(text).toContain("$0.0700 so far");
    expect(textOf(pageWith([ended("no", { failed: true, subtype: "error_max_turns" })]))).toContain(
      "Ended: error_max_turns",
    );
  });

  test("with errors and waits as what they are, and what is no message as its size", () => {
    const html = pageWith([
      { kind: "said", text: "API Error: 500", failed: true, nested: false },
      { kind: "waits", why: "The usage limit is reached." },
      { kind: "unread", text: "garbage", bytes: 9_000_000 },
      returned("nobody", "lost"),
      called("mcp__x__put", { path: `${shop}/a`, deep: { a: [1] } }, "t1"),
      called("Odd", [1, 2], "t2"),
      called("TodoWrite", { todos: [{ content: "Read", status: "completed" }] }, "t3"),
    ]);
    const text = textOf(html);
    for (const words of [
      "Error",
      "API Error: 500",
      "The usage limit is reached.",
      "A line of 9.0 MB that is no message",
      "Result of an earlier call done 1 lineOutputlost",
      "1 of 1 item done",
      "☑ Read",
    ])
      expect(text).toContain(words);
  });

  test("as far as it is there", () => {
    expect(textOf(pageWith([]))).toContain("The session has said nothing.");
    const talk = { sessionId: "", transcript: "/gone.ndjson", steps: undefined, isOver: true };
    const attempt = { number: 2, resumes: true, startedAt: began, stderr: "warning: odd", checks: [], talk };
    const html = pageWith([], {
      attempts: [
        {
          ...attempt,
          status: { className: "bad", word: "crashed" },
          prompt: "Try again",
          remark: "It began anew.",
        },
      ],
      attemptsLeft: 3,
      outcome: "Crashed with `code` 1",
      links: { result: "file:///r.html", report: "file:///b.html" },
    });
    const text = textOf(html);
    for (const words of [
      "The transcript /gone.ndjson no longer exists.",
      "Attempt 2 crashed",
      "Continues the conversation of the previous attempt.",
      "Try again",
      "It began anew.",
      "warning: odd",
      "Crashed with code 1",
      "All tasks of the batch",
    ])
      expect(text).toContain(words);
  });
});

describe("of a long session", () => {
  test("a long text is its beginning and its end, and says how much is left out and where it is", () => {
    const long = `begin${"x".repeat(100_000)}end`;
    const html = pageWith([called("Read", { file_path: "/a" }, "t1"), returned("t1", long)]);
    const text = textOf(html);
    expect(text).toContain("beginxxx");
    expect(text).toContain("xxxend");
    expect(text).toContain(
      "80,008 characters left out. All of it is in the transcript, in the line at byte 0.",
    );
    expect(html.length).toBeLessThan(120_000);
  });

  test("the first and the last steps are shown, within a limit, whatever is in it", () => {
    const many = Array.from({ length: 3_000 }, (_, index) => [
      said(`words ${index} ${"y".repeat(200)}`),
      called("Bash", { command: `echo ${index}` }, `t${index}`),
      returned(`t${index}`, `${index} ${"z".repeat(5_000)}`),
    ]).flat();
    const { steps, budget } = shownFrom(many, 300_000);
    expect(budget.used).toBeLessThan(330_000);
    expect(steps.left).toBeGreaterThan(5_000);
    expect(steps.left + steps.all.length).toBe(6_000);
    const words = steps.all.map(({ shown }) => (shown.kind === "words" ? shown.text.begin.slice(0, 10) : ""));
    expect(words[0]).toStartWith("words 0");
    expect(words.at(-2)).toStartWith("words 2999");
    const ids = steps.all.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("subagents that fill a page by themselves stay within it too", () => {
    const agents = Array.from({ length: 300 }, (_, agent) =>
      called("Agent", { description: `${agent}` }, `a${agent}`),
    );
    const inner = Array.from({ length: 300 }, (_, agent) =>
      Array.from({ length: 30 }, (_, step) => ({
        ...said(`${step} ${"w".repeat(1_000)}`),
        nested: true,
        parent: `a${agent}`,
      })),
    ).flat() as ConversationPart[];
    const { budget } = shownFrom([...agents, ...inner], 300_000);
    expect(budget.used).toBeLessThan(700_000);
  });

  test("an excerpt never ends in half a character", () => {
    const { begin, end, left } = excerptOf("😀".repeat(1_000), 101);
    expect(begin + end).toBe("😀".repeat((begin + end).length / 2));
    expect(begin.length + end.length + left).toBe(2_000);
    expect(excerptOf("short", 5)).toEqual({ begin: "short", left: 0, end: "" });
  });
});

test("its blocks have ids of their own, each one element with that id", () => {
  const { steps } = shownFrom(
    [...Array(400)].flatMap((_, index) => [
      called("Bash", { command: `${index}` }, `t${index}`),
      returned(`t${index}`, "x".repeat(900)),
    ]),
    100_000,
  );
  expect(steps.left).toBeGreaterThan(0);
  const talk = { sessionId: "", transcript: "/t", steps, isOver: true };
  const blocks = blocksOf({
    batchId: "bcdfghjk",
    taskNumber: 1,
    totalTasks: 1,
    label: "",
    prompt: "p".repeat(1_000),
    status: { className: "run", word: "running" },
    isRunning: true,
    attempts: [1, 2].map((number) => ({
      number,
      resumes: false,
      status: { className: "run", word: "running" } as const,
      startedAt: began,
      talk: number === 1 ? talk : { ...talk, steps: undefined },
      stderr: "e",
      checks:
        number === 1 ? [{ number: 1, name: "the question “x”", talk: { ...talk, steps: undefined } }] : [],
    })),
    attemptsLeft: 2,
    links: {},
    feedHref: "",
    now: began,
  });
  const ids = blocks.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, html } of blocks) expect(String(html)).toMatch(new RegExp(`^<\\w+[^>]* id="${id}"`));
});

test("nothing that a session wrote is more than text, wherever it stands", () => {
  for (const [name, text] of Object.entries(injectionsTo("http://127.0.0.1:9/stolen"))) {
    const html = String(sessionPage(sessionOf([text])));
    const names = namesIn(html);
    for (const bad of [
      "img",
      "iframe",
      "object",
      "embed",
      "form",
      "base",
      "link",
      "video",
      "audio",
      "math",
      "svg",
      "template",
      "textarea",
    ])
      expect({ name, has: names.includes(bad) ? bad : "" }).toEqual({ name, has: "" });
    // That of the search.
    expect({ name, inputs: names.filter((one) => one === "input").length }).toEqual({ name, inputs: 1 });
    expect({ name, scripts: names.filter((one) => one === "script").length }).toEqual({ name, scripts: 1 });
    expect(names.filter((one) => one === "meta")).toHaveLength(4);
    for (const { attributes } of markupOf(html).elements)
      for (const [attribute, value] of attributes) {
        expect(attribute).not.toMatch(/^on|^style$|^srcdoc$|^action$/);
        if (attribute === "href") expect(value).not.toMatch(/^\s*(javascript|data|vbscript):/i);
      }
  }
});

test("it says within its first 512 bytes whose it is", () => {
  const head = Buffer.from(pageWith([said("x")]))
    .subarray(0, 512)
    .toString();
  expect(head).toContain(sessionTag("bcdfghjk", 3));
  expect(isOurSession(head)).toBe(true);
  expect(isOurSession("<!doctype html>\n<!-- something else")).toBe(false);
});
