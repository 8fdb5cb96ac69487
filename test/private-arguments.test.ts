// Every user of a machine can read every command line. What may hold secrets stands on none, and in no file that others
// can read or that is left behind.
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { layoutOf } from "../src/store/layout.ts";
import { connectNew, Home, kill } from "./harness.ts";
import { expectMode } from "./modes.ts";
import { startRunning, untilAsked, untilKept } from "./running.ts";

const secret = "in-no-command-line";

const options = {
  systemPrompt: `${secret}-system`,
  appendSystemPrompt: `${secret}-append`,
  agents: { reviewer: { description: "Reviews", prompt: `${secret}-agent` } },
  outputSchema: { type: "object", description: `${secret}-schema` },
  mcpConfig: { mcpServers: { docs: { command: "sh", env: { TOKEN: `${secret}-servers` } } } },
  settings: { env: { TOKEN: `${secret}-settings` } },
};

test("a session gets its prompts, agents, schema, servers and settings, and no command line has them", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const batchId = await startRunning(home, client, {
    ...options,
    tasks: [`[[wait-for-file path=${gate}]] [[structured value='{"n":4}']]`],
  });
  const folder = layoutOf(home.state).privateFolder(batchId);
  const commands = home.processes().map(({ command }) => command);
  expect(commands.some((command) => command.includes(`--mcp-config=${folder}`))).toBe(true);
  expect(commands.join("\n")).not.toContain(secret);
  for (const name of readdirSync(folder)) expectMode(join(folder, name), 0o600);
  expectMode(folder, 0o700);
  const held = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  expect(held.sort().map((text) => text.includes(secret))).toEqual([true, true]);
  await Bun.write(gate, "");
  await client.call("wait_for_batch", { batchId });
  expect(existsSync(folder)).toBe(false);
});

test("each of them reaches the session", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { outputSchema, ...others } = options;
  const given = ["system-prompt", "append-system-prompt", "agents", "mcp-config", "settings", "json-schema"];
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    ...others,
    tasks: given.map((name) => `[[option name=${name}]]`),
  });
  const { results } = data as { results: { result: string }[] };
  expect(results.map(({ result }) => result)).toEqual([
    options.systemPrompt,
    options.appendSystemPrompt,
    JSON.stringify(options.agents),
    expect.stringMatching(/[\\/]private[\\/]servers-[0-9a-f]{16}\.json$/),
    expect.stringMatching(/[\\/]private[\\/]settings-[0-9a-f]{16}\.json$/),
    "not given",
  ]);
  const structured = await client.call("spawn_claude_session", {
    task: `[[structured value='{"n":4}']]`,
    outputSchema: { ...outputSchema, properties: { n: { type: "integer" } } },
  });
  expect(structured.data).toMatchObject({ structuredResult: { n: 4 } });
});

test("after a crash of everything, the batch goes on with them, and they are gone at its end", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const { outputSchema: _, ...others } = options;
  const batchId = await startRunning(home, client, {
    ...others,
    tasks: [
      `[[wait-for-file path=${gate}]]`,
      "[[option name=append-system-prompt]]",
      "[[option name=mcp-config]]",
    ],
  });
  await untilAsked(home);
  await kill(...(await untilKept(home)));
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 3 } });
  const { text } = await client.call("read_batch_results", { batchId });
  expect(text).toContain(options.appendSystemPrompt);
  expect(existsSync(layoutOf(home.state).privateFolder(batchId))).toBe(false);
});
