import { expect, test } from "bun:test";
import { testCasesIn } from "../scripts/versions/junit.ts";
import { hasFailed, haveAllPassed, tableOf, type VersionRun } from "../scripts/versions/table.ts";
import {
  isTooOld,
  lacksOf,
  notableVersions,
  oldestVersion,
  tooOldText,
  versionChanges,
  versionIn,
} from "../src/claude/versions.ts";
import { shellQuoted } from "../src/model/shell-quoted.ts";

const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test"><testsuite name="a.real.ts"><testsuite name="group">
  <testcase name="says &quot;1 &lt; 2&quot; &amp; stops" classname="group" time="0.1" file="a.real.ts" line="2" assertions="1" />
  <testcase name="counts [since 2.1.277]" classname="group" time="0" file="a.real.ts" line="2" assertions="0">
    <skipped />
  </testcase>
  <testcase name="only elsewhere" classname="group" time="0" file="a.real.ts" line="2" assertions="0">
    <skipped />
  </testcase>
  <testcase name="breaks" classname="group" time="0" file="a.real.ts" line="2" assertions="1">
    <failure type="AssertionError" message="expected &lt;skipped&gt;">at a.real.ts:2</failure>
  </testcase>
</testsuite></testsuite></testsuites>`;

test("a report of Bun's is read with how each test ended", () => {
  expect(testCasesIn(report)).toEqual([
    { name: 'says "1 < 2" & stops', ended: "passed" },
    { name: "counts [since 2.1.277]", ended: "skipped" },
    { name: "only elsewhere", ended: "skipped" },
    { name: "breaks", ended: "failed" },
  ]);
});

test("the table lists what a version lacks, what failed, and what was not run", () => {
  const runs: VersionRun[] = [
    { kind: "ran", version: "2.1.197", exact: "2.1.197", code: 1, cases: testCasesIn(report) },
    { kind: "skipped", version: "latest", reason: "npm is not on the PATH" },
  ];
  expect(tableOf(runs)).toBe(
    [
      "version  passed  failed  lacks",
      "2.1.197  1       1       1 of 4",
      "latest   -       -       not run: npm is not on the PATH",
      "",
      "2.1.197",
      "  failed: breaks",
      "  lacks:  counts [since 2.1.277]",
    ].join("\n"),
  );
});

test("what a version lacks or was not run for is no failure; a run without a report is one", () => {
  const passed = { name: "one", ended: "passed" } as const;
  const ran = { kind: "ran", version: "latest", exact: "2.1.332" } as const;
  const lacking = { name: "two [since 2.1.277]", ended: "skipped" } as const;
  expect(hasFailed({ ...ran, code: 0, cases: [passed, lacking] })).toBe(false);
  expect(hasFailed({ kind: "skipped", version: "latest", reason: "offline" })).toBe(false);
  expect(hasFailed({ ...ran, code: 0, cases: [] })).toBe(true);
  expect(hasFailed({ ...ran, code: 137, cases: [passed] })).toBe(true);
});

test("only what Claude Code prints is taken for a version", () => {
  expect(versionIn("2.1.332 (Claude Code)\n")).toBe("2.1.332");
  expect(versionIn("Loading nvm …\n2.1.400-beta.1 (Claude Code)\n")).toBe("2.1.400-beta.1");
  expect(versionIn("wrapper 1.0.3")).toBeUndefined();
});

test("versions are compared by number, and the oldest supported one lacks the most", () => {
  expect(["2.1.99", "2.0.999", "1.10.0", oldestVersion, "2.2.0", "10.0.0"].map(isTooOld)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  const lacks = notableVersions().map((version) => lacksOf(version).length);
  expect(lacks).toEqual(lacks.toSorted((a, b) => b - a));
  expect(lacks.at(-1)).toBe(0);
});

test("a run of versions passes only if at least one of them was tested", () => {
  const skipped: VersionRun = { kind: "skipped", version: "latest", reason: "offline" };
  const cases = [{ name: "one", ended: "passed" } as const];
  const ran: VersionRun = { kind: "ran", version: "latest", exact: "2.1.332", code: 0, cases };
  const idle: VersionRun = { ...ran, cases: [{ name: "one", ended: "skipped" }] };
  expect([[], [skipped], [skipped, ran], [idle], [ran, { ...ran, code: 1 }]].map(haveAllPassed)).toEqual([
    false,
    false,
    true,
    false,
    false,
  ]);
});

test("the versions that changed something are listed in order", () => {
  const listed: string[] = versionChanges.map(({ since }) => since);
  expect(listed).toEqual([...listed].sort(Bun.semver.order));
});

test("a path with spaces is quoted where it stands in a command", () => {
  expect(tooOldText("2.1.100", "/x/own claude")).toContain(`Run \`${shellQuoted("/x/own claude")} update\``);
});
