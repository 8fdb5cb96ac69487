// Settings of the operator that are broken, mistyped, or of a newer version: who needs one is told, and nobody else stops.
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { configurationFolder, connectNew, Home, run } from "./harness.ts";
import { RawClient } from "./raw-client.ts";

async function configure(home: Home, text: string): Promise<string> {
  const directory = home.file(`${configurationFolder}/parallel-claude-code-mcp`);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "config.json");
  await Bun.write(file, text);
  return file;
}

test("a setting that nobody knows is a warning, with the one that was meant, and stops nothing", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURENCY: "4", PARALLEL_CLAUDE_OF_TOMORROW: "1" });
  const file = await configure(home, '{"laterSetting": true, "notification": false}');
  const warnings = [
    "the variable PARALLEL_CLAUDE_CONCURENCY is not known and has no effect; did you mean `PARALLEL_CLAUDE_CONCURRENCY`?",
    "the variable PARALLEL_CLAUDE_OF_TOMORROW is not known and has no effect; a newer version of this program may know it",
    `the setting laterSetting in ${file} is not known and has no effect; a newer version of this program may know it`,
    `the setting notification in ${file} is not known and has no effect; did you mean \`notifications\`?`,
  ];
  const ran = await run(home, ["run", "x"]);
  expect(ran.code).toBe(0);
  for (const warning of warnings) expect(ran.err.split(`Warning: ${warning}`)).toHaveLength(2);
  const doctor = await run(home, ["doctor"]);
  for (const warning of warnings) expect(doctor.out.replaceAll(/\s+/g, " ")).toContain(warning);
  const config = await run(home, ["config", "--json"]);
  expect(JSON.parse(config.out)).toMatchObject({ warnings, faults: [] });
  await using client = await connectNew(home);
  const { isError, data } = await client.call("spawn_claude_session", { task: "x" });
  expect(isError).toBe(false);
  expect(data).toMatchObject({ warnings: expect.arrayContaining(warnings) });
});

test("a broken value stops who needs it, and names its place", async () => {
  await using home = new Home({
    PARALLEL_CLAUDE_SYNC_WAIT_SECONDS: "soon",
    PARALLEL_CLAUDE_OUTPUT_DIRECTORY: "",
  });
  const file = await configure(home, '{"notifications": "maybe", "outputDirectory": "$OUT/results"}');
  const faults = [
    `${file}: outputDirectory was given as "$OUT/results", which contains $OUT, and only ~ and $HOME are expanded; write the path`,
    `${file}: notifications was given as "maybe": expected true or false`,
    'PARALLEL_CLAUDE_SYNC_WAIT_SECONDS was given as "soon": expected a number',
  ];
  const ran = await run(home, ["run", "x"]);
  expect(ran.code).toBe(2);
  for (const fault of faults) expect(ran.err).toContain(fault);
  expect(JSON.parse((await run(home, ["config", "--json"])).out)).toMatchObject({ faults });
  expect((await run(home, ["doctor"])).code).toBe(1);
  expect((await run(home, ["list"])).code).toBe(0);

  await using client = await connectNew(home);
  expect(await client.call("list_batches", {})).toMatchObject({ isError: false });
  const spawned = await client.call("spawn_claude_session", { task: "x" });
  expect(spawned.isError).toBe(true);
  for (const fault of faults) expect(spawned.text).toContain(fault);
  await using raw = new RawClient(home);
  expect((await raw.ask("resources/list")).result).toMatchObject({ resources: [] });
});

test("with a configuration that is no JSON, clients still list what there is, and a call says why nothing starts", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_STATE_DIRECTORY: "" });
  const file = await configure(home, '{"stateDirectory": ');
  await using raw = new RawClient(home);
  expect((await raw.ask("resources/list")).result).toMatchObject({ resources: [] });
  const asked = {
    ref: { type: "ref/resource", uri: "batch://{batchId}" },
    argument: { name: "batchId", value: "" },
  };
  expect((await raw.ask("completion/complete", asked)).result).toMatchObject({
    completion: { values: ["latest"] },
  });
  await using client = await connectNew(home);
  for (const tool of ["list_batches", "spawn_claude_session"]) {
    const { isError, text } = await client.call(tool, tool === "list_batches" ? {} : { task: "x" });
    expect(isError).toBe(true);
    expect(text).toStartWith(`Nothing was done: ${file} cannot be read`);
  }
});

test("a server takes a configuration that has been corrected, without a new start", async () => {
  await using home = new Home();
  const file = await configure(home, '{"maxDepth": ');
  await using client = await connectNew(home);
  const refused = await client.call("spawn_claude_session", { task: "x" });
  expect(refused.text).toStartWith(`Nothing was done: ${file} cannot be read`);
  await configure(home, '{"maxDepth": "deep"}');
  expect((await client.call("spawn_claude_session", { task: "x" })).text).toContain(
    `${file}: maxDepth was given as "deep"`,
  );
  await configure(home, "{}");
  expect(await client.call("spawn_claude_session", { task: "x" })).toMatchObject({ isError: false });
});

test("switches of the environment may be written as people write them", async () => {
  for (const text of ["1", "yes", "TRUE", "on"]) {
    await using home = new Home({ PARALLEL_CLAUDE_ALLOW_BYPASS_PERMISSIONS: text });
    const { out } = await run(home, ["config", "--json"]);
    expect(out).toContain('"name": "allowBypassPermissions",\n      "value": true');
  }
  for (const text of ["0", "no", "False"]) {
    await using home = new Home({ PARALLEL_CLAUDE_ALLOW_BYPASS_PERMISSIONS: text });
    const { out } = await run(home, ["config", "--json"]);
    expect(out).toContain('"name": "allowBypassPermissions",\n      "value": false');
  }
});
