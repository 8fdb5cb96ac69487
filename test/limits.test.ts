// What account and machine do not allow: throttles, usage limits, a login that has gone, budgets, memory, processors.
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Attempt } from "../src/model/state.ts";
import { accountOf } from "../src/operations/account.ts";
import { processIdentity } from "../src/platform/process-identity.ts";
import { processorCount } from "../src/platform/processors.ts";
import { Holds } from "../src/store/holds.ts";
import type { Store } from "../src/store/store.ts";
import { testNeeding } from "./facilities.ts";
import { SimulatedApi } from "./fixtures/simulated-api.ts";
import { connectNew, eventually, Home, kill, run } from "./harness.ts";

const spawn = "spawn_parallel_claude_sessions";

function tasks(count: number, text = "do it"): string[] {
  return Array.from({ length: count }, (_, index) => `${text} ${index + 1}`);
}

/** How often the fake was given a prompt. */
function prompts(home: Home): number {
  if (!existsSync(home.startsLog)) return 0;
  return readFileSync(home.startsLog, "utf8").split('"kind":"prompt"').length - 1;
}

/** Waits until the newest batch is held, and nothing of it runs. */
async function held(home: Home): Promise<void> {
  using store = home.store();
  await eventually(
    () => store.list()[0]?.held !== undefined && store.list()[0]?.counts.running === 0,
    () => `not held: ${JSON.stringify(store.list()[0])}`,
  );
}

/** Waits until it is told why the newest batch starts nothing. */
async function saysWhy(store: Store, because: string): Promise<void> {
  await eventually(
    () => store.list()[0]?.held?.because.includes(because) === true,
    () => `nobody says what is waited for: ${JSON.stringify(store.list()[0]?.held)}`,
  );
}

function mtimeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** Those of the newest batch. */
function attemptsOf(store: Store): Attempt[] {
  const [row] = store.list();
  return (row && store.batch(row.batchId)?.state.tasks.flatMap((task) => task.attempts)) ?? [];
}

test("the second batch of a login starts all its sessions at once, and so does one of another client", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "3600" });
  await run(home, ["run", "hello"]);
  const [one, other] = [home.file("one"), home.file("other")];
  // Neither answers before the other has begun.
  const meeting = [
    `[[touch path=${one}]] [[wait-for-file path=${other}]]`,
    `[[touch path=${other}]] [[wait-for-file path=${one}]]`,
  ];
  await using client = await connectNew(home);
  const { data } = await client.call(spawn, { tasks: meeting });
  expect(data).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
});

test("a login that does not work costs one attempt, and the batch goes on when doctor finds it again", async () => {
  using api = new SimulatedApi();
  api.loggedIn = false;
  await using home = new Home({
    ...api.environment(0.001),
    PARALLEL_CLAUDE_CONCURRENCY: "auto",
    PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "60",
  });
  await using client = await connectNew(home);
  const started = await client.call(spawn, { tasks: tasks(30), asyncMode: true });
  const batchId = String(started.data?.["batchId"]);
  await held(home);
  expect(prompts(home)).toBe(1);
  const waited = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
  expect(waited.data).toMatchObject({
    state: "running",
    counts: { queued: 30, failed: 0 },
    heldBecause: expect.stringContaining("/login"),
    heldUntil: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    message: expect.stringContaining("No sessions start until"),
  });
  expect((await run(home, ["show", batchId])).out).toContain("Claude is not logged in");
  api.loggedIn = true;
  expect((await run(home, ["doctor"])).out).toContain("try again now");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 30 } });
  expect(ended.data).not.toHaveProperty("heldBecause");
});

test("a call that waits is told of a login that has gone at once, and its batch goes on", async () => {
  using api = new SimulatedApi();
  api.loggedIn = false;
  await using home = new Home(api.environment(0.001));
  await using client = await connectNew(home);
  const answer = await client.call("spawn_claude_session", { task: "do it" });
  expect(answer.data).toMatchObject({ state: "running", heldBecause: expect.stringContaining("/login") });
  expect(answer.text).toContain("continues in the background");
});

test("without patience for a login the first task fails, and the others are not tried", async () => {
  using api = new SimulatedApi();
  api.loggedIn = false;
  await using home = new Home({
    ...api.environment(0.001),
    PARALLEL_CLAUDE_LOGIN_PATIENCE_SECONDS: "0",
    PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "60",
  });
  await using client = await connectNew(home);
  const { data } = await client.call(spawn, { tasks: tasks(20) });
  expect(data).toMatchObject({ state: "finished", counts: { failed: 1, cancelled: 19 } });
  expect(data?.["results"]).toMatchObject([
    { outcome: "failed: auth" },
    ...Array.from({ length: 19 }, () => ({ outcome: "cancelled: hold" })),
  ]);
  expect(prompts(home)).toBe(1);
});

