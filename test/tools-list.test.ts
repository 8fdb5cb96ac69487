// What a client pays for our tools: it may put the whole list into every conversation.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { listedTools } from "../src/doors/mcp/listed-tools.ts";
import { declaredProse, namesText } from "../src/model/prose.ts";
import { tools } from "../src/operations/tools.ts";
import { clients, connectNew, Home, run } from "./harness.ts";

/** Most characters of a list, as it is sent. It holds for all tools and options to come. */
const mostCharacters = 24_000;

const meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
/** What a client of each era writes to get the list. */
const requests: Record<string, object[]> = {
  "2026-07-28": [{ id: "list", method: "tools/list", params: { _meta: meta } }],
  "2025-11-25": [
    {
      id: "hello",
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
    },
    { method: "notifications/initialized" },
    { id: "list", method: "tools/list", params: {} },
  ],
};

for (const [era, messages] of Object.entries(requests)) {
  test(`the list of tools has at most 24,000 characters as a client of ${era} gets it`, async () => {
    await using home = new Home();
    const input = messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join("");
    const { out } = await run(home, [], input);
    const [line = ""] = out.split("\n").filter((one) => one.includes('"id":"list"'));
    expect(JSON.parse(line)).toMatchObject({ result: { tools: tools.map(({ name }) => ({ name })) } });
    expect(line.length).toBeLessThanOrEqual(mostCharacters);
  });
}

test("the list that was prepared when the program was built is what the operations declare", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  expect(await client.listTools()).toEqual(JSON.parse(listedTools()));
});

for (const system of ["linux", "darwin", "win32"]) {
  test(`the list is the same for ${system}, wherever the program was built`, async () => {
    await using home = new Home();
    const preloaded = home.file("system.ts");
    await Bun.write(preloaded, `Object.defineProperty(process, "platform", { value: "${system}" });`);
    const source = join(import.meta.dir, "../src/doors/mcp/listed-tools.ts");
    const script = `import { listedTools } from ${JSON.stringify(source)}; process.stdout.write(listedTools());`;
    const asked = Bun.spawn([process.execPath, "--preload", preloaded, "-e", script], { env: { HOME: "/" } });
    expect(await asked.stdout.text()).toBe(listedTools());
  });
}

const property = z.looseObject({
  description: z.string().optional(),
  more: declaredProse.transform(namesText).optional(),
});
const valuesSchema = z.object({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
  anyOf: z.array(z.object({ type: z.string() })).optional(),
});
const object = z.looseObject({
  properties: z.record(z.string(), property).default({}),
  required: z.array(z.string()).default([]),
  additionalProperties: z.unknown().optional(),
});
const listedTool = z.object({
  name: z.string(),
  description: z.string(),
  inputSchema: object,
  outputSchema: object,
});
type Listed = z.infer<typeof listedTool>;

async function list(): Promise<Listed[]> {
  await using home = new Home();
  await using client = await connectNew(home);
  return z.array(listedTool).parse(await client.listTools());
}

const listed = await list();

function named(name: string): Listed {
  const tool = listed.find((one) => one.name === name);
  if (!tool) throw new Error(`There is no tool ${name}`);
  return tool;
}

/** The names in the schema that was declared for an input, without those that say that the list leaves them out. */
function declaredNames(name: string): string[] {
  const { properties } = declaredInput(name);
  return Object.keys(properties).filter((option) => properties[option]?.["listed"] !== false);
}

function declaredInput(name: string) {
  const tool = tools.find((one) => one.name === name);
  return object.parse(tool && z.toJSONSchema(tool.input, { io: "input" }));
}

