// What sessions have cost, summed up: from logs, and from what removed batches leave.
import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Usage } from "../../src/model/outcome.ts";
import { prune } from "../../src/operations/prune.ts";
import { reportSpending } from "../../src/operations/spend/spend.ts";
import { spentBetween, spentSince } from "../../src/store/spent.ts";
import { onCommandLine } from "../doors/command-line.ts";
import { testNeeding } from "../facilities.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";

afterEach(() => {
  setSystemTime();
});

const at = (text: string) => setSystemTime(new Date(text));
const tokens = { input: 1, output: 2, cacheRead: 30, cacheWritten: 4 };
const usage = (costUsd: number, models?: Usage["models"], more: Partial<Usage> = {}) => ({
  usage: { costUsd, numTurns: 1, durationMs: 1_000, ...(models ? { models } : {}), ...more },
});
const opusAndHaiku = { opus: { ...tokens, costUsd: 0.75 }, haiku: { ...tokens, costUsd: 0.25 } };

/** Two batches over two days, the second of them by a client and in another directory. */
function two(inside: Inside): [TestBatch, TestBatch] {
  const context = inside.context();
  at("2026-03-10T23:50:00");
  const first = inside
    .batch(context, { tasks: 3, batch: { name: "nightly" } })
    .answer(1, "one", usage(1, opusAndHaiku));
  at("2026-03-11T00:10:00");
  first
    .end(2, failed, usage(0.5, undefined, { atLeast: true }))
    .answer(3, "free")
    .finish();
  const second = inside
    .batch(context, { batch: { client: "claude-ai", workingDirectory: "/repo" } })
    .answer(1, "four", usage(2, { opus: tokens }))
    .finish();
  at("2026-03-12T12:00:00");
  return [first, second];
}

const ask = async (inside: Inside, input: object) => {
  const spent = await reportSpending.run(inside.context(), input, inside.call());
  const rows = spent.rows.map(({ of, costUsd, sessions }) => [of, costUsd, sessions]);
  return { ...spent, rows };
};