test("while the API refuses the login and the CLI asks again, no other session is asked", async () => {
  const proofMs = 3_000;
  await using home = new Home({ PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: String(proofMs / 1_000) });
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const refused = `[[api-retry status=401 attempts=1 delay=1]] [[latency until=${gate}]]`;
  const started = await client.call(spawn, { tasks: [refused, ...tasks(3)], asyncMode: true });
  await eventually(
    () => prompts(home) === 1,
    () => "the first has not started",
  );
  // For longer than the others would have waited.
  const askedAt = performance.now();
  await eventually(
    () => performance.now() - askedAt > proofMs + 1_000,
    () => "time stands still",
  );
  using store = home.store();
  await saysWhy(store, "first session");
  expect(prompts(home)).toBe(1);
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId: String(started.data?.["batchId"]) });
  expect(ended.data).toMatchObject({ counts: { succeeded: 4 } });
});

test("the others of a batch are asked when its first session has been answered", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "60" });
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const started = await client.call(spawn, {
    tasks: [`[[latency until=${gate}]]`, ...tasks(4)],
    asyncMode: true,
  });
  await eventually(
    () => prompts(home) === 1,
    () => "the first has not started",
  );
  // What waits longer than a moment is told.
  using store = home.store();
  await saysWhy(store, "first session");
  expect(prompts(home)).toBe(1);
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId: String(started.data?.["batchId"]) });
  expect(ended.data).toMatchObject({ counts: { succeeded: 5 } });
});

test("a login that goes in the middle fails nothing of what runs", async () => {
  using api = new SimulatedApi({ serviceMs: 50 });
  await using home = new Home(api.environment(0.001));
  await using client = await connectNew(home);
  const started = await client.call(spawn, {
    tasks: tasks(8, "[[api calls=4]]"),
    concurrency: 4,
    retries: 0,
    asyncMode: true,
  });
  await eventually(
    () => api.calls.length >= 7,
    () => "nothing is asked",
  );
  api.loggedIn = false;
  await held(home);
  api.loggedIn = true;
  await run(home, ["doctor"]);
  const ended = await client.call("wait_for_batch", { batchId: String(started.data?.["batchId"]) });
  expect(ended.data).toMatchObject({ counts: { succeeded: 8 } });
});

test("a batch that waits for others' slots says so, and ends when it is cancelled", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "1" });
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const first = await client.call(spawn, { tasks: [`[[wait-for-file path=${gate}]]`], asyncMode: true });
  await eventually(
    () => prompts(home) === 1,
    () => "the first has not started",
  );
  const second = await client.call(spawn, { tasks: tasks(2), asyncMode: true });
  const batchId = String(second.data?.["batchId"]);
  using store = home.store();
  await saysWhy(store, "Waits for a slot");
  await client.call("cancel_batch", { batchId });
  await eventually(
    () => store.list()[0]?.endedAt !== undefined,
    () => "it does not end",
  );
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId: String(first.data?.["batchId"]) });
  expect(ended.data).toMatchObject({ counts: { succeeded: 1 } });
});

test("at a usage limit everything waits until its reset, then one session tries first, and nothing fails", async () => {
  using api = new SimulatedApi({ usage: { calls: 12, forMs: 15_000, fromRefusal: true } });
  await using home = new Home(api.environment(0.001));
  await using client = await connectNew(home);
  const started = await client.call(spawn, { tasks: tasks(40), asyncMode: true });
  const batchId = String(started.data?.["batchId"]);
  await held(home);
  expect((await run(home, ["list"])).out).toContain("held");
  using store = home.store();
  const until = store.list()[0]?.held?.until ?? 0;
  api.usage = undefined;
  const waited = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
  expect(waited.data).toMatchObject({
    counts: { failed: 0, running: 0 },
    heldBecause: expect.stringContaining("five-hour limit"),
    heldUntil: new Date(until).toISOString(),
  });
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 40 } });
  const served = api.calls.filter(({ answered }) => answered === "served");
  expect(served).toHaveLength(40);
  const after = served.slice(12);
  expect(after[0]?.at).toBeGreaterThanOrEqual(until);
  // The first one was answered before a second one was asked.
  expect(after[0]?.inFlight).toBe(1);
});

