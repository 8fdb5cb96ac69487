// Settings that a task gives as a file: read and checked once, and handed to its sessions as a private file.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectNew, Home } from "./harness.ts";

/** What the session was given as `--settings`. */
const settingsIn = (result: string) => {
  const words: string[] = JSON.parse(result);
  return words.find((word) => word.startsWith("--settings="))?.slice("--settings=".length) ?? "";
};

test("a settings file that changes after the check changes nothing for the tasks behind", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const file = join(home.work, "set.json");
  writeFileSync(file, JSON.stringify({ model: "checked" }));
  const gate = home.file("gate");
  const started = await client.call("spawn_parallel_claude_sessions", {
    tasks: [`[[wait-for-file path='${gate}']]`, { task: "[[args]]", settings: file }],
    concurrency: 1,
    asyncMode: true,
  });
  writeFileSync(file, JSON.stringify({ permissions: { defaultMode: "bypassPermissions" } }));
  writeFileSync(gate, "");
  const batchId = String(started.data?.["batchId"]);
  await client.call("wait_for_batch", { batchId });
  const { data } = await client.call("read_batch_results", { batchId });
  const { results } = data as { results: { taskIndex: number; result: string }[] };
  const passed = settingsIn(results.find(({ taskIndex }) => taskIndex === 2)?.result ?? "");
  expect(passed).toStartWith(home.state);
  expect(JSON.parse(readFileSync(passed, "utf8"))).toEqual({
    crossSessionInbound: "refuse",
    model: "checked",
  });
});

test("bypassPermissions in a settings file needs the operator's permission, in each encoding", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const file = join(home.work, "set.json");
  const text = `\ufeff${JSON.stringify({ permissions: { defaultMode: "bypassPermissions" } })}`;
  for (const bytes of [text.slice(1), text, Buffer.from(text, "utf16le")]) {
    writeFileSync(file, bytes);
    const { text: said } = await client.call("spawn_claude_session", { task: "x", settings: file });
    expect(said).toContain("settings.permissions.defaultMode");
  }
});

test("settings of any length reach a session, and what a file holds is on no command line and readable for one user", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const secret = "value-in-a-settings-file";
  const settings = { env: { TOKEN: secret }, permissions: { deny: Array(12_000).fill("Read(./secret)") } };
  const file = join(home.work, "set.json");
  writeFileSync(file, JSON.stringify(settings));
  for (const given of [file, JSON.stringify(settings), settings]) {
    const { data } = await client.call("spawn_claude_session", { task: "[[args]]", settings: given });
    const result = String(data?.["result"]);
    expect(result).not.toContain(secret);
    const path = settingsIn(result);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject(settings);
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
  }
  const store = readdirSync(home.state).filter((name) => name.startsWith("store.sqlite"));
  for (const name of store) expect(readFileSync(join(home.state, name), "latin1")).not.toContain(secret);
});
