// Searches of large directories in a server: other calls are answered meanwhile.
import { expect, spyOn, test } from "bun:test";
import { inputFaults } from "../../src/operations/input-faults.ts";
import { ignoredFiles, matchingFiles } from "../../src/operations/inputs/matching-files.ts";
import { Inside } from "../inside.ts";

/** A search of 2,500 files, of which `*.md` matches none. */
function large(inside: Inside, pattern: string) {
  for (let index = 0; index < 2_500; index++) inside.write(`work/src/${index}.ts`, "");
  return { directory: inside.work, patterns: [pattern], exclude: [] };
}

test("others have their turns while a pattern of forEach is searched", async () => {
  using inside = new Inside();
  const search = large(inside, "**/*.ts");
  for (const searched of [matchingFiles, ignoredFiles]) {
    let turns = 0;
    setTimeout(() => turns++, 0);
    expect(await searched(search)).toHaveLength(2_500);
    expect(turns).toBe(1);
  }
});

test("patterns of inputs are searched in another thread, and each once for all tasks", async () => {
  using inside = new Inside();
  large(inside, "");
  using sync = spyOn(Bun.Glob.prototype, "scanSync");
  using other = spyOn(Bun.Glob.prototype, "scan");
  const places = {
    context: inside.context(),
    workingDirectory: inside.work,
    matches: new Map<string, boolean>(),
  };
  const faultsOf = (...inputs: string[]) => inputFaults({ inputs }, undefined, places);
  expect(await faultsOf("src/*.ts", "src/1.ts")).toEqual([]);
  expect(await faultsOf("src/*.ts", "**/*.md")).toEqual([
    { kind: "wrong", place: ["inputs", 1], says: `matches no file in ${inside.work}: **/*.md` },
  ]);
  expect([sync.mock.calls.length, other.mock.calls.length]).toEqual([0, 2]);
});