describe("spending", () => {
  test("is summed up by day, month, batch, model, directory and client", async () => {
    using inside = new Inside();
    const [first, second] = two(inside);
    const by = async (kind: string) => (await ask(inside, { by: kind })).rows;
    expect(await by("day")).toEqual([
      ["2026-03-10", 1, 1],
      ["2026-03-11", 2.5, 2],
    ]);
    expect(await by("month")).toEqual([["2026-03", 3.5, 3]]);
    expect(await by("batch")).toEqual([
      [second.id, 2, 1],
      [first.id, 1.5, 2],
    ]);
    expect(await by("model")).toEqual([
      ["opus", 2.75, 2],
      ["unknown", 0.5, 1],
      ["haiku", 0.25, 0],
    ]);
    expect(await by("directory")).toEqual([
      ["/repo", 2, 1],
      [inside.work, 1.5, 2],
    ]);
    expect(await by("client")).toEqual([
      ["claude-ai", 2, 1],
      ["command line", 1.5, 2],
    ]);
    expect(await ask(inside, {})).toMatchObject({
      total: {
        costUsd: 3.5,
        costAtLeast: true,
        sessions: 3,
        batches: 2,
        inputTokens: 3,
        outputTokens: 6,
        cacheReadTokens: 90,
        cacheWrittenTokens: 12,
      },
      budgets: [],
      message: "3 sessions in 2 batches since 2026-02-10 00:00:00 +00:00 cost at least $3.50.",
    });
  });

  test("is that of a time, and of as many rows as are wanted, with the rest in one sum", async () => {
    using inside = new Inside();
    const [, second] = two(inside);
    expect((await ask(inside, { since: "2026-03-11" })).rows).toEqual([["2026-03-11", 2.5, 2]]);
    expect((await ask(inside, { until: "2026-03-11" })).rows).toEqual([["2026-03-10", 1, 1]]);
    const first = await ask(inside, { by: "batch", limit: 1 });
    expect(first.rows).toEqual([[second.id, 2, 1]]);
    expect(first.others).toMatchObject({ costUsd: 1.5, sessions: 2, batches: 1 });
    const newest = await ask(inside, { limit: 1 });
    expect(newest.rows).toEqual([["2026-03-11", 2.5, 2]]);
    expect(newest.others).toMatchObject({ costUsd: 1 });
    expect(await ask(inside, { since: "12h" })).toMatchObject({
      rows: [],
      message: "Nothing was spent since 2026-03-12 00:00:00 +00:00.",
    });
    await expect(ask(inside, { since: "yesterday" })).rejects.toThrow("since must be hours, days or weeks");
    await expect(ask(inside, { since: "today", until: "2026-01-01" })).rejects.toThrow(
      "until must be later than 2026-03-12 00:00:00",
    );
  });

  test("stays when batches are removed", async () => {
    using inside = new Inside();
    two(inside);
    const kinds = ["day", "month", "batch", "model", "directory", "client"];
    const all = () =>
      Promise.all([
        ...kinds.map((by) => ask(inside, { by })),
        // In the middle of a quarter of an hour.
        ask(inside, { since: "2026-03-10T23:55", until: "2026-03-11T00:05" }),
      ]);
    const before = await all();
    at("2026-03-12T12:00:01");
    const removed = await prune.run(inside.context(), { olderThan: 1 }, inside.call());
    // Those of this process count as being written.
    expect(removed.batches).toBe(0);
    const { store } = inside.context();
    for (const { batchId } of store.list()) expect(store.forget(batchId)).toBe(true);
    expect(store.list()).toEqual([]);
    expect((await all()).map(({ rows, total }) => [rows, total])).toEqual(
      before.map(({ rows, total }) => [rows, total]),
    );
  });

  test("since a time is the same, however it is asked for", () => {
    using inside = new Inside();
    const context = inside.context();
    const times = ["2026-03-09T10:00", "2026-03-10T10:00", "2026-03-10T10:20", "2026-03-11T10:00"];
    times.forEach((time, index) => {
      at(time);
      const batch = inside.batch(context, { tasks: times.length - index });
      times.slice(index).forEach((later, after) => {
        at(later);
        batch.answer(after + 1, "", usage(2 ** (index * 4 + after), opusAndHaiku));
      });
      batch.finish();
    });
    const { database } = context.store;
    const most = Date.parse("2027-01-01");
    const sums = () =>
      ["2026-01-01T00:00", ...times, "2026-03-12T00:00"].map((time) => {
        const since = Date.parse(time);
        const sum = spentBetween(database, since, most).reduce((sum, { usd }) => sum + usd, 0);
        expect(spentSince(database, since)).toBeCloseTo(sum, 6);
        return Math.round(sum);
      });
    const before = sums();
    expect(new Set(before).size).toBe(before.length - 1);
    const [, newest] = context.store.list();
    // One that has not ended stays, and counts once.
    const running = inside.batch(context, { tasks: 2 }).answer(1, "", usage(8192));
    const withIt = sums();
    expect(context.store.forget(running.log.batchId)).toBe(false);
    expect(sums()).toEqual(withIt);
    expect(context.store.forget(newest?.batchId ?? never())).toBe(true);
    expect(sums()).toEqual(withIt);
  });

  test("of nobody yet is nothing, and asking creates no store", async () => {
    using inside = new Inside();
    expect(await ask(inside, {})).toMatchObject({ rows: [], total: { costUsd: 0, sessions: 0 } });
    expect(existsSync(join(inside.state, "store.sqlite"))).toBe(false);
  });

  test("is told beside the operator's budgets", async () => {
    using inside = new Inside({
      PARALLEL_CLAUDE_DAILY_BUDGET_USD: "5",
      PARALLEL_CLAUDE_MONTHLY_BUDGET_USD: "20",
    });
    two(inside);
    at("2026-03-11T18:00:00");
    const { budgets, message } = await ask(inside, {});
    expect(budgets).toMatchObject([
      { period: "day", budgetUsd: 5, spentUsd: 2.5, until: "2026-03-12T00:00:00.000Z" },
      { period: "month", budgetUsd: 20, spentUsd: 3.5, until: "2026-04-01T00:00:00.000Z" },
    ]);
    expect(message).toEndWith(
      "Of the daily budget of $5.00, $2.50 is spent today. Of the monthly budget of $20.00, $3.50 is spent this month.",
    );
  });
});

