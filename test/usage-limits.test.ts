// After a limit nothing starts and nothing is called done; and a throttle is no limit.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { Attempt } from "../src/model/state.ts";
import { Holds } from "../src/store/holds.ts";
import type { Store } from "../src/store/store.ts";
import { SimulatedApi } from "./fixtures/simulated-api.ts";
import { connectNew, eventually, Home, run, type TestClient } from "./harness.ts";

const spawn = "spawn_parallel_claude_sessions";
/** A fake session takes a tenth of a second of a processor, and this machine may be busy. */
const longMs = 300_000;

type SpawnInput = Record<string, unknown>;

async function started(client: TestClient, input: SpawnInput): Promise<string> {
  const { data } = await client.call(spawn, { asyncMode: true, ...input });
  return String(data?.["batchId"]);
}

function tasks(count: number, model?: string): object[] {
  return Array.from({ length: count }, (_, index) => ({
    task: `do it ${index + 1}`,
    ...(model === undefined ? {} : { model }),
  }));
}

interface Tried extends Attempt {
  model: string;
}

/** All attempts of all batches, with the model that their tasks ask for. */
function attemptsIn(store: Store): Tried[] {
  return store.list().flatMap(({ batchId }) => {
    const state = store.batch(batchId)?.state;
    return (state?.tasks ?? []).flatMap(({ number, attempts }) => {
      const model = String(state?.batch.tasks[number - 1]?.options?.["model"] ?? "");
      return attempts.map((attempt) => ({ ...attempt, model }));
    });
  });
}

function metLimit({ outcome }: Attempt): boolean {
  return outcome?.kind === "failed" && outcome.reason === "usage-limit";
}

/** The sessions that started between the first one's end that met the limit and the reset. */
function startedWhileLimited(attempts: readonly Tried[], resetsAt: number): Tried[] {
  const limitedAt = Math.min(...attempts.filter(metLimit).map(({ endedAt }) => endedAt ?? 0));
  return attempts.filter(({ startedAt }) => startedAt > limitedAt && startedAt < resetsAt * 1000);
}

/** Waits until the limit was met; from then on the API has none, but for those that were refused, until its reset. */
async function limitMet(api: SimulatedApi): Promise<void> {
  await eventually(
    () => api.count("rejected") > 0,
    () => `no limit was met: ${api.calls.length} calls`,
  );
}

function heldIn(store: Store, count: number): Promise<void> {
  return eventually(
    () =>
      store.list().filter(({ held, counts }) => held !== undefined && counts.running === 0).length === count,
    () => `not held: ${JSON.stringify(store.list())}`,
  );
}

test(
  "of 300 tasks that meet the usage limit at the 40th, none starts after it until the reset, none fails, and all end after it",
  async () => {
    using api = new SimulatedApi({ usage: { calls: 40, forMs: 15_000, fromRefusal: true } });
    await using home = new Home(api.environment(0.001));
    await using client = await connectNew(home);
    const batchId = await started(client, { tasks: tasks(300), concurrency: 6 });
    await limitMet(api);
    using store = home.store();
    await heldIn(store, 1);
    // It is open again behind the reset that it has named.
    api.usage = undefined;
    const resetsAt = api.resetsAt ?? 0;
    const waiting = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
    expect(waiting.data).toMatchObject({
      state: "running",
      counts: { succeeded: 40, failed: 0, cancelled: 0, queued: 260 },
      heldBecause: expect.stringContaining("five-hour limit"),
      heldUntil: new Date(resetsAt * 1000).toISOString(),
    });
    const rejected = api.count("rejected");
    await eventually(
      () => store.list()[0]?.endedAt !== undefined,
      () => `not ended: ${JSON.stringify(store.list()[0]?.counts)}`,
      longMs,
    );
    const attempts = attemptsIn(store);
    expect(startedWhileLimited(attempts, resetsAt)).toEqual([]);
    expect(store.list()[0]?.counts).toMatchObject({ succeeded: 300, failed: 0, cancelled: 0 });
    // Those that ran when it was met are all that met it, and each goes on once.
    expect(rejected).toBeLessThanOrEqual(6);
    expect(attempts.filter(metLimit)).toHaveLength(rejected);
    expect(attempts).toHaveLength(300 + rejected);
    const after = api.calls.filter(({ answered, at }) => answered === "served" && at >= resetsAt * 1000);
    expect(after).toHaveLength(260);
    // One session has shown that it is over before a second one started.
    expect(after[0]?.inFlight).toBe(1);
  },
  longMs,
);

