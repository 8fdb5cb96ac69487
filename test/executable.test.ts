// The compiled executable, as users get it.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../scripts/build.ts";
import { bunSwitches } from "../src/engine/runner/spawn-self.ts";
import { tools } from "../src/operations/tools.ts";
import { testNeeding } from "./facilities.ts";
import { clients, connectNew, eventually, filesIn, Home, run, useProgram } from "./harness.ts";
import { untilKept } from "./running.ts";

setDefaultTimeout(120_000);

const directory = mkdtempSync(join(tmpdir(), "pccm-build-"));
let restore: Disposable;

beforeAll(async () => {
  const compiled = process.env["TEST_EXECUTABLE"];
  const executable = compiled ?? join(directory, "parallel-claude-code-mcp");
  if (compiled === undefined) await build(executable);
  restore = useProgram([executable]);
});
afterAll(() => {
  restore[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

// Whole by the one, and by the other to see that it is the same.
const many = [200, 20];

for (const [index, { era, connect }] of clients.entries()) {
  const count = many[index] ?? 20;
  test(`${era}: an async batch of ${count} at 16 at once leaves a page for each, the lines and the summary`, async () => {
    await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "16" });
    await using client = await connect(home);
    const tasks = Array.from({ length: count }, (_, index) =>
      index % 10 === 9 ? "[[error status=400]]" : `[[answer text="answer ${index + 1}"]]`,
    );
    const [succeeded, failed] = [count * 0.9, count * 0.1];
    const { data } = await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
    expect(data).toMatchObject({ totalTasks: count, state: "running" });
    const batchId = String(data?.["batchId"]);
    const ended = await client.call("wait_for_batch", { batchId });
    expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded, failed } });
    const files = filesIn(home.output);
    expect(files.filter((name) => /^result-\d{3}-\d{13}\.html$/.test(name))).toHaveLength(succeeded);
    expect(files.filter((name) => /^error-\d{3}-\d{13}\.txt$/.test(name))).toHaveLength(failed);
    const lines = readFileSync(join(home.output, `results-${batchId}.jsonl`), "utf8")
      .trim()
      .split("\n");
    expect(lines.map((line) => Number(JSON.parse(line).taskIndex)).sort((a, b) => a - b)).toEqual(
      tasks.map((_, index) => index + 1),
    );
    const summary = JSON.parse(readFileSync(join(home.output, `summary-${batchId}.json`), "utf8"));
    expect(summary.results[7]).toMatchObject({ taskIndex: 8, result: "answer 8" });
    const listed = await client.call("list_batches", {});
    expect(listed.data).toMatchObject({ batches: [{ batchId, state: "finished" }], more: false });
    await home.empty({ but: client.pid });
  });
}

test("a hostile working directory changes nothing", async () => {
  await using home = new Home();
  const witness = home.file("witness");
  await Bun.write(join(home.work, ".env"), `PARALLEL_CLAUDE_CONCURRENCY=77\nANTHROPIC_API_KEY=stray\n`);
  await Bun.write(join(home.work, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  await Bun.write(
    join(home.work, "preload.ts"),
    `await Bun.write(${JSON.stringify(witness)}, "preload ran");\n`,
  );
  // On Windows, one of these names would be found first.
  for (const name of process.platform === "win32" ? ["claude.cmd", "claude.bat"] : ["claude"]) {
    const isShell = name === "claude";
    await Bun.write(
      join(home.work, name),
      `${isShell ? "#!/bin/sh" : "@echo off"}\necho claude ran > ${witness}\n`,
    );
    chmodSync(join(home.work, name), 0o755);
  }
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: ["[[env name=ANTHROPIC_API_KEY]]"],
  });
  expect(data).toMatchObject({ counts: { succeeded: 1 } });
  expect(JSON.stringify(data)).not.toContain("stray");
  expect(existsSync(witness)).toBe(false);
});

test("switches of Bun in the environment reach neither runner nor session", async () => {
  await using home = new Home({ BUN_CONFIG_NO_CLEAR_TERMINAL: "1", NODE_OPTIONS: "--no-warnings" });
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: ["[[env name=NODE_OPTIONS]]", "[[env name=BUN_CONFIG_NO_CLEAR_TERMINAL]]"],
  });
  expect(JSON.stringify(data)).not.toContain("--no-warnings");
  expect(data).toMatchObject({ counts: { succeeded: 2 } });
});

for (const { title, given, found } of [
  {
    title:
      "runner and keeper do without Bun's last compiler and much garbage, and their sessions get no switch for it",
    given: {},
    found: bunSwitches,
  },
  {
    title: "a user's own switches for Bun reach runner and keeper, and no session",
    given: { BUN_JSC_useFTLJIT: "1", BUN_JSC_forceRAMSize: "1073741824" },
    found: { ...bunSwitches, BUN_JSC_useFTLJIT: "1", BUN_JSC_forceRAMSize: "1073741824" },
  },
])
  testNeeding("Linux")(title, async () => {
    await using home = new Home(given);
    using store = home.store();
    const ready = home.file("ready");
    const gate = home.file("gate");
    const task = `[[touch path=${ready}]] [[wait-for-file path=${gate}]] [[env name=BUN_JSC_useFTLJIT]]`;
    expect((await run(home, ["run", task, "--detach"])).code).toBe(0);
    await eventually(
      () => existsSync(ready),
      () => "no session runs",
    );
    await untilKept(home);
    const [row] = store.list({ limit: 1 });
    const switchesOf = (pid = 0) => {
      const variables = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      return Object.fromEntries(
        variables.filter((one) => one.startsWith("BUN_JSC_")).map((one) => one.split("=", 2)),
      );
    };
    const session = row && store.batch(row.batchId)?.state.tasks[0]?.attempts[0]?.identity;
    const sessionPid = session && "pid" in session ? session.pid : undefined;
    expect([row?.runner?.pid, row?.keeper?.pid].map(switchesOf)).toEqual([found, found]);
    expect(sessionPid).toBeGreaterThan(0);
    expect(switchesOf(sessionPid)).toEqual({});
    await Bun.write(gate, "");
    expect((await run(home, ["wait", "latest"])).code).toBe(0);
  });

test("the seed user's smoke test: tools on stdin, and exit 0", async () => {
  await using home = new Home();
  const { code, out, err } = await run(
    home,
    [],
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}\n',
  );
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out).result.tools).toHaveLength(tools.length);
});