test("a limit of one model leaves tasks with another one alone", async () => {
  using api = new SimulatedApi({
    usage: { calls: 1, forMs: 600_000, type: "seven_day_opus", model: "opus" },
  });
  await using home = new Home(api.environment(0.001));
  await using client = await connectNew(home);
  const of = (model: string) => tasks(5).map((task) => ({ task, model }));
  const started = await client.call(spawn, { tasks: [...of("opus"), ...of("sonnet")], asyncMode: true });
  const batchId = String(started.data?.["batchId"]);
  using store = home.store();
  await eventually(
    () => store.list()[0]?.counts.succeeded === 6 && store.list()[0]?.counts.running === 0,
    () => `not all of the other model: ${JSON.stringify(store.list()[0])}`,
  );
  expect(store.list()[0]?.counts).toMatchObject({ queued: 4, failed: 0 });
  await saysWhy(store, "Opus");
  await client.call("cancel_batch", { batchId });
});

test("of two models that are held, the first is told, steadily, and then the other", async () => {
  using api = new SimulatedApi();
  await using home = new Home(api.environment(0.001));
  using store = home.store();
  const account = accountOf(home.environment, store.salt()).hash;
  const holds = new Holds(store.database, account);
  const since = Date.now();
  for (const model of ["opus", "sonnet"])
    holds.place({ kind: "usage-limit", model, since, until: since + 600_000, because: model, tries: 0 });
  store.database.run("CREATE TABLE told (because TEXT)");
  store.database.run(
    "CREATE TRIGGER tell AFTER UPDATE OF held_because ON batches BEGIN INSERT INTO told VALUES (new.held_because); END",
  );
  const told = () => store.database.query<{ because: string | null }, []>("SELECT because FROM told").all();
  await using client = await connectNew(home);
  const models = ["opus", "sonnet", "opus", "sonnet"];
  const started = await client.call(spawn, {
    tasks: models.map((model) => ({ task: "do it", model })),
    asyncMode: true,
  });
  const batchId = String(started.data?.["batchId"]);
  await saysWhy(store, "opus");
  // A page that stands still is written again every three seconds: a dozen beats.
  const feed = () => mtimeOf(join(home.output, `report-${batchId}.js`));
  for (let writing = 0; writing < 2; writing++) {
    const before = feed();
    await eventually(
      () => feed() !== before,
      () => "the runner does not go on",
    );
  }
  expect(told().flatMap(({ because }) => because ?? [])).toEqual(["opus"]);
  holds.lift({ kind: "usage-limit", model: "opus" });
  await eventually(
    () => store.list()[0]?.counts.succeeded === 2 && store.list()[0]?.held?.because === "sonnet",
    () => `the other is not told: ${JSON.stringify(store.list()[0])}`,
  );
  holds.lift({ kind: "usage-limit", model: "sonnet" });
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 4 } });
});

for (const throttleStatus of [429, 529] as const) {
  test(`what the API throttled for good (${throttleStatus}) is queued again, whatever retries says`, async () => {
    using api = new SimulatedApi({ profile: [{ inFlight: 1 }], serviceMs: 30, throttleStatus });
    await using home = new Home(api.environment(0));
    await using client = await connectNew(home);
    const { data } = await client.call(spawn, { tasks: tasks(8), retries: 0 });
    expect(data).toMatchObject({ counts: { succeeded: 8 } });
  });
}

test("as many sessions run as the API turns out to allow", async () => {
  // A call takes longer than a start, so that it is the API that limits how many run.
  using api = new SimulatedApi({ profile: [{ inFlight: 3 }], serviceMs: 1_200 });
  await using home = new Home({ ...api.environment(0.2), PARALLEL_CLAUDE_CONCURRENCY: "auto" });
  await using client = await connectNew(home);
  const { data } = await client.call(spawn, { tasks: tasks(16, "[[api calls=2]]") });
  expect(data).toMatchObject({ counts: { succeeded: 16 } });
  // Its capacity is used in full, and no more is asked of it: twelve at once meet more than fifty refusals.
  expect({ served: api.count("served"), most: api.mostInFlight }).toEqual({ served: 32, most: 3 });
  expect(api.count("throttled")).toBeLessThan(32);
  using store = home.store();
  const account = store.list()[0]?.account ?? "";
  expect(JSON.parse(store.capacity.pace(account) ?? "{}")).toMatchObject({ peak: expect.any(Number) });
  const attempts = attemptsOf(store);
  const atOnce = attempts.map(
    ({ startedAt }) =>
      attempts.filter((one) => one.startedAt <= startedAt && (one.endedAt ?? 0) > startedAt).length,
  );
  expect(Math.max(...atOnce)).toBeLessThanOrEqual(6);
});

