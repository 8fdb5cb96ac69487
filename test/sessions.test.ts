import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localProcess } from "../src/model/session-ref.ts";
import { testNeeding } from "./facilities.ts";
import { type Answer, connectNew, eventually, filesIn, Home, kill, program, run } from "./harness.ts";
import { newestRow, startRunning, untilKept } from "./running.ts";

interface Entry {
  status: string;
  outcome: string;
  result?: string;
  error?: string;
  advice?: string;
  resultFile?: string;
  truncated?: boolean;
  textLength?: number;
  structuredResult?: unknown;
  permissionDenials?: string[];
}

/** Runs tasks in one sync batch, and gives their entries. */
async function entriesOf(
  home: Home,
  tasks: unknown[],
  options: Record<string, unknown> = {},
): Promise<Entry[]> {
  await using client = await connectNew(home);
  const answer = await client.call("spawn_parallel_claude_sessions", { tasks, ...options });
  return resultsOf(answer);
}

function resultsOf({ data, text }: Answer): Entry[] {
  const results = data?.["results"];
  if (!Array.isArray(results)) throw new Error(text);
  return results;
}

/** Whether something could be done. */
function succeeds(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

/** What is said of a session that was killed: Windows has no signals, only exit codes. */
const crash = process.platform === "win32" ? "exit code 1" : "SIGSEGV";

/** How each way of ending is told to the user. */
const ends: [task: string, options: object, entry: object][] = [
  ["[[error status=400]]", {}, { outcome: "failed: request" }],
  ["[[error status=404]]", {}, { outcome: "failed: model" }],
  ["[[error status=413]]", {}, { outcome: "failed: request" }],
  ["[[error status=500]]", {}, { outcome: "failed: server-error" }],
  ["[[error connection=refused]]", {}, { outcome: "failed: connection" }],
  ["[[prompt-too-long]]", {}, { outcome: "failed: prompt-too-long" }],
  ["[[refusal]]", {}, { outcome: "failed: refusal" }],
  ["[[max-output-tokens]]", {}, { outcome: "failed: output-limit" }],
  [
    "[[max-turns turns=2]]",
    {},
    { outcome: "failed: max-turns", advice: expect.stringContaining("maxTurns") },
  ],
  ["[[budget]]", {}, { outcome: "failed: budget" }],
  ["[[structured-exhausted]]", { outputSchema: { type: "object" } }, { outcome: "failed: schema" }],
  ["[[structured-never]]", { outputSchema: { type: "object" } }, { outcome: "failed: schema" }],
  ["[[half-line exit=0]]", {}, { outcome: "crashed" }],
  ["[[no-result exit=0]]", {}, { outcome: "crashed" }],
  [
    '[[stderr text="it broke"]] [[exit code=3]]',
    {},
    { outcome: "crashed", error: expect.stringContaining("3") },
  ],
  ["[[signal name=SIGSEGV]]", {}, { outcome: "crashed", error: expect.stringContaining(crash) }],
  ["[[hang-before-init]]", { firstEventTimeoutSeconds: 0.5 }, { outcome: "timed-out: first-event" }],
  ["[[hang]]", { idleTimeoutSeconds: 0.5 }, { outcome: "timed-out: idle" }],
  ["[[stream parts=10000 every=50]]", { timeoutSeconds: 0.7 }, { outcome: "timed-out: wall" }],
  ["[[ignore-everything]] [[hang]]", { timeoutSeconds: 0.7 }, { outcome: "timed-out: wall" }],
  ["/nosuchcommand", { slashCommands: true }, { outcome: "failed: request" }],
];

test("every way in which a session can fail is told apart, with advice, and leaves an error file", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "16" });
  const entries = await entriesOf(
    home,
    ends.map(([task, options]) => ({ task, ...options })),
    { outputDirectory: home.output, retries: 0 },
  );
  expect(entries.map(({ outcome }) => outcome)).toEqual(
    ends.map(([, , entry]) => String(Reflect.get(entry, "outcome"))),
  );
  for (const { advice, resultFile } of entries) {
    expect(advice).toBeString();
    expect(readFileSync(resultFile ?? "", "utf8")).toContain("What to try");
  }
  // Last, for it puts its matchers into what it was given.
  for (const [index, [, , entry]] of ends.entries())
    expect(entries[index]).toMatchObject({ status: "error", ...entry });
  await home.empty();
});

