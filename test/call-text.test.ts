// How `logs` shows what a session calls.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { callText } from "../src/doors/cli/view/call-text.ts";
import { partText } from "../src/doors/cli/view/conversation-text.ts";
import { Home, run } from "./harness.ts";
import { nativePath } from "./native-path.ts";

const shop = nativePath("/home/me/shop");
const plain = { paint: (_colour: unknown, text: string) => text, directory: shop };

function shown(tool: string, input: unknown): string {
  return callText(tool, JSON.stringify(input), plain);
}

describe("a call is a line that a person understands", () => {
  test.each([
    ["Read", { file_path: `${shop}/src/a.ts` }, nativePath("Read src/a.ts")],
    ["Read", { file_path: "/etc/hosts" }, "Read /etc/hosts"],
    ["Read", { file_path: `${shop}/a.ts`, offset: 100, limit: 50 }, "Read a.ts, lines 100 to 149"],
    ["Read", { file_path: `${shop}/a.ts`, offset: 7 }, "Read a.ts, from line 7"],
    ["Read", { file_path: `${shop}/a.pdf`, pages: "1-5" }, "Read a.pdf, pages 1-5"],
    ["Bash", { command: "npm test", description: "Runs the tests" }, "Bash npm test"],
    ["Bash", { command: "npm start", run_in_background: true }, "Bash npm start (in the background)"],
    ["Bash", { command: "cd a\nls" }, "Bash cd a\nls"],
    ["Grep", { pattern: "TODO.*", path: shop, output_mode: "content" }, "Grep TODO.*"],
    ["Grep", { pattern: "x", path: `${shop}/src`, glob: "*.ts" }, "Grep x in src, files *.ts"],
    ["Glob", { pattern: "**/*.ts" }, "Glob **/*.ts"],
    [
      "Agent",
      { description: "Count files", prompt: "…", subagent_type: "Explore" },
      "Agent Explore: Count files",
    ],
    ["Task", { description: "Count files", prompt: "…" }, "Task Count files"],
    [
      "WebFetch",
      { url: "https://a.example/b", prompt: "What is it?" },
      "WebFetch https://a.example/b · What is it?",
    ],
    ["WebSearch", { query: "bun sqlite" }, "WebSearch bun sqlite"],
    ["Skill", { skill: "review", args: "a b" }, "Skill skill: review, args: a b"],
    ["mcp__x__put", { path: `${shop}/a`, count: 2 }, "mcp__x__put path: a, count: 2"],
    [
      "TodoWrite",
      {
        todos: [
          { content: "Read", status: "completed", activeForm: "Reading" },
          { content: "Write", status: "in_progress", activeForm: "Writing" },
          { content: "Test", status: "pending", activeForm: "Testing" },
        ],
      },
      "TodoWrite 1 of 3 items done\n[x] Read\n[>] Write\n[ ] Test",
    ],
    [
      "NotebookEdit",
      { notebook_path: `${shop}/n.ipynb`, cell_id: "c1", new_source: "x = 1" },
      "NotebookEdit n.ipynb (cell c1)\n+ x = 1",
    ],
  ])("%s %j", (tool, input, text) => expect(shown(tool, input)).toBe(text));

  test("an edit is its change, with one line before and behind it", () => {
    const edit = {
      file_path: `${shop}/src/a.ts`,
      old_string: "a\nb\nc\nd\ne",
      new_string: "a\nb\nC\nC2\nd\ne",
      replace_all: false,
    };
    expect(shown("Edit", edit)).toBe(nativePath("Edit src/a.ts\n  b\n- c\n+ C\n+ C2\n  d"));
    const one = { file_path: `${shop}/a`, old_string: "x", new_string: "", replace_all: true };
    expect(shown("Edit", one)).toBe("Edit a (in every place)\n- x");
    const edits = [
      { old_string: "1", new_string: "2" },
      { old_string: "3", new_string: "4" },
    ];
    expect(shown("MultiEdit", { file_path: `${shop}/a`, edits })).toBe("MultiEdit a\n- 1\n+ 2\n- 3\n+ 4");
  });

  test("a file that is written is its size and its first lines", () => {
    const content = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`).join("\n");
    const lines = shown("Write", { file_path: `${shop}/a`, content: `${content}\n` }).split("\n");
    expect(lines[0]).toBe("Write a (40 lines)");
    expect(lines[1]).toBe("+ line 1");
    expect(lines.at(-1)).toBe("… 28 more lines");
    expect(lines).toHaveLength(14);
  });

  test("what a model writes wrongly, or to do harm, is shown all the same", () => {
    for (const tool of ["Read", "Edit", "Bash", "TodoWrite", "Write", "constructor", "__proto__"]) {
      for (const input of [{}, [], null, 7, "x", { file_path: 3, todos: "x", command: {} }])
        expect(shown(tool, input)).toStartWith(tool);
    }
    expect(shown("Edit", { file_path: "/a\u001b[31m\n", old_string: "\u202e", new_string: "\u0007" })).toBe(
      "Edit /a\n- \ufffd\n+ ␇",
    );
    expect(shown("Edit", { file_path: `${shop}/a`, old_string: "x" })).toBe(
      "Edit file_path: a, old_string: x",
    );
    expect(shown("Write", { content: "x" })).toBe("Write x");
    expect(shown("Bash", { command: "x".repeat(10_000) }).length).toBeLessThan(300);
  });
});

test("what a tool gave has paths from the working directory, and no address or other path is touched", () => {
  const text = [
    `The file ${shop}/src/a.ts has been updated (see "${shop}/b.ts").`,
    `${shop}/src/c.ts:7: x`,
    shop,
    `file://${shop}/d.ts /mnt${shop}/e.ts ${shop}ping/f.ts`,
  ].join("\n");
  expect(partText({ kind: "returned", text, nested: false, failed: false }, plain)).toBe(
    [
      '← The file src/a.ts has been updated (see "b.ts").',
      "  src/c.ts:7: x",
      `  ${shop}`,
      `  file://${shop}/d.ts /mnt${shop}/e.ts ${shop}ping/f.ts`,
    ].join("\n"),
  );
});

test("`logs` shows paths from the working directory, and --json leaves them", async () => {
  await using home = new Home();
  const input = JSON.stringify({
    file_path: join(home.work, "src/a.ts"),
    old_string: "a",
    new_string: "b",
  });
  await run(home, ["run", `[[tool name=Edit input='${input}']]`]);
  expect((await run(home, ["logs", "latest", "1"])).out).toContain(
    nativePath("→ Edit src/a.ts\n  - a\n  + b\n"),
  );
  expect((await run(home, ["logs", "latest", "1", "--json"])).out).toContain(
    JSON.stringify(join(home.work, "src/a.ts")).slice(1, -1),
  );
});
