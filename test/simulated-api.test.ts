// What the simulated API lets through, and how the fake `claude` fares with it: as the real one does with the real one.
import { describe, expect, test } from "bun:test";
import { testNeeding } from "./facilities.ts";
import { ApiCapacity } from "./fixtures/api-capacity.ts";
import { maxRetries, retryDelayMs } from "./fixtures/fake-claude/retry-schedule.ts";
import { differences } from "./fixtures/likeness.ts";
import { messagesIn, run, start, streaming, userLine } from "./fixtures/run-fake-claude.ts";
import { SimulatedApi } from "./fixtures/simulated-api.ts";

const fast = 0.001;

/** What a fake session prints that is asked this, and how it exits; as the version of the recordings. */
async function ask(api: SimulatedApi, prompt: string, env: Record<string, string | undefined> = {}) {
  const variables = { ...api.environment(fast), FAKE_CLAUDE_VERSION: "2.1.197", ...env };
  const { stdout, exitCode } = await run({ args: streaming, lines: [userLine(prompt)], env: variables });
  const messages = messagesIn(stdout);
  return { messages, exitCode, result: messages.at(-1) ?? {}, retries: messages.filter(isRetry) };
}

function isRetry(message: Record<string, unknown>): boolean {
  return message["subtype"] === "api_retry";
}

async function recorded(name: string): Promise<Record<string, unknown>[]> {
  return messagesIn(await Bun.file(`${import.meta.dir}/fixtures/recorded/${name}.ndjson`).text());
}

describe("a capacity", () => {
  test("lets in as many calls at a time as it says", () => {
    const capacity = new ApiCapacity([{ inFlight: 2 }]);
    expect([capacity.begin(0), capacity.begin(0), capacity.begin(0)]).toEqual([true, true, false]);
    capacity.end();
    expect([capacity.begin(0), capacity.begin(0)]).toEqual([true, false]);
  });

  test("gains calls with time, and keeps no more than its burst", () => {
    const capacity = new ApiCapacity([{ rate: 10, burst: 2 }]);
    const begun = (nowMs: number) => [capacity.begin(nowMs), capacity.begin(nowMs), capacity.begin(nowMs)];
    expect(begun(0)).toEqual([true, true, false]);
    expect(begun(100)).toEqual([true, false, false]);
    expect(begun(60_000)).toEqual([true, true, false]);
  });

  test("changes with time, and stays as it is in the last phase", () => {
    const capacity = new ApiCapacity([{ forMs: 100, inFlight: 1 }, { inFlight: 2 }]);
    expect([capacity.begin(0), capacity.begin(99), capacity.begin(100)]).toEqual([true, false, true]);
    expect(capacity.begin(1e9)).toBe(false);
  });

  test("that goes over to a bucket starts with a full one", () => {
    const capacity = new ApiCapacity([{ forMs: 100 }, { rate: 1, burst: 1 }]);
    expect([capacity.begin(0), capacity.begin(100), capacity.begin(100)]).toEqual([true, true, false]);
  });
});