describe("every option is listed with its type, and described once", () => {
  test("all options are listed, but for two of a template, with their types, choices and defaults; for one session and for a comparison, the usual ones", () => {
    for (const { name, inputSchema } of listed) {
      const declared = declaredInput(name);
      const isWhole = !["spawn_claude_session", "compare_batches"].includes(name);
      const all = declaredNames(name);
      const shown = Object.keys(inputSchema.properties);
      expect(shown).toEqual(all.filter((option) => isWhole || shown.includes(option)));
      const hasMore = shown.length < Object.keys(declared.properties).length;
      expect(inputSchema).toMatchObject({ additionalProperties: hasMore });
      expect(inputSchema.required).toEqual(declared.required);
      for (const option of shown)
        expect({ option, ...valuesOf(inputSchema.properties[option]) }).toEqual({
          option,
          ...valuesOf(declared.properties[option]),
        });
    }
  });

  test("the tool for one session takes the options that only the other tool lists", () => {
    const one = Object.keys(named("spawn_claude_session").inputSchema.properties);
    for (const option of ["task", "allowedTools", "disallowedTools", "appendSystemPrompt"])
      expect(one).toContain(option);
    const unlisted = declaredNames("spawn_claude_session").filter((option) => !one.includes(option));
    expect(unlisted).toContain("maxTurns");
    const elsewhere = Object.keys(named("spawn_parallel_claude_sessions").inputSchema.properties);
    expect(elsewhere).toEqual(expect.arrayContaining(unlisted));
    expect(named("spawn_claude_session").description).toContain(
      "spawn_parallel_claude_sessions, which also describes all options of a session: this tool takes them too.",
    );
  });

  test("how many tasks a template may make, their order, how a summary is made, and other machines are for people who read help", () => {
    const { properties } = named("spawn_parallel_claude_sessions").inputSchema;
    const { properties: all } = declaredInput("spawn_parallel_claude_sessions");
    expect(Object.keys(all).filter((option) => !(option in properties))).toEqual([
      "onLostHost",
      "summarizeGroups",
      "summarizeModel",
      "fleet",
      "maxTasks",
      "order",
    ]);
  });

  test("what help and tables add to a description is not in the list", async () => {
    const reference = await Bun.file(join(import.meta.dir, "..", "docs", "reference.md")).text();
    const { inputSchema } = named("spawn_parallel_claude_sessions");
    const longer = Object.entries(declaredInput("spawn_parallel_claude_sessions").properties).filter(
      ([, { more }]) => more !== undefined,
    );
    expect(longer.length).toBeGreaterThan(5);
    for (const [option, { description, more }] of longer) {
      expect(reference).toContain(`| ${description} ${more} |`);
      // Some options are not in the list at all, which the test before this one names.
      const listed = inputSchema.properties[option];
      if (listed) expect(listed.description).toBe(description);
    }
  });

  test("an option without a description has one in the tool that its tool's description names", () => {
    const bare = listed.flatMap(({ name, description, inputSchema: { properties } }) =>
      Object.keys(properties)
        .filter((option) => properties[option]?.description === undefined)
        .map((option) => ({ name, description, option })),
    );
    expect(bare.length).toBeGreaterThan(8);
    for (const { name, description, option } of bare) {
      const [other = ""] = /spawn_\w+(?=, which also describes)/.exec(description) ?? [];
      const there = named(other).inputSchema.properties[option];
      expect(there).toMatchObject(named(name).inputSchema.properties[option] ?? {});
      expect({ name, option, description: there?.description }).toEqual({
        name,
        option,
        description: expect.any(String),
      });
    }
  });

  test("a task of its own options takes those of the batch that the list does not except", () => {
    const { tasks, ...options } = named("spawn_parallel_claude_sessions").inputSchema.properties;
    const asObject = z.object({ items: z.object({ anyOf: z.tuple([z.unknown(), object]) }) });
    const accepted = asObject.parse(declaredInput("spawn_parallel_claude_sessions").properties["tasks"]);
    const names = Object.keys(accepted.items.anyOf[1].properties);
    expect(names.toSorted()).toEqual(
      ["after", "key", "task", ...exceptBut(tasks?.description, Object.keys(options))].toSorted(),
    );
    const shown = asObject.parse(tasks).items.anyOf[1];
    expect(shown).toMatchObject({ required: ["task"], additionalProperties: true });
  });

  test("a retry takes the options of the batch that the list does not except", () => {
    const { with: given } = named("retry_batch").inputSchema.properties;
    const accepted = object.parse(declaredInput("retry_batch").properties["with"]);
    expect(Object.keys(accepted.properties).toSorted()).toEqual(
      [
        "appendPrompt",
        ...exceptBut(given?.description, declaredNames("spawn_parallel_claude_sessions")),
      ].toSorted(),
    );
    expect(given?.description).toContain("`appendPrompt` adds text to the prompts.");
  });
});

/** What may be written. Words in a list may also be one text with commas, and the list of tools says only that. */
function valuesOf(schema: unknown) {
  const { anyOf, ...rest } = valuesSchema.parse(schema);
  const types = anyOf?.map(({ type }) => type);
  return { ...rest, ...(String(types) === "string,array" ? { type: "string" } : types ? { types } : {}) };
}

// "All options except a, b, and c."
function exceptBut(description: string | undefined, names: readonly string[]): string[] {
  const excepted = / except ([^.]+)\.$/.exec(description ?? "")?.[1]?.split(/, (?:and )?| and /) ?? [];
  expect(excepted.length).toBeGreaterThan(3);
  for (const name of excepted) expect(names).toContain(name);
  return names.filter((name) => !excepted.includes(name));
}