testNeeding("programs that are scripts")(
  "no more sessions start at a time than there are processors",
  async () => {
    await using home = new Home();
    const claude = home.file("claude");
    // It answers nothing, not even that it has started.
    const deaf = '[ "$1" = --version ] && echo "2.1.332 (Claude Code)" && exit; exec sleep 1000';
    await Bun.write(claude, `#!/bin/sh\n${deaf}\n`);
    chmodSync(claude, 0o755);
    home.set({ PARALLEL_CLAUDE_CLAUDE_PATH: claude });
    await using client = await connectNew(home);
    const processors = processorCount();
    const { data } = await client.call(spawn, {
      tasks: tasks(processors + 1),
      concurrency: processors + 1,
      firstEventTimeoutSeconds: 0.3,
      retries: 0,
    });
    expect(data).toMatchObject({ counts: { failed: processors + 1 } });
    using store = home.store();
    const attempts = attemptsOf(store);
    for (const { startedAt } of attempts) {
      const atOnce = attempts.filter((one) => one.startedAt <= startedAt && (one.endedAt ?? 0) > startedAt);
      expect(atOnce.length).toBeLessThanOrEqual(processors);
    }
  },
);

test("a batch stops at its budget, says what was spent on what, and goes on with a higher one", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data } = await client.call(spawn, {
    tasks: tasks(10, "[[cost usd=1]]"),
    concurrency: 1,
    batchBudgetUsd: 2.5,
  });
  expect(data).toMatchObject({
    state: "finished",
    counts: { succeeded: 3, cancelled: 7 },
    totalCostUsd: 3,
    batchBudgetUsd: 2.5,
    costByModel: { "claude-opus-5-5": 3 },
    billedTo: [{ costUsd: 3 }],
  });
  expect(data?.["results"]).toMatchObject({
    0: { costUsd: 1, model: "claude-opus-5-5" },
    9: { outcome: "cancelled: budget", advice: expect.stringContaining("batchBudgetUsd") },
  });
  const batchId = String(data?.["batchId"]);
  const refused = await client.call("retry_batch", { batchId });
  expect(refused).toMatchObject({
    isError: true,
    text: expect.stringContaining(
      "has already cost $3.00, and its budget is $2.50. For 7 more tasks, `batchBudgetUsd: 12`",
    ),
  });
  await client.call("retry_batch", { batchId, batchBudgetUsd: 4.5 });
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 5, cancelled: 5 }, totalCostUsd: 5 });
  expect((await run(home, ["show", batchId])).out).toContain("$5.00 of a budget of $4.50");
});

test("a batch whose call gives no budget stops at the operator's, and a call's own wins", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_BATCH_BUDGET_USD: "2.5" });
  await using client = await connectNew(home);
  const dear = { tasks: tasks(5, "[[cost usd=1]]"), concurrency: 1 };
  const stopped = await client.call(spawn, dear);
  expect(stopped.data).toMatchObject({ counts: { succeeded: 3, cancelled: 2 }, batchBudgetUsd: 2.5 });
  expect(stopped.data?.["results"]).toMatchObject({ 4: { outcome: "cancelled: budget" } });
  const report = await Bun.file(String(stopped.data?.["reportFile"])).text();
  expect(report).toContain("$2.50");
  const higher = await client.call(spawn, { ...dear, batchBudgetUsd: 100 });
  expect(higher.data).toMatchObject({ counts: { succeeded: 5, cancelled: 0 }, batchBudgetUsd: 100 });
  const lower = await client.call(spawn, { ...dear, batchBudgetUsd: 0.5 });
  expect(lower.data).toMatchObject({ counts: { succeeded: 1, cancelled: 4 }, batchBudgetUsd: 0.5 });
});

test("the budget of a batch that runs can be raised", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const started = await client.call(spawn, {
    tasks: [`[[cost usd=1]] [[wait-for-file path=${gate}]]`, ...tasks(3, "[[cost usd=1]]")],
    concurrency: 1,
    batchBudgetUsd: 0.5,
    asyncMode: true,
  });
  const batchId = String(started.data?.["batchId"]);
  const raised = await client.call("retry_batch", { batchId, batchBudgetUsd: 100 });
  expect(raised.data).toMatchObject({
    batchBudgetUsd: 100,
    message: expect.stringContaining("is now $100.00"),
  });
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 4 } });
});