for (const [task, outcome] of [
  ["[[error status=401]]", "failed: auth"],
  ["[[not-logged-in]]", "failed: auth"],
  ["[[error status=403]]", "failed: auth"],
  ["[[credit]]", "failed: billing"],
] as const) {
  test(`where the operator has no patience, ${task} fails at once, with advice`, async () => {
    await using home = new Home({ PARALLEL_CLAUDE_LOGIN_PATIENCE_SECONDS: "0" });
    const [entry] = await entriesOf(home, [task], { outputDirectory: home.output });
    expect(entry).toMatchObject({ status: "error", outcome, advice: expect.any(String) });
    expect(entry).not.toHaveProperty("attempts");
    expect(readFileSync(entry?.resultFile ?? "", "utf8")).toContain("What to try");
  });
}

test("whatever is in a transcript, the answer comes through", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  await Bun.write(gate, "");
  const answer = '[[answer text="found"]]';
  const entries = await entriesOf(home, [
    `[[garbage]] ${answer}`,
    `[[unknown-type]] ${answer}`,
    `[[split-utf8 text="äöü日本😀"]] ${answer}`,
    `[[half-line-pause until=${gate}]] ${answer}`,
    `[[big-line bytes=50000000]] ${answer}`,
    `[[stderr-bytes n=1000000]] ${answer}`,
    `[[stream parts=5 every=1]] ${answer}`,
    `[[api-retry status=429 attempts=2 delay=1]] ${answer}`,
    `[[model-fallback trigger=overloaded]] ${answer}`,
    `[[rate-limit-event status=allowed_warning]] ${answer}`,
    `${answer} [[good-result-bad-exit code=1]]`,
    `${answer} [[result-twice]]`,
  ]);
  expect(entries.map(({ status }) => status)).toEqual(entries.map(() => "success"));
  for (const { result } of entries) expect(result).toContain("found");
});

test("an answer of 50 MB is cut in the message, and says how long it is and where the whole is", async () => {
  await using home = new Home();
  const [entry] = await entriesOf(home, ["[[big-result bytes=50000000]]"]);
  expect(entry).toMatchObject({ status: "success", truncated: true });
  expect(entry?.result?.length).toBeLessThan(1_100_000);
  expect(entry?.result).toEndWith(" […]");
  expect(entry?.textLength).toBeGreaterThan(50_000_000);
  // The page has its beginning, and says where the whole is.
  const page = await Bun.file(entry?.resultFile ?? "").text();
  const place = /The whole answer is in the transcript: <code>([^<]+)</.exec(page)?.[1] ?? "";
  expect(statSync(place).size).toBeGreaterThan(50_000_000);
});

test("data that a schema asked for comes back as data", async () => {
  await using home = new Home();
  const outputSchema = { type: "object", properties: { n: { type: "integer" } } };
  const [entry] = await entriesOf(home, [`[[structured value='{"n":4}']]`], { outputSchema });
  expect(entry).toMatchObject({ status: "success", structuredResult: { n: 4 } });
});

test("a success with denied tools names what would have let them through", async () => {
  await using home = new Home();
  const [entry] = await entriesOf(home, ["[[denied tool=Write]]"]);
  expect(entry).toMatchObject({
    status: "success",
    permissionDenials: ["Write"],
    advice: expect.stringContaining("Write"),
  });
});

