// What the real `claude` says that turns, conversations and processes have cost. `bun run test:versions`.
import { beforeAll, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Ended, isResult, type Line, prompt, resultOf, runReal, startReal } from "./session.ts";
import { useStandIn } from "./stand-in.ts";
import { claude, describeReal, has, setPatience, since } from "./version.ts";

setPatience(60_000);

describeReal("the money that the real claude counts", () => {
  const standIn = useStandIn();
  /** What one call of the stand-in costs with this version's prices, in dollars. */
  let price = 0;

  beforeAll(async () => {
    price = totalOf(resultOf(await runReal(options(), "hello")));
  });

  function options(args: readonly string[] = []) {
    const path = claude?.path ?? "claude";
    return {
      claude: path,
      home: standIn.home,
      args: ["--model=sonnet", "--permission-mode=default", ...args],
      environment: standIn.api.environment,
    };
  }

  /** A conversation of one call, whose process has ended by itself. */
  async function conversation(): Promise<string> {
    const id = crypto.randomUUID();
    await runReal(options([`--session-id=${id}`]), "the first prompt");
    return id;
  }

  /** In calls of the stand-in; exact to a thousandth. */
  function calls(usd: number): number {
    return Math.round((usd / price) * 1000) / 1000;
  }

  const totals = (ended: Ended) => ended.lines.filter(isResult).map((result) => calls(totalOf(result)));

  async function costRows(id: string): Promise<Line[]> {
    const folder = join(standIn.home.path, ".claude/projects");
    const [path] = (await readdir(folder, { recursive: true })).filter((name) =>
      name.endsWith(`${id}.jsonl`),
    );
    const text = path === undefined ? "" : await Bun.file(join(folder, path)).text();
    const rows = text.split("\n").filter((row) => row.startsWith("{"));
    return rows.map((row): Line => JSON.parse(row)).filter(({ type }) => type === "cost-state");
  }

  test("a call has a price, and the total adds up over the turns of a process", async () => {
    expect(price).toBeGreaterThan(0);
    expect(totals(await runReal(options(), "one", "two", "three"))).toEqual([1, 2, 3]);
  });

  test("the total and the models' costs are the same money", async () => {
    const result = resultOf(await runReal(options(), "one", "two"));
    expect(calls(costOf(result["modelUsage"]))).toBe(calls(totalOf(result)));
  });

  since("2.1.309")("each result says what its own turn cost, by model", async () => {
    const { lines } = await runReal(options(), "one", "RUN: ls", "three");
    const costs = lines.filter(isResult).map((line) => calls(costOf(line["model_usage_since_last_result"])));
    expect(costs).toEqual([1, 2, 1]);
  });

  test("a resumed or forked process begins with what its conversation had cost, since 2.1.277", async () => {
    const before = has("2.1.277") ? 1 : 0;
    const id = await conversation();
    expect(totals(await runReal(options([`--resume=${id}`, "--fork-session"]), "a fork"))).toEqual([
      before + 1,
    ]);
    expect(totals(await runReal(options([`--resume=${id}`]), "more"))).toEqual([before + 1]);
    expect(totals(await runReal(options([`--resume=${id}`]), "and more"))).toEqual([2 * before + 1]);
  });

  since("2.1.309")("a resumed process says all the same what its own turn cost", async () => {
    const ended = await runReal(options([`--resume=${await conversation()}`]), "more");
    expect(calls(costOf(resultOf(ended)["model_usage_since_last_result"]))).toBe(1);
  });

  since("2.1.277")("a process that ends by itself leaves its total in the conversation", async () => {
    const id = await conversation();
    const rows = await costRows(id);
    expect(rows).toHaveLength(1);
    expect(rows).toMatchObject([{ sessionId: id, totalCostUSD: price }]);
    expect(calls(costOf(rows[0]?.["modelUsage"]))).toBe(1);
  });

  since("2.1.277")("a killed process leaves nothing, and its money is in no later total", async () => {
    const id = await conversation();
    {
      await using killed = startReal(options([`--resume=${id}`]));
      killed.send(prompt("more"));
      expect(calls(totalOf(await killed.next(isResult)))).toBe(2);
    }
    expect(await costRows(id)).toHaveLength(1);
    expect(totals(await runReal(options([`--resume=${id}`]), "and more"))).toEqual([2]);
  });

  test("a limit of money is for what the process itself spends", async () => {
    const id = await conversation();
    const limit = `--max-budget-usd=${1.5 * price}`;
    const { lines } = await runReal(options([`--resume=${id}`, limit]), "within", "beyond");
    expect(lines.filter(isResult).map(({ subtype }) => subtype)).toEqual(["success", "error_max_budget_usd"]);
  });

  test("/clear lets the total begin at 0 again, since 2.1.211", async () => {
    const ended = await runReal(options(), "one", "/clear", "two");
    expect(totals(ended)).toEqual(has("2.1.211") ? [1, 0, 1] : [1, 1, 2]);
  });
});

function totalOf(result: Line): number {
  return Number(result["total_cost_usd"]);
}

/** The sum of `costUSD` over the models. */
function costOf(usage: unknown): number {
  const models: unknown[] = typeof usage === "object" && usage !== null ? Object.values(usage) : [Number.NaN];
  return models.reduce<number>((sum, model) => sum + Number(Reflect.get(Object(model), "costUSD")), 0);
}
