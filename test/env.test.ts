// Variables of a task (`env`): they reach its session, and their values nothing else.
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSession } from "../src/claude/session.ts";
import { connectNew, eventually, Home, kill, run } from "./harness.ts";
import { startRunning, untilAsked, untilKept } from "./running.ts";

const secret = "value-that-is-never-stored";

function filesHolding(home: Home, text: string): string[] {
  return [home.state, home.output]
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => contentsOf(path).includes(text));
}

// A file that is being written is renamed meanwhile.
function contentsOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (existsSync(path)) throw error;
    return "";
  }
}

/** Kills both processes that hold the values of the newest batch. */
async function killHolders(home: Home): Promise<void> {
  await untilAsked(home);
  await kill(...(await untilKept(home)));
}

test("a session has the variables of its batch and of its task, where the task's own win", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    env: { SHARED: "of-the-batch", OTHER: "also" },
    tasks: [
      "[[env name=SHARED]]",
      { task: "[[env name=SHARED]]", env: { SHARED: "of-the-task" } },
      { task: "[[env name=OTHER]]", env: { SHARED: "of-the-task" } },
    ],
  });
  const { results } = data as { results: { result: string }[] };
  expect(results.map(({ result }) => result)).toEqual(["of-the-batch", "of-the-task", "also"]);
});

test("names of variables are kept, and values are in no file, answer, page or command line", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    env: { API_TOKEN: secret },
    tasks: [`[[wait-for-file path=${gate}]]`, { task: "x", env: { OTHER_TOKEN: `${secret}-2` } }],
    asyncMode: true,
  });
  await eventually(
    () => existsSync(home.startsLog) && readFileSync(home.startsLog, "utf8").includes("wait-for"),
    () => "no task runs",
  );
  expect(home.processes().filter(({ command }) => command.includes(secret))).toEqual([]);
  expect(filesHolding(home, secret)).toEqual([]);
  await Bun.write(gate, "");
  const batchId = String(data?.["batchId"]);
  const ended = await client.call("wait_for_batch", { batchId });
  const read = await client.call("read_batch_results", { batchId });
  expect(JSON.stringify([data, ended, read])).not.toContain(secret);
  const { results } = read.data as { results: { env: string[]; resultFile: string }[] };
  expect(results.map(({ env }) => env)).toEqual([["API_TOKEN"], ["API_TOKEN", "OTHER_TOKEN"]]);
  for (const { env, resultFile } of results)
    expect(readFileSync(resultFile, "utf8")).toContain(`<code>${env.join(", ")}</code>`);
  expect(filesHolding(home, secret)).toEqual([]);
  expect(filesHolding(home, "OTHER_TOKEN").length).toBeGreaterThan(0);
});

test("a runner that is started again has the values from its keeper", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  // More than a pipe holds at once.
  const long = "x".repeat(300_000);
  const batchId = await startRunning(home, client, {
    env: { A: "one", LONG: long.slice(0, 100_000) },
    tasks: [
      `[[wait-for-file path=${gate}]]`,
      { task: "[[env name=A]]", env: { B: long.slice(0, 100_000) } },
      { task: "[[env name=C]]", env: { C: "of-the-third", D: long.slice(0, 100_000) } },
    ],
  });
  using store = home.store();
  const runner = store.row(batchId)?.runner ?? never();
  await untilAsked(home);
  await kill(runner);
  await Bun.write(gate, "");
  await client.call("wait_for_batch", { batchId });
  const read = await client.call("read_batch_results", { batchId });
  const { results } = read.data as { results: { taskIndex: number; result: string }[] };
  expect(results.filter(({ taskIndex }) => taskIndex > 1).map(({ result }) => result)).toEqual([
    "one",
    "of-the-third",
  ]);
});

test("after a crash of everything, tasks say that their values are gone, and a retry gives them again", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const batchId = await startRunning(home, client, {
    env: { A: secret },
    tasks: [`[[wait-for-file path=${gate}]]`, "[[env name=A]]"],
  });
  await killHolders(home);
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 1, failed: 1 } });
  const failed = await client.call("read_batch_results", { batchId });
  expect(failed.text).toContain("The value of the variable A (`env`) was lost");

  const bare = await client.call("retry_batch", { batchId });
  expect(bare).toMatchObject({
    isError: true,
    text: expect.stringContaining("need A. Values are never stored"),
  });
  const unknown = await client.call("retry_batch", { batchId, env: { A: secret, Z: "1" } });
  expect(unknown).toMatchObject({ isError: true, text: expect.stringContaining("uses the variable Z") });

  await Bun.write(home.file("values.json"), JSON.stringify({ A: "given again" }));
  expect((await run(home, ["retry", batchId, "--env", home.file("values.json")])).code).toBe(0);
  await client.call("wait_for_batch", { batchId });
  const read = await client.call("read_batch_results", { batchId });
  expect(read.text).toContain("given again");
  expect(filesHolding(home, secret)).toEqual([]);
});