test("the answer is the last one that the task caused, and what came before is kept below", async () => {
  await using home = new Home();
  const [entry] = await entriesOf(home, ['[[background-task text="first" then="second"]]']);
  expect(entry?.result).toBe("second\n\nEarlier answer, while background work was still running:\n\nfirst");
});

test("a session that stays after its answer has succeeded, and is ended", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const started = home.file("started");
  // Thirty seconds are its right, so the test ends it sooner: the answer must be kept all the same.
  const call = client.call("spawn_parallel_claude_sessions", {
    tasks: [`[[answer text="done"]] [[result text="done"]] [[touch path=${started}]] [[linger]]`],
    asyncMode: true,
  });
  await call;
  await eventually(
    () => existsSync(started),
    () => "the session did not answer",
  );
  await client.call("cancel_batch", { batchId: "latest" });
  const { data } = await client.call("wait_for_batch", { batchId: "latest" });
  expect(data).toMatchObject({ counts: { succeeded: 1, cancelled: 0 } });
});

test("the task is asked word for word, whatever is in it", async () => {
  await using home = new Home();
  const prompts = [
    "- a list\n- of things",
    "/etc/hosts is a file",
    "--model x",
    'quotes " and \\ and ä😀\u0001',
    "x".repeat(500_000),
  ];
  await entriesOf(
    home,
    prompts.map((prompt) => `${prompt}\n[[prompt]]`),
  );
  // What a client gets is cut; the command line prints the whole.
  for (const [index, prompt] of prompts.entries()) {
    const { out } = await run(home, ["results", "latest", String(index + 1), "--full"]);
    expect(JSON.parse(out)).toContain(prompt);
  }
});

test("options of a task win over those of the batch, and those over the configuration", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_WORKING_DIRECTORY: "~/work" });
  for (const name of ["batch", "task"]) mkdirSync(home.file(name));
  const where = { workingDirectory: home.file("batch"), model: "sonnet" };
  const [own, batch] = await entriesOf(
    home,
    [{ task: "[[cwd]]", workingDirectory: home.file("task") }, "[[cwd]]"],
    where,
  );
  expect([own?.result, batch?.result]).toEqual([home.file("task"), home.file("batch")]);
  const [configured] = await entriesOf(home, ["[[cwd]]"]);
  expect(configured?.result).toBe(home.work);
  const [args] = await entriesOf(home, [{ task: "[[args]]", maxTurns: 3 }], where);
  for (const argument of ["--model=sonnet", "--max-turns=3"]) expect(args?.result).toContain(argument);
});

test("an output directory that goes while the batch runs fails no task, and is reported", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: ["first", `[[wait-for-file path=${gate}]]`],
    asyncMode: true,
  });
  await eventually(
    () => existsSync(home.output) && filesIn(home.output).some((name) => name.startsWith("result-001")),
    () => "no first result",
  );
  // The runner may write there, or make the directory again, in between.
  const isReplaced = () =>
    succeeds(() => {
      rmSync(home.output, { recursive: true, force: true });
      writeFileSync(home.output, "a file where the directory was");
    });
  await eventually(isReplaced, () => "the directory is always there again");
  await Bun.write(gate, "");
  const waited = await client.call("wait_for_batch", { batchId: String(data?.["batchId"]) });
  expect(waited.data).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
  using store = home.store();
  const log = store.batch(store.list()[0]?.batchId ?? never());
  expect(log?.state.fileFailures.size).toBeGreaterThan(0);
});

test("after a failure, no new task starts where that was asked for", async () => {
  await using home = new Home();
  const entries = await entriesOf(home, ["[[error status=500]]", "a", "b"], {
    concurrency: 1,
    failureMode: "no-new",
    retries: 0,
  });
  expect(entries.map(({ outcome }) => outcome)).toEqual([
    "failed: server-error",
    "cancelled: failure-mode",
    "cancelled: failure-mode",
  ]);
});

