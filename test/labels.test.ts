// Tasks whose prompts begin alike can be told apart wherever one line of each is shown.

import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesIn, Home, run } from "./harness.ts";

test("tasks that begin alike are told apart by run, show, results, the page and the page of a result", async () => {
  await using home = new Home();
  const long = "You are a senior TypeScript engineer. Carefully review the following file: ";
  const tasks = [
    ...["f1", "f2"].map((name) => ({ task: `${long}src/${name}.ts` })),
    { task: `${long}src/f3.ts`, name: "The third" },
  ];
  writeFileSync(home.file("tasks.json"), JSON.stringify(tasks));
  const ran = await run(home, ["run", "-f", home.file("tasks.json"), "--concurrency", "1"]);
  expect(ran.code).toBe(0);
  const page = readFileSync(join(home.output, "index.html"), "utf8");
  const [first = ""] = filesIn(home.output).filter((name) => name.startsWith("result-001-"));
  const result = readFileSync(join(home.output, `${first}`), "utf8");
  const shown = {
    run: ran.err,
    show: (await run(home, ["show", "latest"])).out,
    results: (await run(home, ["results", "latest"])).out.replaceAll(/^Answer.*$/gm, ""),
    one: (await run(home, ["results", "latest", "1"])).err,
    page,
    result: /<title>.*?<\/title>/s.exec(result)?.[0] ?? "",
  };
  expect(shown).toEqual({
    run: expect.stringMatching(/ …src\/f1\.ts\n.* …src\/f2\.ts\n/s),
    show: expect.stringMatching(/ …src\/f1\.ts .* …src\/f2\.ts .* The third /s),
    results: expect.stringMatching(/ …src\/f1\.ts\n.* …src\/f2\.ts\n.* The third\n/s),
    one: expect.stringContaining("…src/f1.ts"),
    page: expect.stringMatching(/>…src\/f1\.ts<.*>…src\/f2\.ts<.*>The third</s),
    result: expect.stringContaining("…src/f1.ts"),
  });
});
