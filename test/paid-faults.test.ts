// What would fail only after it was paid for, or forbid nothing in silence, is found before.
import { expect, test } from "bun:test";
import { connectNew, Home } from "./harness.ts";

test("what must not be used is denied to the session in whichever form it was written", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  for (const disallowedTools of ['["Bash","Write"]', "Bash;Write", ["Bash", "Write"]]) {
    const { data } = await client.call("spawn_claude_session", { task: "[[args]]", disallowedTools });
    expect(String(data?.["result"])).toMatch(/--disallowedTools=[\w,]*,Bash,Write"/);
  }
});

test("a model of another maker is refused, unless requests go to an address where it may be", async () => {
  const input = { task: "[[args]]", model: "gpt-4" };
  await using home = new Home();
  await using client = await connectNew(home);
  expect(await client.call("spawn_claude_session", input)).toMatchObject({ isError: true });
  for (const model of [
    "opus",
    "Sonnet[1m]",
    "claude-opus-4-1",
    "eu.anthropic.claude-sonnet-4-v1:0",
    "my-deployment",
  ])
    expect(await client.call("spawn_claude_session", { ...input, model })).toMatchObject({ isError: false });
  await Bun.write(home.file(".claude/settings.json"), '{"env":{"ANTHROPIC_BASE_URL":"http://127.0.0.1:9"}}');
  expect(await client.call("spawn_claude_session", input)).toMatchObject({ isError: false });
});

test("schemas that are used are no faults", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const outputSchema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: {
      names: { type: "array", items: { $ref: "#/$defs/name" }, minItems: 1 },
      kind: { enum: ["a", "b"] },
      maybe: { type: ["string", "null"], pattern: "^[a-z]+$" },
      either: { anyOf: [{ type: "string" }, { type: "integer", minimum: 0 }] },
    },
    required: ["names"],
    additionalProperties: false,
    $defs: { name: { type: "string" } },
  };
  const { isError, text } = await client.call("spawn_claude_session", { task: "x", outputSchema });
  expect({ isError, text }).toMatchObject({ isError: false });
});
