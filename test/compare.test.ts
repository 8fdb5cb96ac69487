// Batches of real processes, compared through each door.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { connectNew, Home, run } from "./harness.ts";

async function idOf(home: Home): Promise<string> {
  const { out } = await run(home, ["list", "--json", "--limit", "1"]);
  return JSON.parse(out).batches[0].batchId;
}

test("two batches are compared on the command line and by a tool: outcome, answer, and what is new or gone", async () => {
  await using home = new Home();
  const once = home.file("once");
  const answer = home.file("answer");
  const tasks = [
    `[[refused status=400 once=${once}]] [[answer text="fine"]]`,
    `[[write-file path=${answer}]] [[env name=ANSWER]]`,
    "[[answer text=same]]",
  ];
  await Bun.write(home.file("one.json"), JSON.stringify({ ANSWER: "It is safe.\nIt is short." }));
  await Bun.write(home.file("two.json"), JSON.stringify({ ANSWER: "It may overflow.\nIt is short." }));
  await Bun.write(once, "");
  await run(home, ["run", ...tasks, "gone", "--env", home.file("one.json")]);
  const before = await idOf(home);
  await Bun.file(once).delete();
  await run(home, ["run", ...tasks, "new", "--retries", "0", "--env", home.file("two.json")]);
  const after = await idOf(home);

  const { out, code } = await run(home, ["compare", before, "latest"]);
  expect(code).toBe(0);
  expect(out).toContain("Of 5 tasks: 1 outcome changed, 1 answer changed, 1 new, 1 gone, 1 same.");
  expect(out).toContain("    - It is safe.\n    + It may overflow.\n      It is short.\n");
  expect(out).toMatch(/^! .* outcome changed\n {2}succeeded → failed: request/m);
  expect(out.indexOf("outcome changed\n")).toBeLessThan(out.indexOf("answer changed\n"));
  expect(out).toMatch(/^failed +0 +1 +\+1$/m);

  const json = JSON.parse((await run(home, ["compare", before, after, "--json"])).out);
  expect(json.tasks.map(({ change }: { change: string }) => change)).toEqual([
    "outcome",
    "changed",
    "new",
    "gone",
    "same",
  ]);

  await run(home, ["compare", before, after, "--page", home.file("page.html")]);
  const page = await Bun.file(home.file("page.html")).text();
  const links = [...page.matchAll(/href="(file:[^"]*\/result-002-\d+\.html)"/g)].map(([, href = ""]) => href);
  expect(links.map((href) => existsSync(fileURLToPath(href)))).toEqual([true, true]);

  await using client = await connectNew(home);
  const { data } = await client.call("compare_batches", {
    batchId: before,
    otherBatchId: after,
    only: "changed",
  });
  expect(data).toMatchObject({
    counts: json.counts,
    matching: 1,
    tasks: [
      {
        change: "changed",
        answers: [{}, { differs: true, diff: expect.stringContaining("+ It may overflow.") }],
      },
    ],
  });
  const { text, isError } = await client.call("compare_batches", { batchId: before, otherBatchId: before });
  expect({ text, isError }).toEqual({
    text: `Both are batch ${before}. To compare two batches, name both.`,
    isError: true,
  });
});

test("a batch that still runs is compared as far as it is", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const tasks = ["one", `two [[wait-for-file path=${home.file("gate")}]]`];
  await Bun.write(home.file("gate"), "");
  await client.call("spawn_parallel_claude_sessions", { tasks });
  const batchId = await idOf(home);
  await Bun.file(home.file("gate")).delete();
  const later = await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
  const otherBatchId = String(later.data?.["batchId"]);
  const { data } = await client.call("compare_batches", { batchId, otherBatchId, only: "unfinished" });
  expect(data?.["message"]).toMatch(
    new RegExp(` Batch ${otherBatchId} is still running: [12] tasks? ha(s|ve) not ended\\.$`),
  );
  await Bun.write(home.file("gate"), "");
  await client.call("wait_for_batch", { batchId: otherBatchId });
  const ended = await client.call("compare_batches", { batchId, otherBatchId });
  expect(ended.data).toMatchObject({ message: "Of 2 tasks: 2 same.", tasks: [] });
});

test("the variants of a matrix are compared by the key that they share, and keys name tasks of a retry with more text", async () => {
  await using home = new Home();
  for (const name of ["a", "b"]) await Bun.write(`${home.work}/${name}.txt`, "");
  const template = "[[option name=model]] about {{file}}";
  const argv = ["--template", template, "--for-each", "*.txt", "--matrix", "model=opus,haiku"];
  expect((await run(home, ["run", ...argv])).code).toBe(0);
  const { out } = await run(home, ["compare", "latest", "--json"]);
  expect(JSON.parse(out)).toMatchObject({
    columns: [{ name: "model=opus", tasks: 2 }, { name: "model=haiku" }],
    tasks: [
      { key: "a.txt", change: "changed", answers: [{}, { differs: true, diff: "- opus\n+ haiku" }] },
      { key: "b.txt", change: "changed" },
    ],
  });
  const again = ["retry", "latest", "b.txt [model=haiku]", "--append-prompt", "more", "--model", "sonnet"];
  expect((await run(home, again)).out).toContain("1 task is run again with");
  await run(home, ["wait", "latest"]);
  const later = JSON.parse((await run(home, ["compare", "latest", "--json"])).out);
  expect(later.columns.map(({ name }: { name: string }) => name)).toEqual([
    "model=opus",
    "model=haiku",
    "model=sonnet",
  ]);
  expect(later.tasks).toMatchObject([
    { key: "a.txt", answers: [{}, {}, null] },
    { key: "b.txt", answers: [{}, null, { diff: "- opus\n+ sonnet" }] },
  ]);
});