test("the first sentence of each description says when to use the tool", () => {
  for (const { description } of listed)
    expect(description).toMatch(/^Use this (?:for|when|while|to) [^.]+\. \S/);
});

test("schemas use no words that some clients do not understand, and no limits that say nothing", () => {
  for (const { inputSchema, outputSchema } of listed)
    for (const schema of schemasIn([inputSchema, outputSchema])) {
      expect(Object.keys(schema)).not.toBeEmpty();
      expect(schema["type"]).not.toBeArray();
      for (const word of ["$ref", "$defs", "propertyNames", "aliases", "listed"])
        expect(schema).not.toHaveProperty([word]);
      expect(JSON.stringify(schema)).not.toContain(String(Number.MAX_SAFE_INTEGER));
    }
});

// All schemas in these; names of properties are none of their words.
function schemasIn(schemas: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const nested = z.record(z.string(), z.unknown());
  return schemas.flatMap((schema) => {
    const { properties = {}, items, anyOf = [], additionalProperties } = schema;
    const inner = [...Object.values(nested.parse(properties)), ...z.array(z.unknown()).parse(anyOf)];
    const more = [items, additionalProperties].filter((one) => typeof one === "object");
    return [schema, ...schemasIn([...inner, ...more].map((one) => nested.parse(one)))];
  });
}

for (const { era, connect } of clients) {
  // It checks each answer by the listed schema, and throws where it does not fit.
  test(`a ${era} that has the list accepts what every tool answers`, async () => {
    await using home = new Home();
    await using client = await connect(home);
    await client.listTools();
    const outputSchema = { type: "object", properties: { n: { type: "integer" } } };
    const called = new Set<string>();
    const call = async (name: string, input: object) => {
      called.add(name);
      const { isError, text, data } = await client.call(name, { ...input });
      expect({ name, isError, text }).toEqual({ name, isError: false, text: expect.any(String) });
      return data ?? {};
    };
    const session = await call("spawn_claude_session", {
      task: `[[structured value='{"n":4}']]`,
      outputSchema,
      model: "haiku",
    });
    expect(session).toMatchObject({ status: "success", structuredResult: { n: 4 } });
    const batch = await call("spawn_parallel_claude_sessions", {
      tasks: ["hello", "[[error status=400]]"],
      batchBudgetUsd: 5,
    });
    expect(batch).toMatchObject({ results: [{ status: "success" }, { status: "error" }] });
    const { batchId } = batch;
    const { cursor } = await call("wait_for_batch", { batchId });
    await call("retry_batch", { batchId, with: { appendSystemPrompt: "Be quick.", idleTimeoutSeconds: 60 } });
    const ended = await call("wait_for_batch", { batchId, cursor });
    expect(ended).toMatchObject({ state: "finished", changed: [{ taskIndex: 2 }] });
    await call("cancel_batch", { batchId });
    const { batchId: sampled } = await call("spawn_parallel_claude_sessions", {
      tasks: ["a", "b", "c"],
      sample: 1,
    });
    await call("change_batch", { batchId: sampled, concurrency: 1 });
    await call("continue_batch", { batchId: sampled, concurrency: 2 });
    await call("wait_for_batch", { batchId: sampled });
    expect(await call("read_batch_results", { batchId, characters: 2, tasks: [1] })).toMatchObject({
      results: [{ truncated: true }],
    });
    await call("export_batch", { batchId });
    expect(await call("list_batches", {})).toMatchObject({ batches: [{}, {}, {}] });
    const other = await call("spawn_parallel_claude_sessions", { tasks: ["hello"] });
    const compared = await call("compare_batches", { batchId, otherBatchId: other["batchId"] });
    expect(compared).toMatchObject({ counts: { same: 1, gone: 1 }, tasks: [{ change: "gone" }] });
    expect([...called].toSorted()).toEqual(listed.map(({ name }) => name).toSorted());
    await home.empty({ but: client.pid });
  });
}

test("a field that only answers have, and no list, is in the documents", async () => {
  const root = join(import.meta.dir, "..");
  const paths = ["README.md", ...new Bun.Glob("docs/*.md").scanSync({ cwd: root })];
  const texts = await Promise.all(paths.map((path) => Bun.file(join(root, path)).text()));
  const unlisted = tools.flatMap(({ output }) => unlistedIn(z.toJSONSchema(output, { io: "output" })));
  expect(unlisted).toContain("costByModel");
  const missing = new Set(unlisted).difference(new Set(texts.join().match(/(?<=`)\w+(?=(?:\[\])?`)/g)));
  expect([...missing]).toEqual([]);
});

function unlistedIn(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([name, inner]) => [
    ...(Reflect.get(Object(inner), "listed") === false ? [name] : []),
    ...unlistedIn(inner),
  ]);
}