test("after a failure, running tasks end too where that was asked for", async () => {
  await using home = new Home();
  const entries = await entriesOf(home, ["[[sleep ms=300]] [[error status=500]]", "[[hang]]"], {
    failureMode: "cancel",
    retries: 0,
  });
  expect(entries.map(({ outcome }) => outcome)).toEqual(["failed: server-error", "cancelled: failure-mode"]);
});

test("single tasks can be cancelled, queued or running, and the others go on", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [`[[wait-for-file path=${gate}]]`, "[[hang]]", "queued", "queued too"],
    concurrency: 2,
    asyncMode: true,
  });
  const batchId = String(data?.["batchId"]);
  const cancelled = await client.call("cancel_batch", { batchId, tasks: [2, 3] });
  await Bun.write(gate, "");
  // Not among those that failed: somebody wanted it so.
  expect(cancelled.data).toMatchObject({ failed: [] });
  const waited = await client.call("wait_for_batch", { batchId });
  expect(waited.data).toMatchObject({ state: "finished", counts: { succeeded: 2, cancelled: 2 } });
  const { data: read } = await client.call("read_batch_results", { batchId, tasks: [2, 3] });
  expect(read?.["results"]).toMatchObject([
    { taskIndex: 2, outcome: "cancelled: user" },
    { taskIndex: 3, outcome: "cancelled: user" },
  ]);
});

test("a runner that is killed is followed by another one, which adopts its sessions", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = Array.from(
    { length: 6 },
    (_, index) => `[[wait-for-file path=${gate}]] [[answer text="answer ${index + 1}"]]`,
  );
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks,
    concurrency: 3,
    asyncMode: true,
  });
  using store = home.store();
  const batchId = store.list()[0]?.batchId;
  if (!batchId) throw new Error("no batch");
  await eventually(
    () => store.row(batchId)?.counts.running === 3,
    () => "three sessions do not run",
  );
  await kill(store.row(batchId)?.runner);
  await eventually(
    () => store.row(batchId)?.epoch === 2,
    () => "nobody took the batch over",
  );
  await Bun.write(gate, "");
  await home.empty({ but: client.pid });
  expect(store.row(batchId)?.counts).toMatchObject({ succeeded: 6 });
  const summary = JSON.parse(readFileSync(join(home.output, `summary-${data?.["batchId"]}.json`), "utf8"));
  expect(summary.results.map((entry: Entry) => entry.result)).toEqual(
    tasks.map((_, index) => `answer ${index + 1}`),
  );
  // No session was started twice: each was paid for once.
  const starts = readFileSync(home.startsLog, "utf8")
    .split("\n")
    .filter((line) => line.includes('"kind":"prompt"'));
  expect(starts).toHaveLength(6);
});

test("a batch that lost all its processes is resumed by the next call, and its sessions are adopted", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = Array.from(
    { length: 4 },
    (_, index) => `[[wait-for-file path=${gate}]] [[answer text="answer ${index + 1}"]]`,
  );
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks,
    concurrency: 2,
    asyncMode: true,
  });
  using store = home.store();
  const batchId = store.list()[0]?.batchId;
  if (!batchId) throw new Error("no batch");
  await eventually(
    () => store.row(batchId)?.counts.running === 2,
    () => "two sessions do not run",
  );
  await kill(...(await untilKept(home)));
  const stranger = { ...home.environment, ANTHROPIC_API_KEY: "another account" };
  const looked = Bun.spawnSync([...program(), "list"], {
    env: stranger,
    cwd: home.work,
  });
  expect(looked.exitCode).toBe(0);
  expect(store.row(batchId)?.epoch).toBe(1);
  const listed = await client.call("list_batches", {});
  expect(listed.data).toMatchObject({ batches: [{ batchId: String(data?.["batchId"]) }] });
  await eventually(
    () => store.row(batchId)?.epoch === 2,
    () => "nobody runs the batch",
  );
  await Bun.write(gate, "");
  await home.empty({ but: client.pid });
  expect(store.row(batchId)?.counts).toMatchObject({ succeeded: 4 });
});