describe("on the command line", () => {
  test("it is a table with a total, CSV, or JSON", async () => {
    using inside = new Inside();
    const [first, second] = two(inside);
    const { out } = await onCommandLine(inside, ["spend", "--by", "batch"]);
    expect(out.split("\n").map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ["BATCH", "COST", "SESSIONS", "TOKENS IN", "OUT", "NAME"],
      [second.id, "$2.00", "1", "35", "2"],
      [first.id, "at least $1.50", "2", "70", "4", "nightly"],
      ["total", "at least $3.50", "3", "105", "6"],
      [expect.stringContaining("3 sessions in 2 batches")],
      [""],
    ]);
    const places = (await onCommandLine(inside, ["spend", "--by", "directory"])).out.split("\n");
    expect(places[0]).toEndWith("OUT  DIRECTORY");
    expect(places[1]).toEndWith("  /repo");
    const csv = await onCommandLine(inside, ["spend", "--by", "batch", "--csv"]);
    expect(csv.out).toBe(
      [
        "batch,name,costUsd,costAtLeast,sessions,batches,inputTokens,outputTokens,cacheReadTokens,cacheWrittenTokens",
        `${second.id},,2,false,1,1,1,2,30,4`,
        `${first.id},nightly,1.5,true,2,1,2,4,60,8`,
        "",
      ].join("\n"),
    );
    const { rows } = JSON.parse((await onCommandLine(inside, ["spend", "--json"])).out);
    expect(rows).toHaveLength(2);
    // In a terminal, a name that is too long is cut, and no row is wrapped.
    inside
      .batch(inside.context(), { batch: { name: "long ".repeat(30) } })
      .answer(1, "", usage(9))
      .finish();
    const shown = (await onCommandLine(inside, ["spend", "--by", "batch"], { columns: 80 })).out.split("\n");
    expect(shown[1]).toMatch(/^[a-z2-9]{8} .* long .*…$/);
    expect(shown[2]).toStartWith(second.id);
    const wrong = await onCommandLine(inside, ["spend", "--since", "soon"]);
    expect(wrong).toMatchObject({ code: 2, out: "" });
    expect(wrong.err).toStartWith("Nothing was done: --since must be hours, days or weeks");
  });

  test("it is a page with a bar for each day, also those without sessions, and with no text of a batch as HTML", async () => {
    using inside = new Inside();
    const context = inside.context();
    for (const [time, costUsd] of [
      ["2026-03-08T12:00:00", 1],
      ["2026-03-11T12:00:00", 4],
    ] as const) {
      at(time);
      inside
        .batch(context, { batch: { name: "<b>one" } })
        .answer(1, "", usage(costUsd))
        .finish();
    }
    const page = inside.file("costs.html");
    const made = await onCommandLine(inside, ["spend", "--page", page]);
    expect(made).toMatchObject({ code: 0, out: `${page}\n` });
    const html = readFileSync(page, "utf8");
    const rows = [
      ...html.matchAll(/<th scope="row"[^>]*>(.*?)<\/th>.*?(?:<rect width="(\d+)"|<td class="n">)/g),
    ];
    expect(rows.map(([, of, width]) => [of, width])).toEqual([
      ["2026-03-08", "250"],
      ["2026-03-09", undefined],
      ["2026-03-10", undefined],
      ["2026-03-11", "1000"],
    ]);
    // Again over its own page, but over nothing else.
    expect((await onCommandLine(inside, ["spend", "--page", page, "--by", "batch"])).code).toBe(0);
    expect(readFileSync(page, "utf8")).toContain("&lt;b&gt;one");
    const other = inside.write("other.html", "mine");
    const refused = await onCommandLine(inside, ["spend", "--page", other]);
    expect(refused.err).toContain(`${other} exists, and is no page of costs. Nothing was written`);
    expect(readFileSync(other, "utf8")).toBe("mine");
  });
});

test("models that account for all of a session leave nothing unknown", async () => {
  using inside = new Inside();
  inside.batch(inside.context()).answer(1, "", usage(1, opusAndHaiku)).finish();
  expect((await ask(inside, { by: "model" })).rows).toEqual([
    ["opus", 0.75, 1],
    ["haiku", 0.25, 0],
  ]);
});

test("an answer that is used again is no session", async () => {
  using inside = new Inside();
  const first = inside.batch(inside.context()).answer(1, "yes", usage(1)).finish();
  const reused = {
    batchId: first.log.batchId,
    task: 1,
    at: Date.now(),
    sessionId: "s",
    transcript: first.transcript(1),
  };
  const outcome = { kind: "succeeded", length: 3, offset: 0, reused } as const;
  inside.batch(inside.context()).end(1, outcome, usage(0)).finish();
  expect(await ask(inside, {})).toMatchObject({ total: { costUsd: 1, sessions: 1, batches: 1 } });
});

testNeeding("modes of files")(
  "without a file, the page is for its user alone, and it is said that nothing could show it",
  async () => {
    using inside = new Inside();
    two(inside);
    const { code, out, err } = await onCommandLine(inside, ["spend", "--open"]);
    const page = join(inside.state, "spending.html");
    expect({ code, out }).toEqual({ code: 0, out: `${page}\n` });
    expect(err).toContain("The page was not opened: ");
    expect(statSync(page).mode & 0o777).toBe(0o600);
    const mine = inside.file("costs.html");
    expect((await onCommandLine(inside, ["spend", "--page", mine])).err).toBe("");
    expect(statSync(mine).mode & 0o777).toBe(0o644);
  },
);

function never(): never {
  throw new Error("there is no batch");
}
