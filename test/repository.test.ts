// What is kept in git.
import { expect } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";

/** The largest file that somebody wrote, or drew, is a third of this, in bytes. */
const mostBytes = 1_000_000;

testNeeding("Linux", "git")(
  "nothing is kept that a build or a test has made, or that nobody can read",
  async () => {
    const root = join(import.meta.dir, "..");
    const listing = Bun.spawn(["git", "ls-files", "-z"], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    const names = (await listing.stdout.text()).split("\0").filter((name) => name !== "");
    expect(names.length).toBeGreaterThan(500);
    const sizeOf = (name: string) => statSync(join(root, name), { throwIfNoEntry: false })?.size ?? 0;
    expect(names.filter((name) => sizeOf(name) > mostBytes)).toEqual([]);
    expect(names.filter((name) => /\.(?:bun-build|part|log|tgz|exe)$/.test(name))).toEqual([]);
  },
);
