// Fingerprints of files and directories: what is in them, and since when nothing has changed it.
import { describe, expect, test } from "bun:test";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ContentHashes,
  type Fingerprint,
  Fingerprints,
  nothingThere,
  type Unknown,
} from "../../src/platform/fingerprints.ts";
import { testNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";

function folder(): Disposable & { path: string } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "fingerprints-")));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function known(found: Fingerprint | Unknown): Fingerprint {
  if ("unknown" in found) throw new Error(found.unknown);
  return found;
}

/** Waits until the clock of the file system has moved on, and says what it shows then. */
async function tick(directory: string): Promise<number> {
  const now = () => {
    const path = join(directory, "tick");
    writeFileSync(path, "");
    return known(new Fingerprints({ roots: [directory] }).file(path)).changedAt;
  };
  const before = now();
  await eventually(
    () => now() > before,
    () => "time passes",
  );
  return now();
}

const file = (path: string, root?: string) =>
  known(new Fingerprints(root === undefined ? {} : { roots: [root] }).file(path));

test("a file is what it contains, whatever its time and name are", () => {
  using at = folder();
  const [one, other] = [join(at.path, "one"), join(at.path, "other")];
  writeFileSync(one, "same");
  writeFileSync(other, "same");
  utimesSync(one, 1, 1);
  expect(file(one).hash).toBe(file(other).hash);
  writeFileSync(one, "new!");
  utimesSync(one, 1, 1);
  expect(file(one).hash).not.toBe(file(other).hash);
  rmSync(one);
  expect(file(one).hash).toBe(nothingThere);
  mkdirSync(one);
  expect(file(one).hash).toBe("directory");
});

describe("nobody can set back when something last changed:", () => {
  const changes: [string, (path: string) => void][] = [
    [
      "a file that is written and gets its old time",
      (path) => {
        writeFileSync(join(path, "in/a"), "new");
        utimesSync(join(path, "in/a"), 1, 1);
      },
    ],
    ["another file in its place", (path) => renameSync(join(path, "in/b"), join(path, "in/a"))],
    [
      "another directory on the way, older than all that is in it",
      (path) => {
        renameSync(join(path, "in"), join(path, "gone"));
        renameSync(join(path, "other"), join(path, "in"));
      },
    ],
    [
      "a link on the way that leads elsewhere",
      (path) => {
        rmSync(join(path, "link"));
        symlinkSync(join(path, "other"), join(path, "link"));
      },
    ],
    ["a second name for it", (path) => linkSync(join(path, "in/a"), join(path, "in/again"))],
  ];
  for (const [what, change] of changes) {
    const can = what.startsWith("a link") ? testNeeding("symbolic links") : test;
    can(what, async () => {
      using at = folder();
      for (const name of ["in", "other"]) {
        mkdirSync(join(at.path, name));
        for (const inner of ["a", "b"]) writeFileSync(join(at.path, name, inner), `${name} ${inner}`);
      }
      symlinkSync(join(at.path, "in"), join(at.path, "link"));
      const path = join(at.path, what.includes("link") ? "link/a" : "in/a");
      const begin = await tick(at.path);
      expect(file(path, at.path).changedAt).toBeLessThan(begin);
      change(at.path);
      expect(file(path, at.path).changedAt).toBeGreaterThanOrEqual(begin);
    });
  }
});

test("what is not there was not there since the directory last changed in which it would be", async () => {
  using at = folder();
  mkdirSync(join(at.path, "in"));
  const begin = await tick(at.path);
  const absent = () => file(join(at.path, "in", "none"), at.path).absentAt;
  expect(absent()).toBeLessThan(begin);
  writeFileSync(join(at.path, "in", "none"), "");
  rmSync(join(at.path, "in", "none"));
  expect(absent()).toBeGreaterThanOrEqual(begin);
});

describe("a tree", () => {
  const tree = (path: string, more: object = {}) =>
    known(new Fingerprints().tree(path, { counts: "contents", ...more })).hash;

  test("is all that is in it, except what version control keeps", () => {
    using at = folder();
    mkdirSync(join(at.path, "in/.git"), { recursive: true });
    writeFileSync(join(at.path, "in/a.ts"), "a");
    const before = tree(at.path);
    writeFileSync(join(at.path, "in/.git/index"), "x");
    expect(tree(at.path)).toBe(before);
    renameSync(join(at.path, "in/a.ts"), join(at.path, "in/b.ts"));
    const renamed = tree(at.path);
    expect(renamed).not.toBe(before);
    mkdirSync(join(at.path, "empty"));
    expect(tree(at.path)).not.toBe(renamed);
  });

  test("can be of some files only", () => {
    using at = folder();
    writeFileSync(join(at.path, "a.ts"), "a");
    const before = tree(at.path, { endings: [".ts"] });
    writeFileSync(join(at.path, "b.md"), "b");
    expect(tree(at.path, { endings: [".ts"] })).toBe(before);
    expect(tree(at.path, { endings: [".ts"], always: ["b.md"] })).not.toBe(before);
  });

  test("of names has their times, by which a list is sorted", () => {
    using at = folder();
    writeFileSync(join(at.path, "a"), "a");
    utimesSync(join(at.path, "a"), 5, 5);
    const before = tree(at.path, { counts: "names" });
    writeFileSync(join(at.path, "a"), "b");
    utimesSync(join(at.path, "a"), 5, 5);
    expect(tree(at.path, { counts: "names" })).toBe(before);
    utimesSync(join(at.path, "a"), 6, 6);
    expect(tree(at.path, { counts: "names" })).not.toBe(before);
  });

  testNeeding("symbolic links")("follows links only where asked, and ends in a loop of them", () => {
    using at = folder();
    mkdirSync(join(at.path, "in"));
    mkdirSync(join(at.path, "far"));
    writeFileSync(join(at.path, "far/a"), "a");
    symlinkSync(join(at.path, "far"), join(at.path, "in/far"));
    const [plain, followed] = [tree(join(at.path, "in")), tree(join(at.path, "in"), { follows: true })];
    writeFileSync(join(at.path, "far/a"), "b");
    expect(tree(join(at.path, "in"))).toBe(plain);
    expect(tree(join(at.path, "in"), { follows: true })).not.toBe(followed);
    symlinkSync(at.path, join(at.path, "in/loop"));
    const looped = tree(join(at.path, "in"), { follows: true });
    writeFileSync(join(at.path, "far/a"), "c");
    expect(tree(join(at.path, "in"), { follows: true })).not.toBe(looped);
  });
});

test("hashes that are kept are those of the same contents only", () => {
  using at = folder();
  const path = join(at.path, "a");
  const hashes = new ContentHashes();
  const hash = () => known(new Fingerprints({ hashes }).file(path)).hash;
  writeFileSync(path, "a");
  const before = hash();
  expect(hash()).toBe(before);
  writeFileSync(path, "another");
  expect(hash()).not.toBe(before);
});
