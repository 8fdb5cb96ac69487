// Reading what a batch answered, by the tool and by the command.

import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, Home, run, type TestClient } from "./harness.ts";
import { untilAsked } from "./running.ts";

interface Entry {
  taskIndex: number;
  status: string;
  result?: string;
  error?: string;
  textLength: number;
  nextFrom?: number;
}

async function read(client: TestClient, input: Record<string, unknown> = {}) {
  const { data, text, isError } = await client.call("read_batch_results", { batchId: "latest", ...input });
  const results = (data?.["results"] ?? []) as Entry[];
  return { data, text, isError, results, numbers: results.map((entry) => entry.taskIndex) };
}

async function batchOf(client: TestClient, tasks: string[]): Promise<void> {
  await client.call("spawn_parallel_claude_sessions", { tasks });
}

describe("read_batch_results", () => {
  test("gives results by task number, by status and page by page", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await batchOf(client, ["one", "[[max-turns]]", "three", "four", "five"]);
    expect((await read(client)).numbers).toEqual([1, 2, 3, 4, 5]);
    expect((await read(client, { tasks: [4, 2] })).numbers).toEqual([2, 4]);
    const failed = await read(client, { status: "error" });
    expect(failed.results).toMatchObject([{ taskIndex: 2, status: "error", outcome: "failed: max-turns" }]);
    const first = await read(client, { status: "success", limit: 3 });
    expect(first.data).toMatchObject({ matching: 4, totalTasks: 5, nextOffset: 3 });
    expect(first.numbers).toEqual([1, 3, 4]);
    const second = await read(client, { status: "success", limit: 3, offset: 3 });
    expect(second.numbers).toEqual([5]);
    expect(second.data).not.toHaveProperty("nextOffset");
    expect(second.results[0]).toMatchObject({ result: "Answer to: five", textLength: 15 });
  });

  test("a long text comes as an excerpt that says how long the whole is, and the parts make the whole", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await batchOf(client, [`[[answer bytes=450000]]`, "[[answer text='häß😀lich']]"]);
    const excerpt = await read(client);
    expect(excerpt.results[0]).toMatchObject({ textLength: 450_000, nextFrom: 2_000, truncated: true });
    expect(excerpt.results[0]?.result).toHaveLength(2_000);
    expect(excerpt.results[1]).toMatchObject({ result: "häß😀lich", textLength: 9 });
    expect(excerpt.data?.["message"]).toContain("The text of task 1 is longer");
    const whole = await read(client, { full: true });
    // The short one is whole, and the long one has what is left of what a client bears.
    expect(whole.results[1]).toMatchObject({ result: "häß😀lich" });
    expect(whole.results[0]?.result).toHaveLength(whole.results[0]?.nextFrom ?? 0);
    expect(whole.text.length).toBeWithin(99_000, 100_001);
    let text = "";
    for (let from: number | undefined = 0; from !== undefined; ) {
      const [part]: Entry[] = (await read(client, { tasks: [1], from, characters: 170_001 })).results;
      text += part?.result ?? "";
      from = part?.nextFrom;
    }
    expect(text).toHaveLength(450_000);
    const [out] = (await read(client, { tasks: [1], from: 449_990 })).results;
    expect(text.endsWith(out?.result ?? "?")).toBe(true);
  });

  test("no part ends in the middle of a character", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await batchOf(client, ["[[answer text='😀😀😀😀']]"]);
    const parts: string[] = [];
    for (let from: number | undefined = 0; from !== undefined; ) {
      const [part]: Entry[] = (await read(client, { tasks: [1], from, characters: 3 })).results;
      parts.push(part?.result ?? "");
      from = part?.nextFrom;
    }
    expect(parts).toEqual(["😀", "😀", "😀", "😀"]);
  });

  test("what was answered before the background work had ended belongs to the text", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await batchOf(client, ["[[background-task text=first then=second]]"]);
    const [entry] = (await read(client)).results;
    expect(entry?.result).toBe("second\n\nEarlier answer, while background work was still running:\n\nfirst");
    expect(entry?.textLength).toBe(entry?.result?.length);
    const [part] = (await read(client, { tasks: [1], from: 3, characters: 9 })).results;
    expect(part).toMatchObject({ result: "ond\n\nEarl", nextFrom: 12, textLength: entry?.textLength });
  });

  test("tells of a running batch what has ended, and of a task that has not that it has not", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const gate = home.file("gate");
    const tasks = ["quick", `[[wait-for-file path=${gate}]]`];
    await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
    using store = home.store();
    await eventually(
      () => store.list()[0]?.counts.succeeded === 1,
      () => "the first task ends",
    );
    const now = await read(client, { tasks: [1, 2] });
    expect(now.data).toMatchObject({ state: "running", matching: 1 });
    expect(now.data?.["message"]).toContain("Not ended yet: 2.");
    await Bun.write(gate, "");
  });

  test("a task is no failure because its transcript has gone", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await batchOf(client, ["one"]);
    // Its processes write there until they have gone.
    await home.empty({ but: client.pid });
    rmSync(join(home.state, "batches"), { recursive: true });
    const [entry] = (await read(client)).results;
    expect(entry).toMatchObject({ status: "success", result: expect.stringContaining("cannot be read") });
  });

  test("what cannot be meant is told with what can", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await batchOf(client, ["one"]);
    const wrong = await read(client, { tasks: [2], from: 3 });
    expect(wrong).toMatchObject({ isError: true, text: expect.stringContaining("there is no task 2") });
    expect((await read(client, { from: 3 })).text).toContain("name it by its number");
    expect((await read(client, { batchid: "x" })).text).toContain("batchid means `batchId`, which is given");
  });
});

