// Wrong calls, as models and clients write them: what each is answered, word for word.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { connectNew, Home } from "./harness.ts";

const home = new Home();
const one = "spawn_claude_session";
const many = "spawn_parallel_claude_sessions";
type Client = Awaited<ReturnType<typeof connectNew>>;
let client: Client;

beforeAll(async () => {
  await Bun.write(home.file("broken.json"), "{ broken");
  client = await connectNew(home);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

/** Which tool, with what, and the answer; the home stands in it as HOME. */
const table: [tool: string, input: Record<string, unknown>, answer: string][] = [
  [many, {}, "Nothing was done: tasks is missing: expected a list, or `template` with `forEach`"],
  [
    "retry_batch",
    { batchId: "latest", with: { appendPrompt: " " } },
    'Nothing was done: with.appendPrompt was given as " ": must not be empty',
  ],
  [
    "retry_batch",
    { batchId: "latest", appendPrompt: "Be brief." },
    'Nothing was done: appendPrompt belongs in `with`: `{"with": {"appendPrompt": …}}`',
  ],
  [
    "retry_batch",
    { batchId: "latest", max_turns: 3 },
    'Nothing was done: max_turns belongs in `with`: `{"with": {"maxTurns": …}}`',
  ],
  [
    many,
    { tasks: ["a"], expect: { pattern: "(" } },
    'Nothing was done: expect.pattern was given as "(": expected a regular expression (missing ))',
  ],
  [
    one,
    { task: "a", expect: { regexp: "a" } },
    "Nothing was done: expect.regexp is not known; did you mean `pattern`?",
  ],
  [one, { task: "a", expect: { spelling: "British" } }, "Nothing was done: expect.spelling is not known"],
  [
    one,
    { task: "a", expect: {} },
    "Nothing was done: expect was given as {}: expected at least one of pattern, schema, command, question",
  ],
  [
    one,
    { task: "a", expect: "is it good?" },
    'Nothing was done: expect was given as "is it good?": expected an object',
  ],
  [
    one,
    { task: "a", expect: { schema: { type: "text" } } },
    'Nothing was done: expect.schema.type was given as "text": expected one of object, array, string, number, integer, boolean, null; did you mean `string`?',
  ],
  [
    one,
    { task: "a", expect: { schema: { $ref: "#/$defs/nowhere" } } },
    'Nothing was done: expect.schema cannot be used: Unresolved $ref "#/$defs/nowhere"',
  ],
  [
    one,
    { task: "a", expect: { schema: "../broken.json" } },
    "Nothing was done: expect.schema HOME/broken.json is not a JSON object",
  ],
  [
    one,
    { task: "a", expect: { pattern: "a", timeoutSeconds: 0 } },
    "Nothing was done: expect.timeoutSeconds was given as 0: expected more than 0",
  ],
  [
    many,
    { tasks: ["a"], failWhen: "120%" },
    'Nothing was done: failWhen was given as "120%": expected a number of tasks, or a percentage of them up to 100%',
  ],
  [
    many,
    { tasks: ["a"], failWhen: 0 },
    'Nothing was done: failWhen was given as "0": expected a number of tasks, or a percentage of them up to 100%',
  ],
  [
    many,
    { tasks: [{ task: "a", failWhen: 2 }] },
    "Nothing was done: tasks[0].failWhen is an option of the batch, not of one task; give `failWhen` beside `tasks`",
  ],
  [
    many,
    { tasks: ["a"], stopWhen: {} },
    "Nothing was done: stopWhen.found is missing: expected a whole number",
  ],
  [
    many,
    { tasks: ["a"], stopWhen: { found: 2, where: { pattern: "[" } } },
    'Nothing was done: stopWhen.where.pattern was given as "[": expected a regular expression (missing terminating ] for character class)',
  ],
  [
    many,
    { tasks: ["a"], budget: 5 },
    "Nothing was done: budget is not known; did you mean `maxBudgetUsd` or `batchBudgetUsd`?",
  ],
  [
    "spawn_claude_session",
    { task: "a", maxCost: 5 },
    "Nothing was done: maxCost is not known; did you mean `maxBudgetUsd`?",
  ],
  [many, { tasks: [] }, "Nothing was done: tasks was given as []: expected at least one task"],
  [
    many,
    { tasks: null },
    "Nothing was done: tasks is missing: expected a list, or `template` with `forEach`",
  ],
  ...[null, [], ""].flatMap((tasks) =>
    ["cancel_batch", "retry_batch"].map((tool): [string, Record<string, unknown>, string] => [
      tool,
      { batchId: "latest", tasks },
      `Nothing was done: tasks was given as ${tasks === "" ? "[]" : JSON.stringify(tasks)}: expected at least one task number or key; leave it out for all tasks`,
    ]),
  ),
  ...["cancel_batch", "retry_batch"].map((tool): [string, Record<string, unknown>, string] => [
    tool,
    { batchId: "latest", task: "null" },
    'Nothing was done: tasks was given as "null": expected at least one task number or key; leave it out for all tasks',
  ]),
  [
    "cancel_batch",
    { batchId: "latest", tasks: [null] },
    "Nothing was done: tasks[0] was given as null: expected a whole number or text",
  ],
  [
    "cancel_batch",
    { batchId: "latest", tasks: "3-1" },
    'Nothing was done: tasks was given as "3-1": expected a list of whole numbers',
  ],
  [many, { tasks: "" }, "Nothing was done: tasks was given as []: expected at least one task"],
  [
    many,
    { tasks: '["a", "b' },
    'Nothing was done: tasks was given as "[\\"a\\", \\"b": expected a list (this text is not valid JSON: Unterminated string)',
  ],
  [many, { tasks: [4] }, "Nothing was done: tasks[0] was given as 4: expected text or an object"],
  [many, { tasks: [null] }, "Nothing was done: tasks[0] was given as null: expected text or an object"],
  [many, { tasks: ["x", ""] }, 'Nothing was done: tasks[1] was given as "": must not be empty'],
  [
    many,
    { tasks: "[1,2]" },
    "Nothing was done. 2 problems:\n- tasks[0] was given as 1: expected text or an object\n- tasks[1] was given as 2: expected text or an object",
  ],
  [
    many,
    { tasks: ["x"], prompt: "y" },
    "Nothing was done: prompt means `tasks`, which is given too; give one of the two",
  ],
  [
    many,
    { tasks: [{ text: "x" }] },
    "Nothing was done. 2 problems:\n- tasks[0].task is missing: expected text\n- tasks[0].text is not known; did you mean `task`?",
  ],
  [
    many,
    { tasks: [{ task: "x", asyncMode: true }] },
    "Nothing was done: tasks[0].asyncMode is an option of the batch, not of one task; give `asyncMode` beside `tasks`",
  ],
  [
    many,
    { tasks: [{ task: "x", async_mode: true, output_dir: "a" }] },
    "Nothing was done. 2 problems:\n- tasks[0].async_mode is an option of the batch, not of one task; give `asyncMode` beside `tasks`\n- tasks[0].output_dir is an option of the batch, not of one task; give `outputDirectory` beside `tasks`",
  ],
  [
    many,
    {
      tasks: [
        { key: "a", task: "x", after: ["b"] },
        { key: "b", task: "y", after: ["a"] },
      ],
    },
    "Nothing was done: tasks wait for each other, so none of them could start: a → b → a",
  ],
  [
    many,
    {
      tasks: [
        { key: "parse", task: "x" },
        { task: "y", after: ["prase"] },
      ],
    },
    'Nothing was done: tasks[1].after[0] was given as "prase": expected the key, name or number of another task; did you mean `parse`?',
  ],
  [
    many,
    { tasks: [{ key: "a", task: "x" }, "y", { key: "a", task: "z" }] },
    'Nothing was done: tasks[2].key is "a", as that of task 1: each needs its own',
  ],
  [
    many,
    { tasks: [{ key: "self", task: "x", after: "self" }] },
    "Nothing was done: tasks[0].after[0] names the task itself",
  ],
  [
    many,
    { tasks: [{ task: "x", dependsOn: ["y"] }] },
    "Nothing was done: tasks[0].dependsOn is not known; did you mean `after`?",
  ],
  [
    many,
    { tasks: [{ task: "x", after: [] }] },
    "Nothing was done: tasks[0].after was given as []: expected at least one task; leave it out for none",
  ],
  [
    many,
    { tasks: ["x", { task: "Read {{results.2}}", after: 1 }] },
    "Nothing was done: tasks[1].task has {{results.2}}, and `after` does not name that task",
  ],
  [many, { tasks: ["x"], summarize: " " }, 'Nothing was done: summarize was given as " ": must not be empty'],
  [
    many,
    { tasks: ["x"], summarize: "Sum it up", summarizeGroups: 1 },
    "Nothing was done: summarizeGroups was given as 1: expected at least 2",
  ],
  [
    many,
    { tasks: ["x"], summarizeGroups: 5, summarizeModel: "opus" },
    "Nothing was done. 2 problems:\n- summarizeGroups has no effect without `summarize`\n- summarizeModel has no effect without `summarize`",
  ],
  [
    many,
    { tasks: [{ task: "x", summarize: "y" }] },
    "Nothing was done: tasks[0].summarize is an option of the batch, not of one task; give `summarize` beside `tasks`",
  ],
  [
    "retry_batch",
    { batchId: "latest", summarize: "x", only: "failed" },
    "Nothing was done: only cannot be given with `summarize`, which reruns nothing",
  ],
  [
    "retry_batch",
    { batchId: "latest", summarize: "" },
    'Nothing was done: summarize was given as "": must not be empty',
  ],
  [many, { tasks: [{ model: "opus" }] }, "Nothing was done: tasks[0].task is missing: expected text"],
  [
    many,
    { tasks: ["x"], description: "nightly" },
    "Nothing was done: description is not known; did you mean `batchName`?",
  ],
  [
    many,
    { tasks: ["x"], timeout: 600 },
    "Nothing was done: timeout is not known; did you mean `timeoutSeconds`?",
  ],
  [
    many,
    { tasks: ["x"], maxTurns: "five" },
    'Nothing was done: maxTurns was given as "five": expected a whole number',
  ],
  [many, { tasks: ["x"], maxTurns: 0 }, "Nothing was done: maxTurns was given as 0: expected at least 1"],
  [many, { tasks: ["x", "y"], sample: 0 }, "Nothing was done: sample was given as 0: expected at least 1"],
  [many, { tasks: ["x", "y"], sample: -3 }, "Nothing was done: sample was given as -3: expected at least 1"],
  [
    many,
    { tasks: ["x", "y"], sample: "five" },
    'Nothing was done: sample was given as "five": expected a whole number',
  ],
  [
    many,
    { tasks: [{ task: "x", sample: 1 }, "y"] },
    "Nothing was done: tasks[0].sample is an option of the batch, not of one task; give `sample` beside `tasks`",
  ],
  [
    one,
    { task: "x", sample: 1 },
    "Nothing was done: sample is an option of spawn_parallel_claude_sessions only",
  ],
  ["continue_batch", {}, "Nothing was done: batchId is missing: expected a batch id, or `latest`"],
  ["continue_batch", { batchId: "latest" }, "There is no batch yet."],
  ["continue_batch", { batchId: "latest", tasks: [1] }, "Nothing was done: tasks is not known"],
  ["retry_batch", { batchId: "latest", with: { sample: 2 } }, "Nothing was done: with.sample is not known"],
  [
    many,
    { tasks: ["x"], maxTurns: 2.5 },
    "Nothing was done: maxTurns was given as 2.5: expected a whole number",
  ],
  [
    many,
    { tasks: ["x"], concurrency: "many" },
    'Nothing was done: concurrency was given as "many": expected a whole number or "auto"',
  ],
  [
    many,
    { tasks: ["x"], concurrency: 0 },
    "Nothing was done: concurrency was given as 0: expected at least 1",
  ],
  [
    many,
    { tasks: ["x"], effort: "hgih" },
    'Nothing was done: effort was given as "hgih": expected one of low, medium, high, xhigh, max; did you mean `high`?',
  ],
  [
    many,
    { tasks: ["x"], asyncMode: "maybe" },
    'Nothing was done: asyncMode was given as "maybe": expected true or false',
  ],
  [
    many,
    { tasks: ["x"], outputSchema: '{"type": "object"' },
    "Nothing was done: outputSchema is not a JSON object (this text is not valid JSON: Expected '}')",
  ],
  [
    many,
    { tasks: ["x"], env: "PORT=3000" },
    "Nothing was done: env was given as a text that is no file: expected a JSON file, or a JSON object of strings",
  ],
  [
    many,
    { tasks: ["x"], env: ["PORT=3000"] },
    "Nothing was done: env was given as something else: expected text or an object",
  ],
  [
    many,
    { tasks: ["x"], env: { A: { b: 1 } } },
    "Nothing was done: env.A was given as something else: expected text",
  ],
  [
    many,
    { tasks: ["x"], agents: ["reviewer"] },
    'Nothing was done: agents was given as ["reviewer"]: expected an object',
  ],
  [
    many,
    { tasks: ["x"], maxBudgetUsd: "$1" },
    'Nothing was done: maxBudgetUsd was given as "$1": expected a number',
  ],
  [
    many,
    { tasks: ["x"], timeoutSeconds: 700000 },
    "Nothing was done: timeoutSeconds was given as 700000: expected at most 604800",
  ],
  [
    many,
    { tasks: ["x"], name: "N".repeat(230) },
    'Nothing was done: name was given as "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN…: expected at most 200 characters',
  ],
  [
    one,
    {},
    "Nothing was done: task is missing: expected one task, as text; spawn_parallel_claude_sessions takes several",
  ],
  [
    one,
    { tasks: ["a", "b"] },
    'Nothing was done: task was given as ["a","b"]: expected one task, as text; spawn_parallel_claude_sessions takes several',
  ],
  [
    one,
    { task: ["a", "b"] },
    'Nothing was done: task was given as ["a","b"]: expected one task, as text; spawn_parallel_claude_sessions takes several',
  ],
  [
    one,
    { task: 5 },
    "Nothing was done: task was given as 5: expected one task, as text; spawn_parallel_claude_sessions takes several",
  ],
  [
    one,
    { task: "x", concurrency: 2 },
    "Nothing was done: concurrency is an option of spawn_parallel_claude_sessions only",
  ],
  [
    one,
    { task: "x", batchBudgetUsd: 2 },
    "Nothing was done: batchBudgetUsd is an option of spawn_parallel_claude_sessions only",
  ],
  ["wait_for_batch", {}, "Nothing was done: batchId is missing: expected a batch id, or `latest`"],
  ["compare_batches", {}, "Nothing was done: batchId is missing: expected a batch id, or `latest`"],
  [
    "compare_batches",
    { batchId: "abc", other: "latest" },
    "There is no batch abc. list_batches shows all batches.",
  ],
  [
    "compare_batches",
    { batchId: "abc", only: "errors" },
    'Nothing was done: only was given as "errors": expected one of different, outcome, changed, new, gone, unfinished, same, failed, all',
  ],
  ["wait_for_batch", { batchId: "latest" }, "There is no batch yet."],
  ["wait_for_batch", { batch_id: "abc" }, "There is no batch abc. list_batches shows all batches."],
  [
    "wait_for_batch",
    { batchId: "latest", cursor: "five" },
    'Nothing was done: cursor was given as "five": expected the `cursor` of an earlier answer',
  ],
  [
    "wait_for_batch",
    { batchId: "latest", timeout: 60 },
    "Nothing was done: timeout is not known; did you mean `waitSeconds`?",
  ],
  ["wait_for_batch", { id: "latest" }, "There is no batch yet."],
  [
    "read_batch_results",
    { batchId: "latest", status: "failed" },
    'Nothing was done: status was given as "failed": expected one of success, error',
  ],
  [
    "read_batch_results",
    { batchId: "latest", tasks: [0] },
    "Nothing was done: tasks[0] was given as 0: expected at least 1",
  ],
  ["read_batch_results", { batchId: "latest", task: 1 }, "There is no batch yet."],
  [
    "read_batch_results",
    { batchId: "latest", limit: -1 },
    "Nothing was done: limit was given as -1: expected at least 1",
  ],
  [
    "cancel_batch",
    { batchId: "latest", tasks: [] },
    "Nothing was done: tasks was given as []: expected at least one task number or key; leave it out for all tasks",
  ],
  [
    "cancel_batch",
    { batchId: "latest", tasks: "" },
    "Nothing was done: tasks was given as []: expected at least one task number or key; leave it out for all tasks",
  ],
  [
    "cancel_batch",
    { batchId: "latest", tasks: "all" },
    'Nothing was done: tasks was given as "all": expected a list of whole numbers',
  ],
  [
    "retry_batch",
    { batchId: "latest", only: "errors" },
    'Nothing was done: only was given as "errors": expected one of failed, interrupted',
  ],
  ["retry_batch", { batchId: "latest", tasks: ["a"] }, "There is no batch yet."],
  [
    "retry_batch",
    { batchId: "latest", max_turns: 40 },
    'Nothing was done: max_turns belongs in `with`: `{"with": {"maxTurns": …}}`',
  ],
  [
    "retry_batch",
    { batchId: "latest", with: { env: { TOKEN: "s3cret" } } },
    "Nothing was done: with.env belongs beside `with`; give `env` there",
  ],
  [
    one,
    { task: { task: "x", environment: { TOKEN: "s3cret" } } },
    'Nothing was done: task was given as {"task":"x","environment":"…"}: expected one task, as text; spawn_parallel_claude_sessions takes several',
  ],
  [
    many,
    { tasks: '[{"task": "x", "env": {"TOKEN": "s3cret"}' },
    'Nothing was done: tasks was given as "[{\\"task\\": \\"x\\", \\"env\\":…": expected a list (this text is not valid JSON: Expected \'}\')',
  ],
  [
    many,
    { tasks: ["x"], reuse: "always" },
    'Nothing was done: reuse was given as "always": expected one of auto, never',
  ],
  [
    many,
    { tasks: ["x"], inputs: ["src/{{file}}"], reuse: "auto" },
    "Nothing was done: inputs[0] has the placeholder {{file}}, but only tasks made from a template have placeholders",
  ],
  [
    many,
    { tasks: ["x", { task: "y", inputs: ["tsconfg.json", "*.md"] }] },
    "Nothing was done. 2 problems:\n- tasks[1].inputs[0] names tsconfg.json, and nothing of that name is in HOME/work\n- tasks[1].inputs[1] matches no file in HOME/work: *.md",
  ],
  [
    many,
    { tasks: [{ task: "x", fresh: true }] },
    "Nothing was done: tasks[0].fresh is an option of the batch, not of one task; give `fresh` beside `tasks`",
  ],
  [
    "retry_batch",
    { batchId: "latest", with: { reuse: "never" } },
    "Nothing was done: with.reuse is not known",
  ],
  [many, { tasks: ["x"], cache: true }, "Nothing was done: cache is not known; did you mean `reuse`?"],
  ["list_batches", { limit: "all" }, 'Nothing was done: limit was given as "all": expected a whole number'],
  ["list_batches", { limit: 1.5 }, "Nothing was done: limit was given as 1.5: expected a whole number"],
  [
    many,
    { tasks: ["x"], disallowedTools: "bash" },
    "Nothing was done: disallowedTools names bash, and no tool has this name; did you mean `Bash`?",
  ],
  [
    many,
    { tasks: ["x"], disallowedTools: "[Bash, Write]" },
    'Nothing was done. 2 problems:\n- disallowedTools has "[Bash", which is no rule; write `Read,Bash(git log:*)`\n- disallowedTools has "Write]", which is no rule; write `Read,Bash(git log:*)`',
  ],
  [
    many,
    { tasks: ["x"], allowedTools: "Read,Grp" },
    "Nothing was done: allowedTools names Grp, and no tool has this name; did you mean `Grep`?",
  ],
  [
    many,
    { tasks: ["x"], allowedTools: ["*"] },
    "Nothing was done: allowedTools has the pattern *, which Claude Code does not accept here; name each tool",
  ],
  [
    many,
    { tasks: ["x"], allowed_tools: "Bash(git log" },
    'Nothing was done: allowedTools has a rule whose parentheses do not match: "Bash(git log"',
  ],
  [
    many,
    { tasks: ["x"], tools: "read_file, write_file" },
    "Nothing was done. 2 problems:\n- tools names read_file, and Claude Code has no tool of this name; the tool of an MCP server is called `mcp__SERVER__TOOL`\n- tools names write_file, and Claude Code has no tool of this name; the tool of an MCP server is called `mcp__SERVER__TOOL`",
  ],
  [
    many,
    { tasks: ["x"], disallowedTools: "mcp_github_create_issue" },
    "Nothing was done: disallowedTools names mcp_github_create_issue, and a tool of an MCP server is called `mcp__SERVER__TOOL`, with two underscores each",
  ],
  [
    many,
    { tasks: ["x"], disallowedTools: "Frobnicate" },
    "Nothing was done: disallowedTools names Frobnicate, and Claude Code has no tool of this name; the tool of an MCP server is called `mcp__SERVER__TOOL`",
  ],
  [
    many,
    { tasks: ["x"], model: "gpt-4" },
    'Nothing was done: model was given as "gpt-4": expected an alias (`opus`, `sonnet`, `haiku` …) or the full name of a Claude model',
  ],
  [
    many,
    { tasks: ["x"], model: "sonet" },
    'Nothing was done: model was given as "sonet": expected an alias (`opus`, `sonnet`, `haiku` …) or the full name of a Claude model; did you mean `sonnet`?',
  ],
  [
    many,
    { tasks: [{ task: "x", model: "Claude Sonnet" }], fallbackModel: "haiku, gemini-2.5-pro" },
    'Nothing was done. 2 problems:\n- fallbackModel was given as "gemini-2.5-pro": expected an alias (`opus`, `sonnet`, `haiku` …) or the full name of a Claude model\n- tasks[0].model was given as "Claude Sonnet": expected an alias (`opus`, `sonnet`, `haiku` …) or the full name of a Claude model',
  ],
  [
    many,
    { tasks: ["x"], outputSchema: { name: "string", age: "number" } },
    'Nothing was done: outputSchema is no JSON Schema: expected `{"type": "object", "properties": {"name": {"type": "string"}}}` or the like',
  ],
  [
    many,
    { tasks: ["x"], outputSchema: { type: "list" } },
    'Nothing was done: outputSchema.type was given as "list": expected one of object, array, string, number, integer, boolean, null; did you mean `array`?',
  ],
  [
    many,
    { tasks: ["x"], outputSchema: { type: "array", items: { type: "string" } } },
    'Nothing was done: outputSchema.type was given as "array": the API takes only "object" at the top; put the array into a property',
  ],
  [
    many,
    {
      tasks: ["x"],
      outputSchema: {
        type: "object",
        properties: { a: { type: "text" }, b: "string", c: { required: true, type: "string" } },
      },
    },
    'Nothing was done. 3 problems:\n- outputSchema.properties.a.type was given as "text": expected one of object, array, string, number, integer, boolean, null; did you mean `string`?\n- outputSchema.properties.b was given as "string": expected a JSON Schema\n- outputSchema.properties.c.required was given as true: expected a list of names of properties',
  ],
  [
    many,
    { tasks: ["x"], outputSchema: "a list of names" },
    "Nothing was done: outputSchema HOME/work/a list of names is not a file",
  ],
];

describe("is answered in words that help", () => {
  for (const [tool, input, answer] of table) {
    test(`${tool} ${JSON.stringify(input)}`, async () => {
      const { isError, text } = await client.call(tool, input);
      const said = text.replaceAll(home.path, "HOME");
      expect(said.replaceAll(/HOME[\\\w]+/g, (path) => path.replaceAll("\\", "/"))).toBe(answer);
      expect(isError).toBe(true);
      expect(existsSync(home.startsLog)).toBe(false);
    });
  }
});