test("a session that is killed continues in a second attempt, in the same conversation", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const started = home.file("started");
  const task = `[[stream parts=1 text="half way"]] [[touch path=${started}]] [[wait-for-file path=${gate}]] [[answer text="whole"]]`;
  const { data } = await client.call("spawn_parallel_claude_sessions", { tasks: [task], asyncMode: true });
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  using store = home.store();
  const attempts = () => store.batch(store.list()[0]?.batchId ?? never())?.state.tasks[0]?.attempts ?? [];
  await kill(localProcess(attempts()[0]?.identity));
  await eventually(
    () => attempts().length === 2,
    () => "there is no second attempt",
  );
  await Bun.write(gate, "");
  const waited = await client.call("wait_for_batch", { batchId: String(data?.["batchId"]) });
  expect(waited.data).toMatchObject({ state: "finished", counts: { succeeded: 1 } });
  const [first, second] = attempts();
  // Windows has no signals: who is killed there ends with an exit code.
  const how = process.platform === "win32" ? {} : { signal: "SIGKILL" };
  expect(first?.outcome).toMatchObject({ kind: "crashed", ...how });
  expect(second).toMatchObject({
    resumes: true,
    sessionId: first?.sessionId,
    outcome: { kind: "succeeded" },
  });
});

test("a task that keeps failing is tried as often as was asked, and every attempt is kept", async () => {
  await using home = new Home();
  const [entry] = await entriesOf(home, [{ task: "[[exit code=7]]", retries: 2 }]);
  expect(entry).toMatchObject({ outcome: "crashed" });
  using store = home.store();
  const attempts = store.batch(store.list()[0]?.batchId ?? never())?.state.tasks[0]?.attempts;
  expect(attempts?.map(({ number, resumes, outcome }) => [number, resumes, outcome?.kind])).toEqual([
    [1, false, "crashed"],
    [2, false, "crashed"],
    [3, false, "crashed"],
  ]);
});

test("a task that waits for its retry can be cancelled", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: ["[[error status=529]]"],
    asyncMode: true,
  });
  using store = home.store();
  await eventually(
    () =>
      store.batch(store.list()[0]?.batchId ?? never())?.state.tasks[0]?.attempts[0]?.endedAt !== undefined,
    () => "the first attempt does not end",
  );
  const batchId = String(data?.["batchId"]);
  await client.call("cancel_batch", { batchId });
  // The retry may have begun just before.
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "cancelled", counts: { cancelled: 1 } });
  await home.empty({ but: client.pid });
});

function never(): never {
  throw new Error("no batch");
}

test("a batch of one does not starve behind a batch of many", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "2" });
  await using client = await connectNew(home);
  const [first, others] = [home.file("first"), home.file("others")];
  const waits = (gate: string) => `[[wait-for-file path=${gate}]]`;
  const tasks = [waits(first), waits(first), ...Array.from({ length: 10 }, () => waits(others))];
  const batchId = await startRunning(home, client, { tasks, concurrency: 8 }, 2);
  await client.call("spawn_claude_session", { task: "now", asyncMode: true });
  await eventually(
    () => newestRow(home)?.held?.because.startsWith("Waits for a slot") === true,
    () => `it does not wait for a slot: ${JSON.stringify(newestRow(home))}`,
  );
  // Both slots come free. Those of the many that get one keep it.
  await Bun.write(first, "");
  await eventually(
    () => newestRow(home)?.counts.succeeded === 1,
    () => `it starves: ${JSON.stringify(newestRow(home))}`,
  );
  using store = home.store();
  expect(store.row(batchId)?.counts.queued).toBeGreaterThanOrEqual(8);
  await Bun.write(others, "");
  await eventually(
    () => store.row(batchId)?.endedAt !== undefined,
    () => `it does not end: ${JSON.stringify(store.row(batchId))}`,
  );
  // At no time did more sessions run than the machine has slots.
  expect(mostAtOnce(readFileSync(home.startsLog, "utf8"))).toBeLessThanOrEqual(2);
});