describe("a session with an API", () => {
  test.concurrent("makes as many calls as its prompt says, each of which gives an assistant line", async () => {
    using api = new SimulatedApi();
    const { messages, result, exitCode } = await ask(api, "[[api calls=3 text=done]]");
    expect(messages.filter(({ type }) => type === "assistant")).toHaveLength(3);
    expect(result).toMatchObject({ is_error: false, result: "done", num_turns: 3 });
    expect([api.count("served"), exitCode]).toEqual([3, 0]);
  });

  test.concurrent("makes one call when its prompt says nothing of it", async () => {
    using api = new SimulatedApi();
    expect((await ask(api, "hi")).result).toMatchObject({ result: "Answer to: hi" });
    await ask(api, "[[answer text=else]]");
    expect(api.calls.map(({ answered, model }) => [answered, model])).toEqual([
      ["served", "claude-opus-4-8"],
      ["served", "claude-opus-4-8"],
    ]);
  });

  test.concurrent("without an API, the directive still gives its lines", async () => {
    const { exitCode, stdout } = await run({
      args: streaming,
      lines: [userLine("[[api calls=2 text=done]]")],
    });
    expect(messagesIn(stdout).at(-1)).toMatchObject({ result: "done", num_turns: 2 });
    expect(exitCode).toBe(0);
  });

  test.concurrent("shares the capacity with all others, and tries again until it is served", async () => {
    using api = new SimulatedApi({ profile: [{ inFlight: 1 }], serviceMs: 5 });
    const all = await Promise.all(
      Array.from({ length: 3 }, () => ask(api, "[[api calls=4]]", { FAKE_CLAUDE_API_SCALE: "0.02" })),
    );
    expect(all.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect([api.count("served"), api.mostInFlight]).toEqual([12, 1]);
    expect(all.flatMap(({ retries }) => retries)).toHaveLength(api.count("throttled"));
  });
});

describe("a session that is throttled", () => {
  const closed = [{ inFlight: 0 }];

  test.concurrent("ends as it was recorded, after as many retries as it is allowed", async () => {
    using api = new SimulatedApi({ profile: closed });
    const { messages, exitCode, result } = await ask(api, "[[api]]", { CLAUDE_CODE_MAX_RETRIES: "2" });
    const said = "This request would exceed your account's rate limit.";
    const expected: Record<string, unknown>[] = JSON.parse(
      JSON.stringify(await recorded("error-429")).replaceAll(
        "This request would exceed your rate limit of 50 requests per minute.",
        said,
      ),
    );
    expect(differences(expected, messages)).toEqual([]);
    expect(result["result"]).toBe(`API Error: Request rejected (429) · ${said}`);
    expect([exitCode, api.count("throttled")]).toEqual([1, 3]);
  });

  test.concurrent("tries ten times when nobody says otherwise, each time twice as long up to a limit", async () => {
    using api = new SimulatedApi({ profile: closed });
    const { retries } = await ask(api, "[[api]]", { FAKE_CLAUDE_API_SCALE: "0.0001" });
    expect(retries.map(({ attempt, max_retries }) => [attempt, max_retries])).toEqual(
      Array.from({ length: 10 }, (_, index) => [index + 1, 10]),
    );
    const seconds = [0.5, 1, 2, 4, 8, 16, 32, 32, 32, 32];
    for (const [index, { retry_delay_ms: delay }] of retries.entries()) {
      const least = (seconds[index] ?? 0) * 1000 * 0.0001;
      expect(Number(delay)).toBeWithin(least, least * 1.25 + 1e-9);
    }
  });

  test.concurrent("is told of an overload in the words for it", async () => {
    using api = new SimulatedApi({ profile: closed, throttleStatus: 529 });
    const { messages, exitCode } = await ask(api, "[[api]]", { CLAUDE_CODE_MAX_RETRIES: "2" });
    expect(differences(await recorded("error-529"), messages)).toEqual([]);
    expect(exitCode).toBe(1);
  });

  test.concurrent("waits as long as the API says, and gives up at once above a minute", async () => {
    using patient = new SimulatedApi({ profile: closed, retryAfter: 60 });
    const { retries } = await ask(patient, "[[api]]", { CLAUDE_CODE_MAX_RETRIES: "1" });
    expect(retries.map((retry) => retry["retry_delay_ms"])).toEqual([60_000 * fast]);
    using stern = new SimulatedApi({ profile: closed, retryAfter: 61 });
    const { retries: none, result } = await ask(stern, "[[api]]");
    expect([none, result["api_error_status"]]).toEqual([[], 429]);
  });

  test.concurrent("can be interrupted while it waits", async () => {
    using api = new SimulatedApi({ profile: closed });
    await using claude = start({ args: streaming, stdin: "open", env: api.environment() });
    claude.send(userLine("[[api]]"));
    await claude.until("system", "api_retry");
    claude.send({ type: "control_request", request_id: "r1", request: { subtype: "interrupt" } });
    expect(await claude.until("result")).toMatchObject({ terminal_reason: "aborted_streaming" });
  });
});

describe("a session whose usage is used up", () => {
  const subscribed = { ANTHROPIC_API_KEY: undefined, CLAUDE_CODE_OAUTH_TOKEN: "token" };

  test.concurrent("says until when, as it was recorded, and does nothing more", async () => {
    using api = new SimulatedApi({ usage: { calls: 0, forMs: 3_600_000 } });
    const args = ["-p", "--output-format", "stream-json", "--verbose", "[[api]][[answer text=no]]"];
    const { stdout, exitCode } = await run({
      args,
      env: { ...api.environment(fast), ...subscribed, FAKE_CLAUDE_VERSION: "2.1.197" },
    });
    const messages = messagesIn(stdout);
    const withoutTime = (list: Record<string, unknown>[]): Record<string, unknown>[] =>
      JSON.parse(JSON.stringify(list).replaceAll(/resets [^"]*/g, "resets"));
    expect(differences(withoutTime(await recorded("rate-limit-rejected")), withoutTime(messages))).toEqual(
      [],
    );
    expect(messages[1]).toMatchObject({ rate_limit_info: { status: "rejected", resetsAt: api.resetsAt } });
    expect([exitCode, api.count("served"), api.count("rejected")]).toEqual([1, 0, 1]);
  });

  test.concurrent("was served until then", async () => {
    using api = new SimulatedApi({ usage: { calls: 2, forMs: 3_600_000 } });
    const { messages, result } = await ask(api, "[[api calls=3]]", subscribed);
    expect(messages.filter(({ type }) => type === "user")).toHaveLength(2);
    expect(result).toMatchObject({ is_error: true, api_error_status: 429, num_turns: 3 });
    expect([api.count("served"), api.count("rejected")]).toEqual([2, 1]);
  });

  test.concurrent("is served again after the reset, in a new window", async () => {
    using api = new SimulatedApi({ usage: { calls: 1, forMs: 1 } });
    await ask(api, "[[api]]");
    const firstEnd = api.resetsAt ?? 0;
    // The reset is a moment of the wall clock: nothing else tells of it.
    while (Date.now() < firstEnd * 1000) await Bun.sleep(5);
    expect((await ask(api, "[[api]]")).exitCode).toBe(0);
    expect(api.resetsAt).toBeGreaterThan(firstEnd);
  });

  test.concurrent("where the limit is one model's, is served with another model", async () => {
    using api = new SimulatedApi();
    api.usage = { calls: 1, forMs: 3_600_000, type: "seven_day_opus", model: "opus" };
    const asked = async (model: string) => {
      const args = [...streaming, "--model", model];
      const env = { ...api.environment(fast), ...subscribed };
      return messagesIn((await run({ args, env, lines: [userLine("[[api]]")] })).stdout);
    };
    expect((await asked("opus")).at(-1)).toMatchObject({ is_error: false });
    expect((await asked("sonnet")).at(-1)).toMatchObject({ is_error: false });
    const messages = await asked("opus");
    expect(messages.at(-1)).toMatchObject({ is_error: true, api_error_status: 429 });
    expect(messages.at(-3)).toMatchObject({ rate_limit_info: { rateLimitType: "seven_day_opus" } });
    expect((await asked("sonnet")).at(-1)).toMatchObject({ is_error: false });
  });
});

describe("a session without a login", () => {
  test.concurrent("says so as it was recorded, without a retry, and is served when the login is back", async () => {
    using api = new SimulatedApi();
    api.loggedIn = false;
    const { messages, exitCode } = await ask(api, "[[api]]", { ANTHROPIC_API_KEY: undefined });
    expect(differences(await recorded("error-not-logged-in"), messages)).toEqual([]);
    expect([exitCode, api.count("unauthorized")]).toEqual([1, 1]);
    api.loggedIn = true;
    expect((await ask(api, "[[api]]", { ANTHROPIC_API_KEY: undefined })).exitCode).toBe(0);
  });

  test.concurrent("says that its key is refused when it has one", async () => {
    using api = new SimulatedApi();
    api.loggedIn = false;
    const { messages, exitCode } = await ask(api, "[[api]]");
    expect(differences(await recorded("error-401-api-key"), messages)).toEqual([]);
    expect(exitCode).toBe(1);
  });
});

testNeeding("connections that are refused")(
  "a session whose API is not there ends as it was recorded",
  async () => {
    const gone = new SimulatedApi();
    gone[Symbol.dispose]();
    const { messages, exitCode } = await ask(gone, "[[api]]", { CLAUDE_CODE_MAX_RETRIES: "1" });
    expect(differences(await recorded("error-connection-refused"), messages)).toEqual([]);
    expect(exitCode).toBe(1);
  },
);

test("the number of retries is read as the real one reads it", () => {
  expect(["3", "0", "many", "", undefined].map(maxRetries)).toEqual([3, 0, 10, 10, 10]);
  expect([1, 7, 10].map((retry) => retryDelayMs(retry, 0))).toEqual([500, 32_000, 32_000]);
  expect(retryDelayMs(1, 1)).toBe(625);
});
