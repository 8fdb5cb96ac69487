// Symbolic links below a directory that is searched: `forEach` and `inputs` take them alike.
import { expect } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fingerprintOf } from "../../src/claude/looks.ts";
import { matchingFiles } from "../../src/operations/inputs/matching-files.ts";
import { patternIn } from "../../src/operations/inputs/pattern.ts";
import { Fingerprints } from "../../src/platform/fingerprints.ts";
import { globbedFiles, isAnyGlobbed } from "../../src/platform/globbed-files.ts";
import { testNeeding } from "../facilities.ts";

/** `src` with a file, a link to one, a link to nothing, a link to a directory, and a link in a circle. */
function linked(): Disposable & { path: string; outside: string } {
  const top = realpathSync(mkdtempSync(join(tmpdir(), "linked-")));
  const [path, outside] = [join(top, "work"), join(top, "outside")];
  for (const folder of [outside, join(path, "src"), join(path, "other")])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(path, "src/a.ts"), "a");
  writeFileSync(join(path, "other/b.ts"), "b");
  writeFileSync(join(outside, "c.ts"), "c");
  symlinkSync("../other/b.ts", join(path, "src/link.ts"));
  symlinkSync("nothing", join(path, "src/dangling.ts"));
  symlinkSync("../other", join(path, "src/folder"));
  symlinkSync("..", join(path, "src/circle"));
  symlinkSync(outside, join(path, "out"));
  return { path, outside, [Symbol.dispose]: () => rmSync(top, { recursive: true, force: true }) };
}

async function matches(directory: string, written: string): Promise<string[] | { leaves: string }> {
  const read = patternIn(written, directory);
  return "leaves" in read ? read : await matchingFiles({ directory, patterns: [read.pattern], exclude: [] });
}

testNeeding("symbolic links")(
  "a link to a file is a file, and one to a directory is followed only where the pattern names it",
  async () => {
    using at = linked();
    const { path } = at;
    const both = async (pattern: string, expected: string[]) => {
      expect(await matches(path, pattern)).toEqual(expected);
      expect([...globbedFiles(path, pattern)].sort()).toEqual(expected);
      expect(await isAnyGlobbed(path, pattern)).toBe(expected.length > 0);
    };
    await both("src/**/*.ts", ["src/a.ts", "src/link.ts"]);
    await both("src/*.ts", ["src/a.ts", "src/link.ts"]);
    await both("**", ["other/b.ts", "src/a.ts", "src/link.ts"]);
    await both("src/*/b.ts", []);
    // A directory and a link to one are no files.
    await both("src/{folder,circle,dangling.ts}", []);
    // By the names that they really have.
    expect(await matches(path, "src/folder/*.ts")).toEqual(["other/b.ts"]);
    expect([...globbedFiles(path, "src/folder/*.ts")]).toEqual(["src/folder/b.ts"]);
    expect(await matches(path, "src/circle/src/*.ts")).toEqual(["src/a.ts", "src/link.ts"]);
    expect(await matches(path, "out/*.ts")).toEqual({ leaves: at.outside });
  },
);

testNeeding("symbolic links")("inputs count what a link leads to, and end in a circle of links", () => {
  using at = linked();
  const hash = (one: Parameters<typeof fingerprintOf>[0]) => {
    const found = fingerprintOf(one, new Fingerprints());
    if ("unknown" in found) throw new Error(found.unknown);
    return found.hash;
  };
  // Forty times around, that would be more files than are compared.
  for (let index = 0; index < 600; index++) writeFileSync(join(at.path, "src", `${index}.txt`), "");
  const glob = { kind: "glob", path: join(at.path, "src"), pattern: "*.ts" } as const;
  const whole = { kind: "input", path: at.path } as const;
  const before = [hash(glob), hash(whole)];
  writeFileSync(join(at.outside, "c.ts"), "changed");
  expect(hash(glob) === before[0]).toBe(true);
  expect(hash(whole) === before[1]).toBe(false);
  const later = hash(whole);
  writeFileSync(join(at.path, "other/b.ts"), "changed");
  expect(hash(glob) === before[0]).toBe(false);
  expect(hash(whole) === later).toBe(false);
});