test(
  "a limit of one family stops its tasks alone, in a batch of several models, and they end after its reset",
  async () => {
    const usage = { calls: 5, forMs: 15_000, fromRefusal: true, type: "seven_day_opus", model: "opus" };
    using api = new SimulatedApi({ usage });
    await using home = new Home(api.environment(0.001));
    await using client = await connectNew(home);
    const mixed = Array.from({ length: 15 }, () => [
      ...tasks(1, "opus"),
      ...tasks(1, "sonnet"),
      ...tasks(1, "haiku"),
    ]);
    await started(client, { tasks: mixed.flat(), concurrency: 4 });
    await limitMet(api);
    using store = home.store();
    await eventually(
      () => store.list()[0]?.counts.succeeded === 35 && store.list()[0]?.counts.running === 0,
      () => `the others do not go on: ${JSON.stringify(store.list()[0])}`,
    );
    api.usage = undefined;
    const resetsAt = api.resetsAt ?? 0;
    await eventually(
      () => store.list()[0]?.held?.because.includes("weekly Opus limit") === true,
      () => `nobody says what is waited for: ${JSON.stringify(store.list()[0])}`,
    );
    await eventually(
      () => store.list()[0]?.endedAt !== undefined,
      () => `not ended: ${JSON.stringify(store.list()[0]?.counts)}`,
      longMs,
    );
    expect(store.list()[0]?.counts).toMatchObject({ succeeded: 45, failed: 0, cancelled: 0 });
    const attempts = attemptsIn(store);
    const stopped = startedWhileLimited(attempts, resetsAt);
    expect(stopped.filter(({ model }) => model === "opus")).toEqual([]);
    expect(stopped.length).toBeGreaterThan(0);
    expect(
      attempts.filter(({ model, outcome }) => model !== "opus" && outcome?.kind !== "succeeded"),
    ).toEqual([]);
  },
  longMs,
);

test(
  "two batches at once stop at the limit that one of them meets, and one session tries for both",
  async () => {
    using api = new SimulatedApi({ usage: { calls: 20, forMs: 15_000, fromRefusal: true } });
    await using home = new Home(api.environment(0.001));
    await using client = await connectNew(home);
    for (let batch = 0; batch < 2; batch++) await started(client, { tasks: tasks(40), concurrency: 3 });
    await limitMet(api);
    using store = home.store();
    await heldIn(store, 2);
    api.usage = undefined;
    const resetsAt = api.resetsAt ?? 0;
    await eventually(
      () => store.list().every(({ endedAt }) => endedAt !== undefined),
      () => `not ended: ${JSON.stringify(store.list().map(({ counts }) => counts))}`,
      longMs,
    );
    for (const { counts } of store.list())
      expect(counts).toMatchObject({ succeeded: 40, failed: 0, cancelled: 0 });
    expect(startedWhileLimited(attemptsIn(store), resetsAt)).toEqual([]);
    const after = api.calls.filter(({ answered, at }) => answered === "served" && at >= resetsAt * 1000);
    expect(after).toHaveLength(60);
    expect(after[0]?.inFlight).toBe(1);
  },
  longMs,
);

/** As 2.1.197 passes on the first 429 of a subscription, and 2.1.332 the eleventh. */
const throttle = `event={} text="API Error: Server is temporarily limiting requests (not your usage limit) · This request would exceed your account's rate limit."`;

test("a throttle on a subscription holds nothing: the pace is halved, and its tasks are tried again", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "auto" });
  await using client = await connectNew(home);
  using store = home.store();
  store.database.run("CREATE TABLE held (because TEXT)");
  store.database.run(
    "CREATE TRIGGER held AFTER INSERT ON holds BEGIN INSERT INTO held VALUES (new.because); END",
  );
  const refused = (index: number) => `[[refused once=${home.file(`throttled-${index}`)} ${throttle}]]`;
  const all = Array.from({ length: 6 }, (_, index) => (index < 2 ? refused(index) : "do it"));
  const { data } = await client.call(spawn, { tasks: all, retries: 0 });
  expect(data).toMatchObject({ state: "finished", counts: { succeeded: 6, failed: 0 } });
  expect(store.database.query("SELECT because FROM held").all()).toEqual([]);
  const outcomes = attemptsIn(store).map(({ outcome }) =>
    outcome?.kind === "failed" ? outcome.reason : "well",
  );
  expect(outcomes.filter((reason) => reason === "rate-limit")).toHaveLength(2);
  const pace = JSON.parse(store.capacity.pace(store.list()[0]?.account ?? "") ?? "{}");
  expect(pace.peak).toBeNumber();
});

const longContext = `event={} text="API Error: Usage credits required for 1M context · turn on usage credits, or use --model to switch to standard context"`;

