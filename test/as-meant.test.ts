// What is understood of input as models, clients and people write it, and what stays as it is.
import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { batchOptions, sessionOptions } from "../src/model/options.ts";
import { asMeant } from "../src/operations/as-meant.ts";
import { parallelInput, sessionInput } from "../src/operations/spawn-input.ts";

type Case = [what: string, written: unknown, meant: unknown];

function cases(schema: z.ZodType, rows: readonly Case[]): void {
  for (const [what, written, meant] of rows) {
    test(what, () => {
      const once = asMeant(schema, written);
      expect(once).toEqual(meant);
      // What was understood is understood again as the same.
      expect(asMeant(schema, once)).toEqual(meant);
    });
  }
}

describe("a call of spawn_parallel_claude_sessions", () => {
  const tasks = ["x"];
  cases(parallelInput, [
    ["takes a list that was sent as text", { tasks: '["a","b"]' }, { tasks: ["a", "b"] }],
    ["takes an object for a list of one", { tasks: { task: "a" } }, { tasks: [{ task: "a" }] }],
    ["takes an object that was sent as text", { tasks: ' {"task":"a"}' }, { tasks: [{ task: "a" }] }],
    [
      "takes tasks that were sent as text, one by one and all together",
      { tasks: ['{"task":"a","model":"opus"}', "b"] },
      { tasks: [{ task: "a", model: "opus" }, "b"] },
    ],
    [
      "takes a list of objects as text",
      { tasks: '[{"prompt":"a","max_turns":"5"},"b"]' },
      { tasks: [{ task: "a", maxTurns: 5 }, "b"] },
    ],
    ["takes one task for a list", { tasks: "Review a.ts, then b.ts" }, { tasks: ["Review a.ts, then b.ts"] }],
    ["takes `task` and `prompt` for the list", { task: "a" }, { tasks: ["a"] }],
    ["takes `prompts`", { prompts: ["a", "b"] }, { tasks: ["a", "b"] }],
    ["leaves a second word for tasks alone", { tasks, prompt: "y" }, { tasks, prompt: "y" }],
    [
      "leaves a text that is JSON by itself a text",
      { tasks: ['{"name":"x"}', '["a"]', '{"task":"x","colour":"red"}', '{"task":', "[x] y", "5", "true"] },
      { tasks: ['{"name":"x"}', '["a"]', '{"task":"x","colour":"red"}', '{"task":', "[x] y", "5", "true"] },
    ],
    ["leaves a broken list a text, which is then refused", { tasks: '["a", "b' }, { tasks: '["a", "b' }],
    ["leaves an object that is no task a text", { tasks: '{"name":"x"}' }, { tasks: '{"name":"x"}' }],
    ["takes a task that begins with a bracket", { tasks: "[urgent] fix it" }, { tasks: ["[urgent] fix it"] }],
    ["leaves numbers that are no tasks", { tasks: [4] }, { tasks: [4] }],
    [
      "takes switches in every form",
      { tasks, asyncMode: "true", restricted: "No", forkSession: 1, fileMentions: "off" },
      { tasks, asyncMode: true, restricted: false, forkSession: true, fileMentions: false },
    ],
    ["leaves a switch that is none", { tasks, asyncMode: "maybe" }, { tasks, asyncMode: "maybe" }],
    [
      "takes numbers in every form",
      { tasks, maxTurns: "5", maxBudgetUsd: " 0.5 ", concurrency: "2", timeoutSeconds: "1e3" },
      { tasks, maxTurns: 5, maxBudgetUsd: 0.5, concurrency: 2, timeoutSeconds: 1000 },
    ],
    [
      "leaves numbers with something else about them",
      { tasks, maxTurns: "five", timeoutSeconds: "5m", maxBudgetUsd: "$1" },
      { tasks, maxTurns: "five", timeoutSeconds: "5m", maxBudgetUsd: "$1" },
    ],
    [
      "takes null and an empty text for absent",
      {
        tasks,
        model: null,
        outputDirectory: "",
        maxTurns: "",
        effort: "null",
        outputSchema: "",
        addDirectories: null,
      },
      { tasks },
    ],
    [
      "keeps an empty text that means something",
      { tasks, tools: "", settingSources: "", systemPrompt: "" },
      { tasks, tools: "", settingSources: "", systemPrompt: "" },
    ],
    [
      "takes one directory for a list, and none",
      { tasks, addDirectories: "lib", claudeArguments: "" },
      { tasks, addDirectories: ["lib"], claudeArguments: [] },
    ],
    [
      "takes objects that were sent as text",
      {
        tasks,
        outputSchema: '{"type":"object"}',
        mcpConfig: '{"mcpServers":{}}',
        agents: "{}",
        env: '{"PORT":3000}',
      },
      {
        tasks,
        outputSchema: { type: "object" },
        mcpConfig: { mcpServers: {} },
        agents: {},
        env: { PORT: "3000" },
      },
    ],
    [
      "leaves files alone",
      { tasks, mcpConfig: "mcp.json", settings: "s.json", env: "e.json" },
      { tasks, mcpConfig: "mcp.json", settings: "s.json", env: "e.json" },
    ],
    [
      "takes values of variables for texts",
      { tasks, env: { A: 1, B: true } },
      { tasks, env: { A: "1", B: "true" } },
    ],
    [
      "takes rules as a list that was sent as text",
      { tasks, disallowedTools: '["Bash","Write"]', allowedTools: "Read,Edit" },
      { tasks, disallowedTools: ["Bash", "Write"], allowedTools: "Read,Edit" },
    ],
    [
      "takes words in other cases",
      { tasks, effort: "High", permissionMode: "accept_edits", failureMode: "no_new", concurrency: "AUTO" },
      { tasks, effort: "high", permissionMode: "acceptEdits", failureMode: "no-new", concurrency: "auto" },
    ],
    ["takes a single value in a list", { tasks, model: ["opus"] }, { tasks, model: "opus" }],
    [
      "takes names in other cases and from elsewhere",
      {
        tasks,
        max_turns: 3,
        "allowed-tools": "Read",
        OutputDirectory: "out",
        cwd: "a",
        json_schema: {},
        add_dir: "b",
      },
      {
        tasks,
        maxTurns: 3,
        allowedTools: "Read",
        outputDirectory: "out",
        workingDirectory: "a",
        outputSchema: {},
        addDirectories: ["b"],
      },
    ],
    ["takes a number for a name", { tasks, batchName: 2026 }, { tasks, batchName: "2026" }],
    [
      "leaves a name that two have",
      { tasks, maxTurns: 3, max_turns: 4 },
      { tasks, maxTurns: 3, max_turns: 4 },
    ],
    [
      "leaves what it does not know",
      { tasks, colour: "red", description: "d" },
      { tasks, colour: "red", description: "d" },
    ],
    [
      "takes a description for the task, or for its title beside one",
      { tasks: [{ description: "a" }, { prompt: "b", description: "c" }, { description: "d", task: "e" }] },
      { tasks: [{ task: "a" }, { task: "b", name: "c" }, { name: "d", task: "e" }] },
    ],
    [
      "leaves what is in an object of any shape",
      { tasks, outputSchema: { required: ["a"], enum: ["1"], default: null, title: "true" } },
      { tasks, outputSchema: { required: ["a"], enum: ["1"], default: null, title: "true" } },
    ],
    ["leaves what is no object", "tasks", "tasks"],
  ]);
});

