// Why a turn of the real `claude` ended, as its result says. `bun run test:versions`.
import { expect, test } from "bun:test";
import { type Line, resultOf, runReal } from "./session.ts";
import { useStandIn } from "./stand-in.ts";
import { claude, describeReal, has, setPatience, since } from "./version.ts";

setPatience(60_000);

describeReal("the terminal reasons of the real claude", () => {
  const standIn = useStandIn();

  async function resultWith(args: readonly string[], text: string): Promise<Line> {
    const environment = { ...standIn.api.environment, CLAUDE_CODE_MAX_RETRIES: "0" };
    const path = claude?.path ?? "claude";
    const all = ["--model=sonnet", "--permission-mode=default", "--allowedTools=Bash", ...args];
    return resultOf(await runReal({ claude: path, home: standIn.home, args: all, environment }, text));
  }

  test("an answer, a limit of turns and a prompt that is too long are named", async () => {
    expect(await resultWith([], "hello")).toMatchObject({ terminal_reason: "completed" });
    expect(await resultWith(["--max-turns=1"], "RUN: ls")).toMatchObject({ terminal_reason: "max_turns" });
    const tooLong = "FAIL 400: prompt is too long: 250000 tokens > 200000 maximum";
    expect(await resultWith([], tooLong)).toMatchObject({ terminal_reason: "prompt_too_long" });
  });

  test("an API error is a success by its subtype, and an error by its flag and its status", async () => {
    for (const status of [400, 401, 429, 500]) {
      expect(await resultWith([], `FAIL ${status}`)).toMatchObject({
        subtype: "success",
        is_error: true,
        api_error_status: status,
        terminal_reason: has("2.1.206") ? "api_error" : "completed",
      });
    }
  });

  since("2.1.206")("a budget that is spent is a reason of its own", async () => {
    const result = await resultWith(["--max-budget-usd=0.00001"], "hello");
    expect(result).toMatchObject({ subtype: "error_max_budget_usd", terminal_reason: "budget_exhausted" });
  });
});