describe("results", () => {
  test("prints the text of each task below its head", async () => {
    await using home = new Home();
    await run(home, ["run", "one", "[[max-turns]]", "[[answer bytes=3000]]"]);
    const { code, out } = await run(home, ["results", "latest"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Task 1 {2}succeeded {2}.* one\nAnswer to: one\n\nTask 2 {2}failed: turn limit/);
    expect(out).toMatch(
      /This text has 3,000 characters\. `\S+ results \w{8} 3` shows all of it, and `--from 2000`/,
    );
    expect((await run(home, ["results", "latest", "--status", "error", "--json"])).out).toContain(
      '"taskIndex": 2',
    );
  });

  test("prints the whole text of one task, and nothing else, on standard output", async () => {
    await using home = new Home();
    await run(home, ["run", "[[answer bytes=3000000]]", "two"]);
    const { out, err } = await run(home, ["results", "latest", "1"]);
    expect(out).toHaveLength(3_000_001);
    expect(err).toContain("Task 1  succeeded");
    expect(err).not.toContain("This text has");
    const json: { results: { result: string }[] } = JSON.parse(
      (await run(home, ["results", "latest", "1", "--json"])).out,
    );
    expect(json.results[0]?.result).toHaveLength(3_000_000);
    // Who asks for a part gets it, and is told what it is a part of.
    const part = await run(home, ["results", "latest", "1", "--characters", "10"]);
    expect([part.out.length, part.err]).toEqual([11, expect.stringContaining("has 3,000,000 characters")]);
    const { out: end } = await run(home, ["results", "latest", "1", "--from", "2999990"]);
    expect(end).toHaveLength(11);
    expect(out.endsWith(end)).toBe(true);
  });

  test("lists as many as are asked for, and says how to see the rest", async () => {
    await using home = new Home();
    await run(home, ["run", "one", "two", "three"]);
    const { code, out } = await run(home, ["results", "latest", "--limit", "1000"]);
    expect([code, out.match(/^Task \d/gm)?.length]).toEqual([0, 3]);
    const { out: first } = await run(home, ["results", "latest", "--limit", "1"]);
    expect(first).toContain("2 more results: `--offset 1` shows the next ones, and `--limit 3` all.");
  });

  test("speaks as JSON of flags and commands, not of the arguments of a tool", async () => {
    await using home = new Home();
    await run(home, ["run", "[[answer bytes=5000]]", "two"]);
    const messageOf = async (...flags: string[]) =>
      JSON.parse((await run(home, ["results", "latest", "--json", ...flags])).out).message as string;
    expect(await messageOf()).toMatch(
      /is longer: `parallel-claude-code-mcp results \w{8} 1` shows all of it\.$/,
    );
    expect(await messageOf("--limit", "1")).toContain("The next page has `--offset 1`.");
    expect(await messageOf("--offset", "7")).toContain("`--offset 7` is past the last");
  });

  test("reads the end of an answer of 20 MB", async () => {
    await using home = new Home();
    await run(home, ["run", "[[answer bytes=20000000]]"]);
    const { out } = await run(home, ["results", "latest", "1", "--from", "19999995", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ results: [{ textLength: 20_000_000 }] });
    expect(JSON.parse(out).results[0].result).toHaveLength(5);
  });
});

describe("wait_for_batch with a cursor", () => {
  async function gated(home: Home, client: TestClient, tasks: readonly string[]) {
    const gate = home.file("gate");
    await client.call("spawn_parallel_claude_sessions", {
      tasks: [...tasks, `[[wait-for-file path=${gate}]]`],
      asyncMode: true,
    });
    return {
      wait: async (input: Record<string, unknown>) => {
        const { data = {} } = await client.call("wait_for_batch", { batchId: "latest", ...input });
        return data;
      },
      open: () => Bun.write(gate, ""),
    };
  }

  test("goes on through successes, and lists them at the end", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { wait, open } = await gated(home, client, ["one", "two"]);
    using store = home.store();
    await eventually(
      () => store.list()[0]?.counts.succeeded === 2,
      () => "two tasks end",
    );
    const now = await wait({ cursor: "0", waitSeconds: 0 });
    expect(now).toMatchObject({
      state: "running",
      changed: [{ taskIndex: 1 }, { taskIndex: 2 }],
      nextCheckSeconds: 5,
    });
    expect(await wait({ cursor: now["cursor"], waitSeconds: 0 })).toMatchObject({
      state: "running",
      changed: [],
    });
    // Two successes are there already: the answer comes for the end all the same.
    const waiting = wait({ cursor: "0" });
    await open();
    const end = await waiting;
    expect(end).toMatchObject({ state: "finished", end: "succeeded" });
    expect(end["changed"]).toHaveLength(3);
    expect(end).not.toHaveProperty("nextCheckSeconds");
    expect(await wait({ cursor: end["cursor"] })).toMatchObject({ state: "finished", changed: [] });
    expect(await wait({})).not.toHaveProperty("changed");
  });

  // Wine may take longer than these seconds to end a session.
  testNeeding("a system other than Windows")(
    "answers while others run when tasks have failed, those of the next seconds together, and once",
    async () => {
      await using home = new Home();
      await using client = await connectNew(home);
      const [first, later] = [home.file("first"), home.file("later")];
      const { wait, open } = await gated(home, client, [
        "fine",
        ...[first, later].map((gate) => `[[wait-for-file path=${gate}]] [[max-turns]]`),
      ]);
      using store = home.store();
      await eventually(
        () => store.list()[0]?.counts.succeeded === 1,
        () => "the fine one does not end",
      );
      // The seconds begin with the call: on a busy machine, sessions may take longer than these to start.
      await untilAsked(home, 4);
      const waiting = wait({ cursor: "0" });
      await Bun.write(first, "");
      await eventually(
        () => store.list()[0]?.counts.failed === 1,
        () => "the first task does not fail",
      );
      await Bun.write(later, "");
      const told = await waiting;
      expect(told).toMatchObject({
        state: "running",
        failed: [{ taskIndex: 2 }, { taskIndex: 3 }],
        changed: [{ taskIndex: 1 }, { taskIndex: 2 }, { taskIndex: 3 }],
      });
      const waitingAgain = wait({ cursor: told["cursor"] });
      await open();
      expect(await waitingAgain).toMatchObject({ state: "finished", changed: [{ taskIndex: 4 }] });
    },
  );

  test("answers once when the batch is put on hold, and says why", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await client.call("spawn_parallel_claude_sessions", {
      tasks: ["[[usage-limit resets-in=3600]]", "two"],
      concurrency: 1,
      asyncMode: true,
    });
    const wait = async (input: Record<string, unknown>) =>
      (await client.call("wait_for_batch", { batchId: "latest", ...input })).data ?? {};
    const held = await wait({ cursor: "0" });
    expect(held).toMatchObject({ state: "running", heldBecause: expect.stringContaining("limit") });
    expect(Number(held["nextCheckSeconds"])).toBeGreaterThan(3_000);
    const again = await wait({ cursor: held["cursor"], waitSeconds: 1 });
    expect(again).toMatchObject({ cursor: held["cursor"], changed: [] });
  });

  test("cancelled tasks are no failures", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { wait, open } = await gated(home, client, ["[[hang]]", "[[max-turns]]"]);
    await client.call("cancel_batch", { batchId: "latest", tasks: [1] });
    await open();
    const end = await wait({});
    expect(end).toMatchObject({ counts: { failed: 1, cancelled: 1 } });
    expect(end["failed"]).toEqual([{ taskIndex: 2, outcome: "failed: max-turns" }]);
  });

  test("names 50 of many, and says how many more there are", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await batchOf(
      client,
      Array.from({ length: 60 }, () => "hello"),
    );
    const { data } = await client.call("wait_for_batch", { batchId: "latest", cursor: "0" });
    expect(data?.["changed"]).toHaveLength(50);
    expect(data).toMatchObject({ moreChanged: 10 });
  }, 180_000);

  test("a cursor that is none is told", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    await batchOf(client, ["hello"]);
    const { isError, text } = await client.call("wait_for_batch", { batchId: "latest", cursor: "soon" });
    expect({ isError, text }).toEqual({ isError: true, text: expect.stringContaining("earlier answer") });
  });
});