describe("a call of spawn_claude_session", () => {
  cases(sessionInput, [
    ["takes `prompt`", { prompt: "a", description: "b" }, { task: "a", name: "b" }],
    ["takes a list of one", { tasks: ["a"] }, { task: "a" }],
    ["leaves a list of two, which is then refused", { tasks: ["a", "b"] }, { task: ["a", "b"] }],
    ["leaves a text that looks like JSON a text", { task: '["a"]' }, { task: '["a"]' }],
    ["leaves a task that is the word null", { task: "null" }, { task: "null" }],
  ]);
});

describe("numbers of tasks", () => {
  const schema = z.strictObject({
    tasks: z.array(z.int()).optional(),
    cursor: z.string().regex(/^\d+$/).optional(),
  });
  cases(schema, [
    ["are taken from text", { tasks: "1,2" }, { tasks: [1, 2] }],
    ["are taken from text with blanks", { tasks: " 3 4;5 " }, { tasks: [3, 4, 5] }],
    ["are taken from JSON text", { tasks: "[1, 2]" }, { tasks: [1, 2] }],
    ["are taken one by one", { tasks: ["1", 2] }, { tasks: [1, 2] }],
    ["are taken alone", { tasks: 7 }, { tasks: [7] }],
    ["are taken as ranges", { tasks: "1-3, 7 12–13" }, { tasks: [1, 2, 3, 7, 12, 13] }],
    ["are taken as ranges with blanks", { tasks: "1 - 3" }, { tasks: [1, 2, 3] }],
    ["are taken as ranges in a list", { tasks: ["2-4", "6", 8] }, { tasks: [2, 3, 4, 6, 8] }],
    ["are left where a range has no end", { tasks: "3-" }, { tasks: "3-" }],
    ["are left where a range goes down", { tasks: ["3-1"] }, { tasks: ["3-1"] }],
    ["are left where a range is too long", { tasks: "1-999999999" }, { tasks: "1-999999999" }],
    ["are left where they are none", { tasks: "all" }, { tasks: "all" }],
    ["may be missing, and an empty text is an empty list", { tasks: "" }, { tasks: [] }],
    ["a cursor is text", { cursor: 5 }, { cursor: "5" }],
  ]);
});

test("every alias belongs to one option, and no alias or hint is the name of one", () => {
  const shape = z.strictObject({ ...sessionOptions.shape, ...batchOptions.shape });
  const names = Object.keys(shape.shape).map((name) => name.toLowerCase());
  const declared = z.toJSONSchema(shape, { io: "input" });
  const properties = z
    .record(
      z.string(),
      z.object({ aliases: z.array(z.string()).default([]), hints: z.array(z.string()).default([]) }),
    )
    .parse(declared.properties);
  const others = Object.values(properties).flatMap(({ aliases, hints }) => [...aliases, ...hints]);
  const written = others.map((name) => name.toLowerCase());
  expect(written.filter((name) => names.includes(name))).toEqual([]);
  const aliases = Object.values(properties).flatMap((property) => property.aliases);
  for (const alias of aliases.map((name) => name.toLowerCase()))
    expect(written.filter((name) => name === alias)).toEqual([alias]);
});
