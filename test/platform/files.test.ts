import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSmallFile, realPath } from "../../src/platform/files.ts";
import { isWithin } from "../../src/platform/paths.ts";
import { testNeeding } from "../facilities.ts";

class Folder implements Disposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "pccm-files-")));

  at(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

testNeeding("symbolic links")(
  "a link that leads to nothing is resolved to what would be made behind it",
  () => {
    using folder = new Folder();
    mkdirSync(folder.at("inside"));
    symlinkSync("../outside/new", folder.at("inside/link"));
    symlinkSync("link", folder.at("inside/second"));
    symlinkSync("loop", folder.at("inside/loop"));
    expect(realPath(folder.at("inside/link"))).toBe(folder.at("outside/new"));
    expect(realPath(folder.at("inside/second/below"))).toBe(folder.at("outside/new/below"));
    expect(realPath(folder.at("inside/nothing/below"))).toBe(folder.at("inside/nothing/below"));
    expect(realPath(folder.at("inside/loop"))).toBe(folder.at("inside/loop"));
  },
);

test("a file that is not read says why", () => {
  using folder = new Folder();
  writeFileSync(folder.at("long"), "x".repeat(2_000_001));
  const reasonOf = (path: string) => {
    const read = readSmallFile(path, 2_000_000);
    return read.kind === "unreadable" ? read.reason : read.kind;
  };
  expect(reasonOf(folder.at("long"))).toBe("is larger than 2 MB");
  expect(reasonOf(folder.path)).toBe("is not a file");
  expect(reasonOf(folder.at("nothing"))).toBe("nothing");
});

test.each([
  ["/home/me", "/home/me", true],
  ["/home/me/..data", "/home/me", true],
  ["/home/me/..", "/home/me", false],
  ["/home/me2", "/home/me", false],
  ["/home", "/home/me", false],
  ["/", "/", true],
  ["/x", "/", true],
])("whether %s is within %s: %p", (path, root, is) => {
  expect(isWithin(path, root)).toBe(is);
});
