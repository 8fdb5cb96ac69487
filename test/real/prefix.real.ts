// What sessions of the real `claude` share of their requests, and that our program lets one of them write it. `bun run test:real`.
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { argumentsFor, initializeLine, promptLine } from "../../src/claude/arguments.ts";
import { prefixOf } from "../../src/claude/prefix.ts";
import { type SessionOptions, sessionOptions } from "../../src/model/options.ts";
import { connectNew, Home } from "../harness.ts";
import { type MessagesBody, startMessagesApi } from "./messages-api.ts";
import { sharedPart } from "./prompt-cache.ts";
import { cleanEnvironment, type RealHome, realHome } from "./session.ts";
import { claude, describeReal, setPatience, since } from "./version.ts";

setPatience(240_000);

const sessions = 24;

/** The first request of a session with these options, as our program starts it. */
async function requestOf(home: RealHome, given: object, directory = home.project): Promise<MessagesBody> {
  await using api = startMessagesApi();
  const options: SessionOptions = sessionOptions.parse(given);
  const child = Bun.spawn([claude?.path ?? "", ...argumentsFor(options, crypto.randomUUID())], {
    cwd: directory,
    env: { ...cleanEnvironment(home), ...api.environment },
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  child.stdin.write(initializeLine(options));
  child.stdin.write(promptLine("SAY: hello", options, directory));
  await child.stdin.end();
  await child.exited;
  const [first] = api.calls();
  if (!first) throw new Error(`no request with ${JSON.stringify(given)}`);
  return first;
}

const same: object[] = [
  { allowedTools: "Read,Bash(ls)" },
  { permissionMode: "acceptEdits" },
  { permissionMode: "dontAsk" },
  { effort: "low" },
  { fallbackModel: "haiku" },
  { maxTurns: 3, maxBudgetUsd: 1 },
  { name: "other", slashCommands: true, fileMentions: true },
  { addDirectories: ["/tmp"] },
];
const different: object[] = [
  { model: "haiku" },
  { tools: "Read" },
  { disallowedTools: "Bash" },
  { systemPrompt: "Be brief." },
  { appendSystemPrompt: "Be brief." },
  { outputSchema: { type: "object", properties: { a: { type: "string" } } } },
  { restricted: true },
  { permissionMode: "plan" },
];

describeReal("the beginning of requests", () => {
  // Seen with 2.1.332. 2.1.197 does not know `restricted`, and says nothing else in the mode `plan`.
  since("2.1.309")("depends on the options that make groups, and on no other one", async () => {
    await using home = await realHome();
    const usual = sharedPart(await requestOf(home, {}));
    expect(usual).not.toBe("");
    const asked = async (given: object) => ({
      given,
      isSame: sharedPart(await requestOf(home, given)) === usual,
    });
    const seen: object[] = [];
    for (const given of [...same, ...different]) seen.push(await asked(given));
    expect(seen).toEqual([
      ...same.map((given) => ({ given, isSame: true })),
      ...different.map((given) => ({ given, isSame: false })),
    ]);
    const groupOf = (given: object) => prefixOf(sessionOptions.parse(given));
    const isUsual = (given: object) => groupOf(given) === groupOf({});
    expect([...same, ...different].map(isUsual)).toEqual([
      ...same.map(() => true),
      ...different.map(() => false),
    ]);
  });

  test("is the same in another directory up to an earlier mark", async () => {
    await using home = await realHome();
    const other = join(home.path, "other");
    mkdirSync(other);
    const [one, two] = [await requestOf(home, {}), await requestOf(home, {}, other)];
    expect(sharedPart(two)).not.toBe(sharedPart(one));
    expect(two.tools).toEqual(one.tools);
  });

  test("is written once by a batch, whose other sessions call only when the first one is answered", async () => {
    await using api = startMessagesApi({ caches: true });
    await using home = new Home({
      PARALLEL_CLAUDE_CLAUDE_PATH: claude?.path ?? "",
      PARALLEL_CLAUDE_CONCURRENCY: String(sessions),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      ...api.environment,
    });
    await using client = await connectNew(home);
    const others = Array.from({ length: sessions - 1 }, (_, index) => `SAY: ${index}`);
    const started = await client.call("spawn_parallel_claude_sessions", {
      tasks: ["AFTER lead: first", ...others],
      asyncMode: true,
    });
    const batchId = String(started.data?.["batchId"]);
    // The first call is the leader's, which is not answered before that.
    await api.request(({ path }) => path === "/v1/messages");
    expect(api.calls()).toHaveLength(1);
    api.open("lead");
    let state = "running";
    while (state === "running") {
      const { data } = await client.call("wait_for_batch", { batchId, waitSeconds: 20 });
      state = String(data?.["state"]);
    }
    const { data } = await client.call("wait_for_batch", { batchId, waitSeconds: 0 });
    expect(data).toMatchObject({ counts: { succeeded: sessions } });
    expect(api.cached).toHaveLength(sessions);
    expect(api.order.slice(0, 3)).toEqual(["call", "answer", "call"]);
    const shared = api.cached[0]?.shared ?? 0;
    expect(shared).toBeGreaterThan(1_000);
    const writtenAgain = api.cached.reduce((sum, { read }) => sum + Math.max(0, shared - read), 0);
    expect(writtenAgain / shared).toBeLessThanOrEqual(1.1);
    const { promptCache } = data ?? {};
    expect(promptCache).toMatchObject({
      writtenTokens: api.cached.reduce((sum, { written }) => sum + written, 0),
      readTokens: api.cached.reduce((sum, { read }) => sum + read, 0),
      savedUsd: expect.any(Number),
    });
  });
});