/** The most sessions between a prompt and its result, of what the fake wrote down. */
function mostAtOnce(log: string): number {
  let now = 0;
  let most = 0;
  for (const line of log.split("\n")) {
    if (line.includes('"kind":"prompt"')) now++;
    if (line.includes('"kind":"result"')) now--;
    most = Math.max(most, now);
  }
  return most;
}

test("an adopted session that has long begun does not run out of time for its first sign of life", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const started = home.file("started");
  const limitSeconds = 120;
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: [
      `[[stream parts=1 text="a sign of life"]] [[touch path=${started}]] [[wait-for-file path=${gate}]]`,
    ],
    firstEventTimeoutSeconds: limitSeconds,
    retries: 0,
    asyncMode: true,
  });
  using store = home.store();
  const batchId = store.list()[0]?.batchId ?? never();
  await eventually(
    () => existsSync(started),
    () => "the session did not start",
  );
  // As if it had begun before that: whoever runs it knows when it began from the log.
  store.database.run("UPDATE events SET at = at - ? WHERE batch_id = ?", [2 * limitSeconds * 1_000, batchId]);
  const { startedAt } = store.batch(batchId)?.state.tasks[0]?.attempts[0] ?? never();
  expect(Date.now() - startedAt).toBeGreaterThan(limitSeconds * 1_000);
  await kill(store.row(batchId)?.runner);
  await eventually(
    () => store.row(batchId)?.epoch === 2 && store.activities(batchId).size > 0,
    () => "nobody follows the session",
  );
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId: String(data?.["batchId"]) });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 1 } });
});

test("what a session leaves behind is ended with it, and told", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const answer = await client.call("spawn_parallel_claude_sessions", {
    tasks: [
      "[[grandchild double-fork survive-after-result]]",
      "[[grandchild survive-after-result]]",
      "nothing",
    ],
  });
  const entries = resultsOf(answer);
  expect(entries.map(({ status }) => status)).toEqual(["success", "success", "success"]);
  expect(entries.map((entry) => Reflect.get(entry, "leaked"))).toEqual([1, 1, undefined]);
  expect(readFileSync(entries[0]?.resultFile ?? "", "utf8")).toContain("1 process, ended with it");
  await home.empty({ but: client.pid });
});

test("an output directory that was removed is made again for what comes", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const { data } = await client.call("spawn_parallel_claude_sessions", {
    tasks: ["first", `[[wait-for-file path=${gate}]]`],
    asyncMode: true,
  });
  await eventually(
    () => existsSync(home.output) && filesIn(home.output).some((name) => name.startsWith("result-001")),
    () => "no first result",
  );
  // While the program writes there, Bun meets files that it has not listed, and a second look that finds nothing.
  await eventually(
    () => succeeds(() => rmSync(home.output, { recursive: true, force: true })),
    () => "the directory is always written to",
  );
  await Bun.write(gate, "");
  const batchId = String(data?.["batchId"]);
  await client.call("wait_for_batch", { batchId });
  const files = filesIn(home.output);
  expect(files).toContain(`summary-${batchId}.json`);
  expect(files.some((name) => name.startsWith("result-002"))).toBe(true);
});

testNeeding("signals that can be heard")(
  "a terminal that is closed ends the sessions of its foreground batch",
  async () => {
    await using home = new Home();
    const started = home.file("started");
    const child = Bun.spawn([...program(), "run", `[[touch path=${started}]] [[hang]]`], {
      cwd: home.work,
      env: home.environment,
      stdout: "ignore",
      stderr: "ignore",
    });
    await eventually(
      () => existsSync(started),
      () => "the session did not start",
    );
    child.kill("SIGHUP");
    expect(await child.exited).toBe(129);
    await home.empty();
  },
);
