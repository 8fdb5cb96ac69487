// One call over many files, through our program on the real `claude`: templates, answers that are used again, checks.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { eventually, Home, run } from "../harness.ts";
import { type MessagesApi, startMessagesApi } from "./messages-api.ts";
import { claude, describeReal } from "./version.ts";

setDefaultTimeout(120_000);

const answerSchema = z.object({
  message: z.string(),
  summary: z.string().optional(),
  totalCostUsd: z.number(),
  results: z.array(
    z.looseObject({
      key: z.string().optional(),
      outcome: z.string(),
      result: z.string().optional(),
      structuredResult: z.unknown().optional(),
    }),
  ),
});

function tool(name: string, input: object): string {
  return `TOOL: ${name} ${JSON.stringify(input)}`;
}

describeReal("one call over many files, on the real claude", () => {
  let api: MessagesApi;
  beforeAll(() => {
    api = startMessagesApi();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  async function withFiles(files: Record<string, string>): Promise<Home> {
    const home = new Home({
      PARALLEL_CLAUDE_CLAUDE_PATH: claude?.path ?? "",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      ...api.environment,
    });
    for (const [name, text] of Object.entries(files)) await write(home, name, text);
    return home;
  }

  async function write(home: Home, name: string, text: string): Promise<void> {
    mkdirSync(join(home.work, "src"), { recursive: true });
    await Bun.write(join(home.work, name), text);
    // An answer that may depend on a file from the moment of the start is not remembered.
    const writtenAt = Date.now();
    await eventually(
      () => Date.now() - writtenAt > 500,
      () => "the file grows old",
    );
  }

  async function over(home: Home, ...words: string[]) {
    const { out, err } = await run(home, ["run", ...words, "--json"]);
    if (out === "") throw new Error(err);
    return answerSchema.parse(JSON.parse(out));
  }

  for (const [name, input, changed] of [
    ["Read", { file_path: "{{path}}" }, "src/b.ts"],
    ["Grep", { pattern: "one", path: "{{path}}", output_mode: "content" }, "what was searched in src/b.ts"],
  ] as const)
    test(`what ${name} has read decides which answers are used again`, async () => {
      await using home = await withFiles({ "src/a.ts": "one of a\n", "src/b.ts": "one of b\n" });
      // With Bash, newer versions have no Grep, and search by commands.
      const words = ["--template", tool(name, input), "--for-each", "src/*.ts", "--tools", "Read,Grep,Glob"];
      const first = await over(home, ...words);
      expect(first.results).toMatchObject([
        { key: "src/a.ts", outcome: "succeeded", result: expect.stringContaining("one of a") },
        { key: "src/b.ts", outcome: "succeeded", result: expect.stringContaining("one of b") },
      ]);
      const calls = api.requests.length;
      const second = await over(home, ...words);
      expect(second.results.map(({ outcome, result }) => [outcome, result])).toEqual(
        first.results.map(({ result }) => ["reused", result]),
      );
      expect(api.requests.length).toBe(calls);
      await write(home, "src/b.ts", "one of the new b\n");
      const third = await over(home, ...words);
      expect(third.results).toMatchObject([
        { outcome: "reused" },
        { outcome: "succeeded", result: expect.stringContaining("one of the new b") },
      ]);
      expect(third.message).toContain(`1 reused, 1 run: ${changed} changed`);
    });

  test("a review by one call: template, data, check, sample, summary; after one edit only that file is paid for", async () => {
    const names = ["a", "b", "c", "d"];
    await using home = await withFiles(Object.fromEntries(names.map((name) => [`src/${name}.ts`, name])));
    const schema = { type: "object", required: ["file"], properties: { file: { type: "string" } } };
    const steps = [tool("Read", { file_path: "{{path}}" }), `STRUCTURED: {"file": "{{file}}"}`];
    const words = [
      ...["--template", steps.join("\n THEN "), "--for-each", "src/*.ts", "--tools", "Read,Grep,Glob"],
      ...["--output-schema", JSON.stringify(schema), "--expect-pattern", "src/[a-d]\\.ts"],
      ...["--summarize", "SAY: All is fine in [src/a.ts]."],
    ];
    const held = await run(home, ["run", ...words, "--sample", "2"]);
    expect(held.code).toBe(4);
    expect(held.err).toContain("Paused after the sample: 2 of 4 tasks done, 2 waiting.");
    await run(home, ["continue", "latest"]);
    const first = await run(home, ["wait", "latest"]);
    expect(first.out).toContain("All 4 tasks and the summary succeeded.");
    const calls = api.requests.length;
    await write(home, "src/c.ts", "the new c");
    const second = await over(home, ...words);
    expect(
      second.results.map(({ key, outcome, structuredResult }) => [key, outcome, structuredResult]),
    ).toEqual(
      names.map((name) => {
        const file = `src/${name}.ts`;
        return [file, name === "c" ? "succeeded" : "reused", { file }];
      }),
    );
    expect(second.summary).toStartWith("All is fine in [src/a.ts].");
    expect(second.message).toContain("3 reused, 1 run: src/c.ts changed.");
    expect(second.message).toContain("The summary is reused, too.");
    // One to read the file, and one that gives the data.
    const asked = api.requests.slice(calls).filter(({ path }) => path === "/v1/messages");
    expect(asked.every(({ body }) => JSON.stringify(body).includes("src/c.ts"))).toBe(true);
    const table = await run(home, ["export", "latest"]);
    expect(table.out).toContain("src/c.ts,3,success,succeeded,src/c.ts");
    const batchId = /^Batch (\w{8})/.exec(held.err)?.[1] ?? "";
    expect((await run(home, ["compare", batchId, "latest"])).out).toMatch(/tasks: \d same\./);
    // What was spent is what the batches say, and belongs to models, also when they are removed.
    const said = async (...words: string[]) => JSON.parse((await run(home, [...words, "--json"])).out);
    const { batches } = (await said("list")) as { batches: { batchId: string; totalCostUsd: number }[] };
    const rows = async (by: string): Promise<{ of: string; costUsd: number }[]> =>
      (await said("spend", "--by", by)).rows;
    const byBatch = await rows("batch");
    expect(new Map(byBatch.map(({ of, costUsd }) => [of, costUsd]))).toEqual(
      new Map(batches.map((batch) => [batch.batchId, batch.totalCostUsd])),
    );
    const byModel = await rows("model");
    expect(byModel.length).toBeGreaterThan(0);
    for (const { of } of byModel) expect(of).toStartWith("claude-");
    await home.empty();
    expect(await said("prune", "--older-than", "0")).toMatchObject({ batches: 2 });
    expect(await rows("batch")).toEqual(byBatch);
    expect(await rows("model")).toEqual(byModel);
  });

  test("an answer that fails its check is continued in its conversation", async () => {
    await using home = await withFiles({ "src/a.ts": "" });
    const before = api.requests.length;
    const { results } = await over(home, "SAY: words", "--expect-pattern", "^never$", "--retries", "1");
    expect(results).toMatchObject([{ outcome: "unverified: pattern", numTurns: 2 }]);
    const last = JSON.stringify(api.requests.slice(before).at(-1)?.body ?? {});
    expect(last).toContain("words");
    expect(last).toContain("did not pass a check");
  });
});