test("a retry gives no value to several tasks that had their own", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const task = (value: string) => ({ task: "[[env name=TOKEN]]", env: { TOKEN: value } });
  const batchId = await startRunning(home, client, {
    tasks: [`[[wait-for-file path=${gate}]]`, task("of-two"), task("of-three")],
  });
  await killHolders(home);
  await Bun.write(gate, "");
  await client.call("wait_for_batch", { batchId });

  const mixed = await client.call("retry_batch", { batchId, env: { TOKEN: "one-for-both" } });
  expect(mixed).toMatchObject({
    isError: true,
    text: expect.stringContaining("Tasks 2, 3 had an `env` of their own"),
  });
  for (const [number, value] of [
    [2, "of-two"],
    [3, "of-three"],
  ] as const) {
    await client.call("retry_batch", { batchId, tasks: [number], env: { TOKEN: value } });
    await client.call("wait_for_batch", { batchId });
  }
  const read = await client.call("read_batch_results", { batchId });
  const { results } = read.data as { results: { taskIndex: number; result: string }[] };
  const given = results.filter(({ taskIndex }) => taskIndex > 1).map(({ result }) => result);
  expect(given).toEqual(["of-two", "of-three"]);
});

test("the command line takes variables from a file, in the foreground and in the background", async () => {
  await using home = new Home();
  await Bun.write(home.file("values.json"), JSON.stringify({ A: "from the file" }));
  const here = await run(home, ["run", "[[env name=A]]", "--env", home.file("values.json")]);
  expect(here.out).toContain("from the file");
  const away = await run(home, ["run", "[[env name=A]]", "--env", home.file("values.json"), "--detach"]);
  expect(away.code).toBe(0);
  await run(home, ["wait", "latest"]);
  expect((await run(home, ["results", "latest"])).out).toContain("from the file");
});

test("variables that would break the hold on a session, or change its login, are refused without their values", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const ask = (env: unknown) => client.call("spawn_claude_session", { task: "x", env });
  const refused = [
    "PARALLEL_CLAUDE_ATTEMPT",
    "PARALLEL_CLAUDE_DEPTH",
    "BUN_OPTIONS",
    "NODE_OPTIONS",
    "CLAUDECODE",
    "LD_PRELOAD",
    "PATH",
    "HOME",
    "CLAUDE_CONFIG_DIR",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_API_KEY",
    "HTTPS_PROXY",
    "AWS_BEARER_TOKEN_BEDROCK",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLAUDE_SECURESTORAGE_CONFIG_DIR",
    "CLAUDE_CODE_CUSTOM_OAUTH_URL",
    "CLAUDE_LOCAL_OAUTH_API_BASE",
    "NODE_EXTRA_CA_CERTS",
    "CLAUDE_CODE_DISABLE_FILE_MENTIONS",
    "with-hyphen",
    "1A",
  ];
  const { text } = await ask(Object.fromEntries(refused.map((name) => [name, secret])));
  for (const name of refused) expect(text).toContain(`env.${name} cannot be set: `);
  await Bun.write(home.file("bad.json"), JSON.stringify({ A: [secret] }));
  const others = [
    { A: { b: secret } },
    [secret],
    home.file("bad.json"),
    home.file("nowhere.json"),
    `{"A": ${secret}}`,
    `TOKEN=${secret}`,
    { A: `${secret}\0` },
    { A: secret.repeat(6_000) },
    Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`A${index}`, secret.repeat(4_000)])),
  ];
  for (const env of others) {
    const answer = await ask(env);
    expect(answer.isError).toBe(true);
    expect(answer.text).toContain("env");
    expect(answer.text).not.toContain(secret);
  }
  expect((await ask({ A: `${secret}\0` })).text).toContain("env.A contains a NUL");
  expect((await ask({ A: secret.repeat(6_000) })).text).toContain("env.A is longer than a variable may be");
  expect(text).not.toContain(secret);
  const flag = await run(home, ["run", "x", `--env={"A": ${secret}`]);
  expect(flag.code).toBe(2);
  expect(flag.err).not.toContain(secret);
  expect(existsSync(home.startsLog)).toBe(false);
  expect(filesHolding(home, secret)).toEqual([]);
});

test("a start that fails on a variable says so without its value", async () => {
  const start = await startSession({
    command: [process.execPath],
    workingDirectory: "/",
    environment: { TOKEN: `${secret}\0` },
    marker: "m",
    transcript: join(tmpdir(), `start-${process.pid}`),
    stderr: join(tmpdir(), `start-${process.pid}-errors`),
  });
  expect(start).toMatchObject({ started: false, message: expect.stringContaining("cannot be passed") });
  expect(JSON.stringify(start)).not.toContain(secret);
});

function never(): never {
  throw new Error("not there");
}
