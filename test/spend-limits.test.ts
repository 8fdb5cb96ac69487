// The operator's budgets over all batches, through the program: what waits, for how long, and how it goes on.
import { expect, test } from "bun:test";
import { connectNew, eventually, Home, run } from "./harness.ts";
import { newestRow } from "./running.ts";

/**
 * Where it is noon or so now: nobody is overtaken by midnight. In its name, the sign is the other way round. An executable of
 * Bun 1.4.5 for Windows takes no time zone from its environment, so there it is the computer's own.
 */
const hoursBehind =
  process.platform === "win32" ? new Date().getTimezoneOffset() / 60 : new Date().getUTCHours() - 12;
const zone = `Etc/GMT${hoursBehind < 0 ? hoursBehind : `+${hoursBehind}`}`;
/** The next midnight there, in milliseconds since 1970. */
const nextMidnight = (now: number) => {
  const [day, behind] = [24 * 3_600_000, hoursBehind * 3_600_000];
  return (Math.floor((now - behind) / day) + 1) * day + behind;
};

const dollar = (text: string) => `[[cost usd=1]] [[answer text=${text}]]`;

/** Until the newest batch is held for this reason, and not for one of a moment, such as a slot. */
function untilHeld(home: Home, because: string): Promise<void> {
  return eventually(
    () => newestRow(home)?.held?.because.startsWith(because) === true,
    () => `it is not held: ${JSON.stringify(newestRow(home))}`,
  );
}

test("a daily budget holds all batches until tomorrow, and a retry with a higher one lets them go on", async () => {
  await using home = new Home({ TZ: zone, PARALLEL_CLAUDE_DAILY_BUDGET_USD: "2" });
  await using client = await connectNew(home);
  const started = await client.call("spawn_parallel_claude_sessions", {
    tasks: [dollar("one"), dollar("two"), dollar("three")],
    concurrency: 1,
    asyncMode: true,
  });
  const batchId = String(started.data?.["batchId"]);
  await untilHeld(home, "The daily budget is spent: ");
  const row = newestRow(home);
  expect(row?.counts).toMatchObject({ succeeded: 2, queued: 1, failed: 0, cancelled: 0 });
  expect(row?.held?.because).toStartWith(
    "The daily budget is spent: all batches have cost $2.00 today, and `dailyBudgetUsd` is 2.",
  );
  expect(row?.held?.until).toBe(nextMidnight(row?.changedAt ?? 0));
  // The budget is that of all batches.
  const other = run(home, ["run", dollar("four"), "--json"]);
  await eventually(
    () => newestRow(home)?.batchId !== batchId,
    () => `there is no other one: ${JSON.stringify(newestRow(home))}`,
  );
  await untilHeld(home, "The daily budget is spent: ");
  expect(newestRow(home)?.counts).toMatchObject({ queued: 1 });
  const spent = await run(home, ["spend", "--json"]);
  expect(JSON.parse(spent.out)).toMatchObject({
    total: { costUsd: 2, sessions: 2, batches: 1 },
    budgets: [{ period: "day", budgetUsd: 2, spentUsd: 2 }],
  });
  const listed = await client.call("list_batches", {});
  expect(listed.data?.["spending"]).toEqual({ todayUsd: 2, monthUsd: 2, dailyBudgetUsd: 2 });
  home.set({ PARALLEL_CLAUDE_DAILY_BUDGET_USD: "10" });
  const raised = await run(home, ["retry", batchId]);
  expect(raised).toMatchObject({
    code: 0,
    out: expect.stringContaining("The daily budget of all batches is now $10.00."),
  });
  expect((await run(home, ["wait", batchId])).code).toBe(0);
  const otherId = newestRow(home)?.batchId ?? "";
  expect(await run(home, ["retry", otherId])).toMatchObject({ code: 0 });
  expect(await other).toMatchObject({ code: 0 });
  const all = await run(home, ["spend", "--by", "batch", "--json"]);
  expect(JSON.parse(all.out)).toMatchObject({
    rows: [
      { of: batchId, costUsd: 3, sessions: 3 },
      { of: otherId, costUsd: 1, sessions: 1 },
    ],
  });
  await client.close();
  await home.empty();
});

test("a monthly budget counts what batches have cost that were removed", async () => {
  await using home = new Home({ TZ: zone, PARALLEL_CLAUDE_MONTHLY_BUDGET_USD: "1" });
  expect((await run(home, ["run", dollar("one")])).code).toBe(0);
  await home.empty();
  expect((await run(home, ["prune", "--older-than", "0"])).out).toContain("Removed 1 batch");
  expect(JSON.parse((await run(home, ["list", "--json"])).out)).toMatchObject({ batches: [] });
  await using client = await connectNew(home);
  await client.call("spawn_claude_session", { task: dollar("two"), asyncMode: true });
  await untilHeld(home, "The monthly budget is spent: all batches have cost $1.00");
  expect(newestRow(home)?.counts).toMatchObject({ queued: 1, running: 0 });
  const cancelled = await run(home, ["cancel", newestRow(home)?.batchId ?? ""]);
  expect(cancelled.code).toBe(0);
  await client.close();
  await home.empty();
});
