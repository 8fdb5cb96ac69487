// Several tasks in one process of the real `claude`, as our program runs them. `bun run test:real`.
import { expect, test } from "bun:test";
import { z } from "zod";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { connectNew, Home, run } from "../harness.ts";
import { settled } from "../settled.ts";
import { type MessagesApi, startMessagesApi } from "./messages-api.ts";
import { claude, describeReal, has, setPatience } from "./version.ts";

setPatience(120_000);

const reuses = has("2.1.309");

function homeOf(api: MessagesApi): Home {
  return new Home({
    PARALLEL_CLAUDE_CLAUDE_PATH: claude?.path ?? "",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    ...api.environment,
  });
}

describeReal("tasks of a batch in one process", () => {
  test("have conversations, directories, costs and answers of their own, where the version is new enough", async () => {
    await using api = startMessagesApi();
    await using home = homeOf(api);
    await using client = await connectNew(home);
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [
        'RUN: mkdir -p sub && cd sub && pwd\n THEN STRUCTURED: {"n":1}\n THEN SAY: one',
        'RUN: pwd\n THEN STRUCTURED: {"n":2}\n THEN SAY: two',
        'STRUCTURED: {"n":3}\n THEN SAY: three',
      ],
      allowedTools: "Bash",
      outputSchema: schema,
      concurrency: 1,
      reuseSessions: "auto",
    });
    expect(data).toMatchObject({
      counts: { succeeded: 3 },
      results: [
        { structuredResult: { n: 1 } },
        { structuredResult: { n: 2 } },
        { structuredResult: { n: 3 } },
      ],
    });
    using store = home.store();
    const { tasks = [] } = store.batch(batchIdSchema.parse(data?.["batchId"]))?.state ?? {};
    const attempts = tasks.flatMap((task) => task.attempts);
    expect(attempts).toHaveLength(3);
    expect(new Set(attempts.map(({ transcript }) => transcript)).size).toBe(reuses ? 1 : 3);
    expect(new Set(attempts.map(({ sessionId }) => sessionId)).size).toBe(3);
    expect(attempts.map(({ resumable }) => resumable)).toEqual([true, true, true]);
    // Each call costs the same.
    const perCall = (attempts[2]?.usage?.costUsd ?? 0) / callsFor(api, "STRUCTURED").length;
    expect(perCall).toBeGreaterThan(0);
    for (const [index, prompt] of ["RUN: mkdir", "RUN: pwd"].entries()) {
      const calls = callsFor(api, prompt);
      expect(attempts[index]?.usage?.costUsd).toBeCloseTo(perCall * calls.length, 6);
      const others = index === 0 ? ["RUN: pwd"] : ["RUN: mkdir"];
      for (const other of others) expect(JSON.stringify(calls)).not.toContain(other);
    }
    const said = JSON.stringify(callsFor(api, "RUN: pwd").at(-1));
    expect(said).toContain(home.work);
    expect(said).not.toContain(`${home.work}/sub`);
    await home.empty({ but: client.pid });
  });

  test("are many, four at once: each answer is its own, and the batch costs what was billed", async () => {
    await using api = startMessagesApi();
    await using home = homeOf(api);
    const prompts = Array.from({ length: 40 }, (_, n) =>
      n % 5 === 0 ? `RUN: cd / && echo word${n}\n THEN SAY: answer ${n}.` : `SAY: answer ${n}.`,
    );
    prompts[11] = "FAIL 400";
    const options = ["--concurrency=4", "--allowed-tools=Bash", "--model=sonnet", "--retries=0"];
    const { out } = await run(home, ["run", "--json", "--reuse-sessions=auto", ...options, ...prompts]);
    const data = answerOfRun.parse(JSON.parse(out));
    for (const [n, { outcome, result }] of data.results.entries())
      expect([outcome, result]).toEqual(n === 11 ? ["failed: request", ""] : ["succeeded", `answer ${n}.`]);
    using store = home.store();
    const { tasks = [] } = store.batch(data.batchId)?.state ?? {};
    const attempts = tasks.flatMap((task) => task.attempts);
    const processes = new Set(attempts.map(({ transcript }) => transcript)).size;
    expect(attempts).toHaveLength(40);
    expect(processes).toBeLessThanOrEqual(reuses ? 8 : 40);
    const billed = api.requests.filter(
      ({ path, userText }) => path === "/v1/messages" && !userText.includes("FAIL"),
    );
    const perCall = attempts[1]?.usage?.costUsd ?? 0;
    expect(perCall).toBeGreaterThan(0);
    expect(data.totalCostUsd).toBeCloseTo(perCall * billed.length, 6);
    for (const { body } of billed) {
      const others = new Set(JSON.stringify(body?.messages).match(/(?<=answer |word)\d+/g));
      expect(others.size).toBe(1);
    }
    await home.empty();
  });

  test("of a template have answers that the next batch takes over for nothing, unless their file was edited", async () => {
    await using api = startMessagesApi();
    await using home = homeOf(api);
    await using client = await connectNew(home);
    const write = (name: string, text: string) => Bun.write(`${home.work}/src/${name}`, text);
    for (const name of ["a.ts", "b.ts", "c.ts"]) await write(name, `This is ${name}`);
    const ask = async () => {
      await settled(home);
      const { data } = await client.call("spawn_parallel_claude_sessions", {
        template: 'TOOL: Read {"file_path":"{{path}}"}\n THEN SAY: {{file}} is fine',
        forEach: { glob: "src/*.ts" },
        tools: "Read",
        concurrency: 1,
        reuseSessions: "auto",
      });
      return data;
    };
    expect(await ask()).toMatchObject({ results: Array(3).fill({ outcome: "succeeded" }) });
    using store = home.store();
    const [row] = store.list({ limit: 1 });
    const { tasks = [] } = (row && store.batch(row.batchId)?.state) ?? {};
    const transcripts = tasks.flatMap(({ attempts }) => attempts.map(({ transcript }) => transcript));
    expect(new Set(transcripts).size).toBe(reuses ? 1 : 3);
    expect(await ask()).toMatchObject({ totalCostUsd: 0, results: Array(3).fill({ outcome: "reused" }) });
    await write("b.ts", "edited");
    expect(await ask()).toMatchObject({
      results: [{ outcome: "reused" }, { outcome: "succeeded" }, { outcome: "reused" }],
    });
    await home.empty({ but: client.pid });
  });

  test("end with a task that leaves something running, which reaches no other task", async () => {
    await using api = startMessagesApi();
    await using home = homeOf(api);
    await using client = await connectNew(home);
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [
        "RUN: (setsid sleep 7700044 >/dev/null 2>&1 &) ; echo left\n THEN SAY: one",
        "SAY: two",
        "SAY: three",
      ],
      allowedTools: "Bash",
      concurrency: 1,
      reuseSessions: "auto",
    });
    expect(data).toMatchObject({ counts: { succeeded: 3 } });
    using store = home.store();
    const { tasks = [] } = store.batch(batchIdSchema.parse(data?.["batchId"]))?.state ?? {};
    const [one, two, three] = tasks.flatMap(({ attempts }) => attempts.map(({ transcript }) => transcript));
    expect(tasks[0]).toMatchObject({ leaked: [expect.anything()] });
    expect(two).not.toBe(one);
    expect(three === two).toBe(reuses);
    await home.empty({ but: client.pid });
  });
});

const answerOfRun = z.object({
  batchId: batchIdSchema,
  totalCostUsd: z.number(),
  results: z.array(z.object({ outcome: z.string(), result: z.string().default("") })),
});

/** The calls for the task that begins like this. */
function callsFor(api: MessagesApi, prompt: string) {
  return api.requests.flatMap(({ path, userText, body }) =>
    path === "/v1/messages" && userText.trimStart().startsWith(prompt) && body ? [body] : [],
  );
}