test("what needs credits for its long context waits alone, says what would help, and goes on when doctor asks", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const bought = home.file("bought");
  const all = ["sonnet[1m]", "sonnet", "sonnet[1m]"].map((model) => ({
    task: `[[refused until=${bought} model="[1m]" ${longContext}]]`,
    model,
  }));
  const batchId = await started(client, { tasks: all });
  using store = home.store();
  await eventually(
    () => store.list()[0]?.counts.succeeded === 1 && store.list()[0]?.held !== undefined,
    () => `not held: ${JSON.stringify(store.list()[0])}`,
  );
  const waiting = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
  expect(waiting.data).toMatchObject({
    counts: { succeeded: 1, queued: 2, failed: 0 },
    heldBecause: expect.stringContaining(
      "`sonnet[1m]` needs usage credits for its long context. Tasks that use other models continue",
    ),
  });
  expect((await run(home, ["show", batchId])).out).toContain("without `[1m]`");
  expect(existsSync(bought)).toBe(false);
  await Bun.write(bought, "");
  expect((await run(home, ["doctor"])).out).toContain("try again now");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 3 } });
});

test("a limit that names no end is waited for with patience: then its task fails, the rest is cancelled, and every view says so", async () => {
  await using home = new Home({
    PARALLEL_CLAUDE_LOGIN_PATIENCE_SECONDS: "0",
    PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "60",
  });
  await using client = await connectNew(home);
  const unnamed = `[[refused event='{"rateLimitType":"five_hour"}' text="You've hit your 5-hour limit"]]`;
  const { data } = await client.call(spawn, { tasks: Array.from({ length: 4 }, () => unnamed) });
  expect(data).toMatchObject({ state: "finished", counts: { failed: 1, cancelled: 3 } });
  expect(data?.["results"]).toMatchObject([
    { outcome: "failed: usage-limit", advice: expect.stringContaining("Wait until the limit resets") },
    ...Array.from({ length: 3 }, () => ({
      outcome: "cancelled: hold",
      advice: expect.stringContaining("See the failed task for the reason"),
    })),
  ]);
  const batchId = String(data?.["batchId"]);
  const shown = await run(home, ["show", batchId]);
  expect(shown.out).toContain("stopped: usage limit");
  expect(shown.out).toContain("Stopped because a usage limit was not lifted in time: 1 of 4 tasks done");
  expect(shown.out).toContain("cancelled: usage limit");
  const report = await Bun.file(String(data?.["reportFile"])).text();
  expect(report.split(">cancelled: usage limit<")).toHaveLength(4);
  const first = await run(home, ["results", batchId, "2"]);
  expect(first.out).toContain("Cancelled because a usage limit was not lifted in time");
});

test("when patience for one model ends, tasks with another one still run", async () => {
  await using home = new Home({
    PARALLEL_CLAUDE_LOGIN_PATIENCE_SECONDS: "0",
    PARALLEL_CLAUDE_CONCURRENCY: "1",
  });
  await using client = await connectNew(home);
  const task = `[[refused model="[1m]" ${longContext}]]`;
  const models = ["sonnet[1m]", "sonnet[1m]", "sonnet", "sonnet"];
  const { data } = await client.call(spawn, { tasks: models.map((model) => ({ task, model })) });
  expect(data?.["results"]).toMatchObject([
    { outcome: "failed: billing", advice: expect.stringContaining("Name a `model` without `[1m]`") },
    { outcome: "cancelled: hold" },
    { outcome: "succeeded" },
    { outcome: "succeeded" },
  ]);
});

test("no session starts once another one has said that it met the limit, though that one stays", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "0" });
  await using client = await connectNew(home);
  const go = home.file("go");
  const both = home.file("both");
  const stays = `[[wait-for-file path=${both}]] [[usage-limit resets-in=3600]] [[wait-for-file path=${home.file("never")}]]`;
  const frees = `[[wait-for-file path=${go}]]`;
  const batchId = await started(client, { tasks: [stays, frees, "do it"], concurrency: 2 });
  using store = home.store();
  await eventually(
    () => store.list()[0]?.counts.running === 2,
    () => `they do not run: ${JSON.stringify(store.list()[0])}`,
  );
  await Bun.write(both, "");
  const holds = new Holds(store.database, store.list()[0]?.account ?? "");
  await eventually(
    () => holds.all().length === 1,
    () => `not held: ${JSON.stringify(store.list()[0])}`,
  );
  // A slot comes free, and stays so.
  await Bun.write(go, "");
  await eventually(
    () => store.list()[0]?.counts.succeeded === 1,
    () => "no slot came free",
  );
  expect(store.list()[0]?.counts).toMatchObject({ running: 1, queued: 1, failed: 0 });
  await client.call("cancel_batch", { batchId });
  await client.call("wait_for_batch", { batchId });
  expect(attemptsIn(store)).toHaveLength(2);
});
