// Whether the system has what one more session needs, on real disks and under real limits.
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lackOfResources } from "../../src/engine/scheduler/system-resources.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";

test("a usual disk has room, for the first session and for others", () => {
  using inside = new Inside();
  expect([0, 1].map((running) => lackOfResources(inside.path, running))).toEqual([undefined, undefined]);
});

test("a directory that is gone is said to be", () => {
  using inside = new Inside();
  const gone = inside.file("gone");
  expect(lackOfResources(gone, 0)).toStartWith(
    `The state directory ${gone} cannot be read: ENOENT: no such file or directory`,
  );
});

/** A disk of its own. */
function mounted(inside: Inside, options: string): { directory: string } & Disposable {
  const directory = inside.file("disk");
  mkdirSync(directory);
  const { success } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory]);
  if (!success) throw new Error("it cannot be mounted");
  return { directory, [Symbol.dispose]: () => void Bun.spawnSync(["umount", "-l", directory]) };
}

testNeeding("a disk to mount")("a session needs 100 MiB of disk space", () => {
  using inside = new Inside();
  using disk = mounted(inside, "size=101m");
  expect(lackOfResources(disk.directory, 0)).toBeUndefined();
  writeFileSync(join(disk.directory, "full"), new Uint8Array(2 * 1024 * 1024));
  expect(lackOfResources(disk.directory, 0)).toBe(
    `The disk of ${disk.directory} has 103 MB left; sessions start again above 105 MB. Free some space, for example with \`parallel-claude-code-mcp prune\` in a terminal.`,
  );
});

testNeeding("a disk to mount")("a session needs 50 files that the disk can still have", () => {
  using inside = new Inside();
  using disk = mounted(inside, "size=200m,nr_inodes=53");
  for (const name of ["one", "two"]) writeFileSync(join(disk.directory, name), "");
  expect(lackOfResources(disk.directory, 0)).toBeUndefined();
  writeFileSync(join(disk.directory, "three"), "");
  expect(lackOfResources(disk.directory, 0)).toContain("has room for only 49 more files (inodes)");
});

testNeeding("Linux", "sh")("a session needs 16 descriptors", () => {
  using inside = new Inside();
  const program = [process.execPath, join(import.meta.dir, "few-descriptors.ts"), inside.path];
  const saidWith = (left: number) => {
    const limited = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", ...program, String(left)];
    const { stdout, stderr } = Bun.spawnSync(limited);
    return `${stdout}${stderr}`;
  };
  expect(saidWith(16)).toBe("\n");
  expect(saidWith(15)).toStartWith("Waits for file descriptors: this process may open only 15 more.");
});
