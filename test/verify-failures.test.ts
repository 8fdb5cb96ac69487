// What `bun run verify` says once more of tests that failed.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { failuresIn, failuresText, linesShown } from "../scripts/verify/failures.ts";
import { Home } from "./harness.ts";

test("what bun test prints of a failed test is found, with its file and what was wrong", async () => {
  await using home = new Home();
  const files = {
    "a.test.ts": `import { test } from "bun:test"; test("fine", () => {});`,
    "b.test.ts": `import { expect, test } from "bun:test";
      test("before", () => console.log("said before"));
      test("breaks [needs jq]", () => expect(1).toBe(2));
      test("after", () => {});`,
  };
  for (const [name, text] of Object.entries(files)) await Bun.write(join(home.work, name), text);
  for (const ways of [[], ["--parallel=2"]]) {
    const child = Bun.spawn([process.execPath, "test", ...ways], {
      cwd: home.work,
      env: { ...home.environment, NO_COLOR: "1", CI: "1" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const output = await child.stderr.text();
    expect(output).toContain("\n 1 fail\n");
    // As it is, and behind a bar, as a run under Wine shows it.
    for (const printed of [output, output.replaceAll(/^/gm, "| ")]) {
      const failures = failuresIn(`${printed}\nc.test.ts:\n(fail) breaks later`);
      expect(failures.map(({ title, file }) => `${file}: ${title}`)).toEqual([
        "b.test.ts: breaks [needs jq]",
        "c.test.ts: breaks later",
      ]);
      // Of several processes, the words of a failure may come apart from its title.
      if (ways.length > 0) continue;
      const [text] = failuresText("Test", failures);
      expect(text).toStartWith("-- Test, b.test.ts: breaks [needs jq]\n");
      expect(text).toContain("\nExpected: 2\nReceived: 1");
      expect(text).not.toContain("said before");
    }
  }
});

test("of a test that printed a lot, the last lines are said", () => {
  const printed = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  const failures = failuresIn([...printed, "", "(fail) a test"].join("\n"));
  expect(failures).toEqual([{ title: "a test", file: undefined, lines: printed.slice(-linesShown + 1) }]);
  expect(failuresText("Test", failures)[0]).toStartWith("-- Test: a test\nline 61\n");
});

test("of an output without a failure, nothing is said", () => {
  expect(failuresText("Test", failuresIn("(pass) all\n 0 fail\n"))).toEqual([]);
});
