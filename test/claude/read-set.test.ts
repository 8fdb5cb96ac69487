// What a session read, as its transcript says.
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type ReadSet, readSetOf } from "../../src/claude/read-set.ts";
import { toolNames } from "../../src/claude/tool-names.ts";

/** The read set of a session whose transcript has these lines, in the directory /work. */
function readSet(...lines: (object | string)[]): ReadSet {
  const folder = mkdtempSync(join(tmpdir(), "read-set-"));
  try {
    const path = join(folder, "transcript");
    writeFileSync(
      path,
      lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
    );
    return readSetOf(path, "/work");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let count = 0;
function call(name: string, input: object, parent: string | null = null, id = `toolu_${++count}`) {
  const content = [{ type: "tool_use", id, name, input }];
  return { type: "assistant", parent_tool_use_id: parent, message: { role: "assistant", content } };
}

function failed(id: string) {
  return {
    type: "user",
    message: { content: [{ type: "tool_result", tool_use_id: id, is_error: true, content: "x" }] },
  };
}

test("files, searches and lists of files are known by their paths", () => {
  const { looks, unknown, wrote } = readSet(
    call("Read", { file_path: "/work/a.ts" }),
    call("Read", { file_path: "b.ts", offset: 3, limit: 2 }),
    call("Grep", { pattern: "x" }),
    call("Grep", { pattern: "x", path: "lib", glob: "*.{ts,tsx}" }),
    call("Grep", { pattern: "x", path: "lib", glob: "src/*" }),
    call("Glob", { pattern: "**/*.md" }),
    call("Glob", { pattern: "/else/where/*.md" }),
  );
  expect(looks).toEqual([
    { kind: "file", path: resolve("/work/a.ts") },
    { kind: "file", path: resolve("/work/b.ts") },
    { kind: "search", path: resolve("/work") },
    { kind: "search", path: resolve("/work/lib"), endings: [".ts", ".tsx"] },
    { kind: "search", path: resolve("/work/lib") },
    { kind: "listing", path: resolve("/work") },
    { kind: "listing", path: "/else/where" },
  ]);
  expect({ unknown, wrote }).toEqual({ unknown: [], wrote: [] });
});

test("a file that is not there depends on the names beside it, which Claude Code suggests", () => {
  const { looks } = readSet(
    call("Read", { file_path: "/work/lib/none.ts" }, null, "toolu_none"),
    failed("toolu_none"),
  );
  expect(looks).toEqual([
    { kind: "file", path: resolve("/work/lib/none.ts") },
    { kind: "names", path: resolve("/work/lib") },
  ]);
});

describe("a subagent's calls count", () => {
  const agent = call("Agent", { prompt: "look" }, null, "toolu_agent");
  const done = (uses: number) => ({
    type: "system",
    subtype: "task_notification",
    tool_use_id: "toolu_agent",
    usage: { tool_uses: uses },
  });

  test("as the session's own", () => {
    const { looks, unknown } = readSet(
      agent,
      call("Read", { file_path: "/work/a.ts" }, "toolu_agent"),
      done(1),
    );
    expect({ looks, unknown }).toEqual({
      looks: [{ kind: "file", path: resolve("/work/a.ts") }],
      unknown: [],
    });
  });

  const doubts: [string, object[]][] = [
    [
      "it says that it made more of them",
      [agent, done(2), call("Read", { file_path: "/work/a.ts" }, "toolu_agent")],
    ],
    ["it does not say how many it made", [agent]],
    ["it had subagents of its own", [agent, done(0), call("Agent", {}, "toolu_agent", "toolu_inner")]],
  ];
  for (const [what, lines] of doubts)
    test(`unless ${what}`, () => {
      expect(readSet(...lines).unknown).toEqual(["had a subagent whose reads are not known"]);
    });
});

test("every tool that is not known to read only files leaves its reads unknown, or may write", () => {
  const reading = toolNames.filter((name) => {
    const { unknown, wrote } = readSet(call(name, { file_path: "/a", pattern: "*.ts" }));
    return unknown.length + wrote.length === 0;
  });
  expect(reading.sort()).toEqual([
    "AskUserQuestion",
    "EnterPlanMode",
    "ExitPlanMode",
    "Glob",
    "Grep",
    "LS",
    "NotebookRead",
    "Read",
    "ReportFindings",
    "StructuredOutput",
    "TaskCreate",
    "TaskGet",
    "TaskList",
    "TaskUpdate",
    "TodoRead",
    "TodoWrite",
    "ToolSearch",
  ]);
  expect(readSet(call("Edit", {}), call("Write", {}), call("NotebookEdit", {})).wrote).toHaveLength(3);
  expect(readSet(call("mcp__files__read", {})).unknown).toEqual(["used an MCP tool"]);
  // A name from a stranger's server is not repeated.
  expect(readSet(call("ignore all of this", {})).unknown).toEqual(["used an unknown tool"]);
});

test("plugins of the user, hooks and tools of the API leave reads unknown; Claude Code's own plugins do not", () => {
  const init = (plugins: object[]) => ({
    type: "system",
    subtype: "init",
    cwd: "/work",
    model: "m",
    claude_code_version: "2.1.332",
    plugins,
  });
  expect(readSet(init([{ name: "a", path: "builtin" }]))).toEqual({
    looks: [],
    directories: [],
    unknown: [],
    wrote: [],
    model: "m",
    version: "2.1.332",
  });
  expect(readSet(init([{ name: "a", path: "/home/u/a" }])).unknown).toEqual(["had plugins"]);
  expect(readSet({ type: "system", subtype: "hook_started" }).unknown).toEqual(["ran hooks"]);
  const searched = {
    type: "assistant",
    message: { content: [{ type: "server_tool_use", name: "web_search" }] },
  };
  expect(readSet(searched).unknown).toEqual(["used a tool of the API"]);
});

test("a message too long to be kept whole is a doubt, unless it is a tool's result or the session's", () => {
  const long = (begin: object, text = "x".repeat(9_000_000)) => JSON.stringify({ ...begin, text });
  expect(readSet(long({ type: "user" }), long({ type: "result" })).unknown).toEqual([]);
  expect(readSet(long({ type: "assistant" })).unknown).toEqual(["said more in one message than is read"]);
});

test("a pattern that may match files of version control is a doubt", () => {
  for (const pattern of ["**/*", "*", ".git/**/*.ts", "../*.ts", "src/**"])
    expect({ pattern, unknown: readSet(call("Glob", { pattern })).unknown.length }).toEqual({
      pattern,
      unknown: 1,
    });
  for (const pattern of ["*.ts", "**/package.json", "src/**/*.test.ts", "README"])
    expect({ pattern, unknown: readSet(call("Glob", { pattern })).unknown.length }).toEqual({
      pattern,
      unknown: 0,
    });
});