test("a budget is passed by no more than one session's cost for each that runs", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { data } = await client.call(spawn, {
    tasks: tasks(30, "[[cost usd=1]]"),
    concurrency: 4,
    batchBudgetUsd: 8,
  });
  const spent = Number(data?.["totalCostUsd"]);
  expect(spent).toBeGreaterThanOrEqual(8);
  expect(spent).toBeLessThanOrEqual(8 + 4);
});

test("with less memory than one session takes, one at a time runs all the same", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_MEMORY_LIMIT_MB: "1" });
  await using client = await connectNew(home);
  const { data } = await client.call(spawn, { tasks: tasks(4) });
  expect(data).toMatchObject({ counts: { succeeded: 4 } });
  using store = home.store();
  const attempts = attemptsOf(store);
  for (const { startedAt } of attempts)
    expect(
      attempts.filter((one) => one.startedAt <= startedAt && (one.endedAt ?? 0) > startedAt).length,
    ).toBe(1);
});

test("a runner that is killed while its session tries a hold: nobody else tries before that session has ended", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  using store = home.store();
  const [gate, bought] = [home.file("gate"), home.file("bought")];
  const task = `[[refused status=401 kind=authentication_failed text="Not logged in" until=${bought}]] [[wait-for-file path=${gate}]]`;
  const started = await client.call(spawn, { tasks: tasks(4, task), asyncMode: true, concurrency: 4 });
  const batchId = String(started.data?.["batchId"]);
  await held(home);
  await Bun.write(bought, "");
  await run(home, ["doctor"]);
  await eventually(
    () => store.list()[0]?.counts.running === 1,
    () => "nobody tries",
  );
  const prober = () =>
    store.database.query<{ prober: string | null }, []>("SELECT prober FROM holds").get()?.prober;
  const first = prober();
  const killedAt = Date.now();
  await kill(processIdentity.parse(JSON.parse(first ?? "")));
  await eventually(
    () => (prober() ?? first) !== first,
    () => "nobody goes on trying",
  );
  const openedAt = Date.now();
  await Bun.write(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ counts: { succeeded: 4 } });
  const between = attemptsOf(store).filter(({ startedAt }) => startedAt > killedAt && startedAt < openedAt);
  expect(between).toEqual([]);
});

test("a hold that comes between the look at it and the start stops the start", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  using store = home.store();
  const account = accountOf(home.environment, store.salt()).hash;
  // Another runner's session meets a limit just when a slot is taken here.
  store.database.run(
    `CREATE TRIGGER meet AFTER INSERT ON pool_slots BEGIN
       INSERT OR IGNORE INTO holds (account, kind, model, since, until, because, tries, prober, probed_at)
         VALUES ('${account}', 'usage-limit', '', ${Date.now()}, ${Date.now() + 600_000}, 'met elsewhere', 0, NULL, 0);
     END`,
  );
  const started = await client.call(spawn, { tasks: tasks(3), asyncMode: true });
  await saysWhy(store, "met elsewhere");
  expect(attemptsOf(store)).toEqual([]);
  expect(prompts(home)).toBe(0);
  store.database.run("DROP TRIGGER meet");
  new Holds(store.database, account).lift({ kind: "usage-limit", model: "" });
  const ended = await client.call("wait_for_batch", { batchId: String(started.data?.["batchId"]) });
  expect(ended.data).toMatchObject({ counts: { succeeded: 3 } });
});

test("doctor has a usage limit tried at once, by one session, for somebody may have paid for more", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  using store = home.store();
  const account = accountOf(home.environment, store.salt()).hash;
  const holds = new Holds(store.database, account);
  const since = Date.now();
  holds.place({
    kind: "usage-limit",
    model: "",
    since,
    until: since + 86_400_000,
    because: "limit",
    tries: 0,
  });
  const started = await client.call(spawn, { tasks: tasks(3), asyncMode: true });
  await saysWhy(store, "limit");
  expect((await run(home, ["doctor"])).out).toContain("or for a limit try again now");
  const ended = await client.call("wait_for_batch", { batchId: String(started.data?.["batchId"]) });
  expect(ended.data).toMatchObject({ counts: { succeeded: 3 } });
  expect(holds.all()).toEqual([]);
});
