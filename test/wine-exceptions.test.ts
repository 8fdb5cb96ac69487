// What of the tests may be left out under Wine.
import { expect, test } from "bun:test";
import { groupsOf, testFiles } from "../scripts/wine/groups.ts";
import { isWinesFault } from "../scripts/wine/run-group.ts";
import { isLackUnderWine, table } from "../scripts/wine/table.ts";
import { exceptions } from "./wine/exceptions.ts";

const all = testFiles();
const run = all.filter((file) => !Object.hasOwn(exceptions, file));

test("each exception names a test file that there is, and says why", () => {
  for (const [file, exception] of Object.entries(exceptions)) {
    expect(all).toContain(file);
    expect("slow" in exception ? exception.slow : exception.why).toEndWith(".");
  }
});

test("at least seven of ten test files run under Wine, and some of each folder but the browser's", () => {
  expect(run.length / all.length).toBeGreaterThanOrEqual(0.7);
  const folders = (files: readonly string[]) =>
    [...new Set(files.map((file) => file.split("/").slice(0, -1).join("/")))].sort();
  expect(folders(run)).toEqual(folders(all).filter((folder) => folder !== "browser"));
});

test("every file that runs is in one group, and no group is of two folders", () => {
  const groups = groupsOf(run);
  expect(groups.flat().sort()).toEqual([...run].sort());
  for (const files of groups)
    expect(new Set(files.map((file) => file.split("/").slice(0, -1).join("/"))).size).toBe(1);
});

test("a test may be skipped for what Windows has not, and for nothing else", () => {
  expect(isLackUnderWine("needs programs that are scripts")).toBe(true);
  expect(isLackUnderWine("needs Linux and a disk to mount")).toBe(true);
  expect(isLackUnderWine("needs Windows")).toBe(false);
  expect(isLackUnderWine("no reason given")).toBe(false);
});

test("a program that Wine could not start is its fault, and a failed test is ours", () => {
  const ours = "error: expect(received).toBe(expected)\n(fail) it does [3.00ms]\n";
  expect(isWinesFault(ours)).toBe(false);
  expect(isWinesFault('Waits for `claude`: EACCES: permission denied, uv_spawn "claude.exe"')).toBe(false);
  // In the program, a call refuses then, and a test that expects data prints the refusal.
  const refused =
    "Batch b4k2 could not be started, and nothing ran: EUNKNOWN: unknown error, uv_spawn 'Z:\\\\a'";
  expect(
    isWinesFault(`error: expect(received).toMatchObject(expected)\n+   "refused": "${refused}",\n`),
  ).toBe(true);
  expect(isWinesFault("claude/versions.test.ts: 0 pass, 1 fail\n| wine client error:0: recvmsg: reset")).toBe(
    true,
  );
  expect(isWinesFault(`EUNKNOWN: unknown error, uv_spawn\n syscall: "uv_spawn",\n${ours}`)).toBe(true);
});

test("the table has each folder with its files, and each exception with its reason", () => {
  const text = table({
    all: ["a.test.ts", "b.test.ts", "model/c.test.ts"],
    run: ["a.test.ts", "model/c.test.ts"],
    exceptions: { "b.test.ts": { lacks: "sh", why: "It types." } },
  });
  expect(text).toContain("| test             |   1 of   2 |");
  expect(text).toContain("| test/model       |   1 of   1 |");
  expect(text).toContain("2 of 3 files ran (66 %). The others:\n- b.test.ts needs sh. It types.");
});
