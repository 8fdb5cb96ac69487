// What advice says about conversations, followed with the real `claude`: after which ends they can continue.
import { expect, test } from "bun:test";
import { testNeeding } from "../facilities.ts";
import { startMessagesApi } from "./messages-api.ts";
import { interrupt, isResult, prompt, realHome, resultOf, runReal, startReal } from "./session.ts";
import { claude, describeReal, setPatience } from "./version.ts";

setPatience(60_000);

/** How a session can end, and what its result then says. */
interface End {
  args: readonly string[];
  text: string;
  result: object;
}

const ends: Record<string, End> = {
  "the limit of turns": {
    args: ["--max-turns=1", "--allowedTools=Bash"],
    text: "RUN: echo hello",
    result: { subtype: "error_max_turns" },
  },
  "the budget": {
    args: ["--max-budget-usd=0.00001"],
    text: "hello",
    result: { subtype: "error_max_budget_usd" },
  },
  "a lost connection": {
    args: [],
    text: "FAIL 503",
    result: { is_error: true, api_error_status: 503 },
  },
  "the usage limit": {
    args: [],
    text: "FAIL 429 anthropic-ratelimit-unified-status=rejected: out of usage",
    result: { is_error: true, api_error_status: 429 },
  },
};

const deniedTools: End = {
  args: [],
  text: "RUN: mkdir made",
  result: { is_error: false, permission_denials: [{ tool_name: "Bash" }] },
};

describeReal("a conversation can continue", () => {
  test.each(Object.entries(ends))("after %s, with other options", (_, end) => continuesAfter(end));
  testNeeding("bash")("after denied tools, with other options", () => continuesAfter(deniedTools));

  async function continuesAfter({ args, text, result }: End): Promise<void> {
    await using home = await realHome();
    await using api = startMessagesApi();
    const environment = { ...api.environment, CLAUDE_CODE_MAX_RETRIES: "0" };
    const session = { claude: claude?.path ?? "claude", home, environment };
    const id = crypto.randomUUID();
    const ended = await runReal({ ...session, args: [`--session-id=${id}`, ...args] }, text);
    expect(resultOf(ended)).toMatchObject(result);

    const allowed = ["--allowedTools=Bash(mkdir:*)", `--resume=${id}`];
    const continued = await runReal({ ...session, args: allowed }, "RUN: mkdir made");
    expect(resultOf(continued)).toMatchObject({ session_id: id, permission_denials: [] });
    const asked = JSON.stringify(api.calls().at(-1)?.messages);
    expect(asked).toContain(text);
    expect(asked).toContain("RUN: mkdir made");
    // The stand-in answers the first prompt that has no answer yet, which after an error is that of before.
    if (!text.startsWith("FAIL")) expect(resultOf(continued)["is_error"]).toBe(false);
  }

  test("after an interrupt, as a clock or a person sends it", async () => {
    await using home = await realHome();
    await using api = startMessagesApi();
    const session = { claude: claude?.path ?? "claude", home, environment: api.environment };
    const id = crypto.randomUUID();
    await using running = startReal({ ...session, args: [`--session-id=${id}`] });
    running.send(prompt("HOLD this"));
    await running.next(({ type }) => type === "assistant");
    running.send(interrupt());
    await running.next(isResult);
    await running.end();
    const continued = await runReal({ ...session, args: [`--resume=${id}`] }, "SAY: again");
    expect(resultOf(continued)).toMatchObject({ is_error: false, result: "again", session_id: id });
    expect(JSON.stringify(api.calls().at(-1)?.messages)).toContain("HOLD this");
  });

  test("but one that is too long is sent again as long as it was", async () => {
    await using home = await realHome();
    await using api = startMessagesApi();
    const session = { claude: claude?.path ?? "claude", home, environment: api.environment };
    const id = crypto.randomUUID();
    const text = `FAIL 400: prompt is too long: 210000 tokens > 200000 maximum`;
    const ended = await runReal({ ...session, args: [`--session-id=${id}`] }, text);
    expect(resultOf(ended)).toMatchObject({
      terminal_reason: "prompt_too_long",
      result: expect.stringMatching(/single[- ]exchange/),
    });
    const later = await runReal(session, "SAY: one", "SAY: two", text);
    expect(resultOf(later)).toMatchObject({
      terminal_reason: "prompt_too_long",
      result: "Prompt is too long",
    });
    await runReal({ ...session, args: [`--resume=${id}`] }, "SAY: again");
    expect(JSON.stringify(api.calls().at(-1)?.messages)).toContain("210000 tokens");
    const anew = await runReal(session, "SAY: anew");
    expect(resultOf(anew)).toMatchObject({ is_error: false, result: "anew" });
    expect(JSON.stringify(api.calls().at(-1)?.messages)).not.toContain("210000 tokens");
  });
});
