// Whether the system has what one more session needs, on real disks and under real limits.
import { expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SystemResources } from "../../src/engine/scheduler/system-resources.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";
import { HandClock } from "./hand-clock.ts";

/** What a first look at the system says. */
function lackOfResources(directory: string, running: number): string | undefined {
  return new SystemResources(directory).lack(running);
}

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

testNeeding("a disk to mount")(
  "what was enough a moment ago is not looked at again for a tenth of a second",
  () => {
    using inside = new Inside();
    using disk = mounted(inside, "size=101m");
    using clock = new HandClock();
    const resources = new SystemResources(disk.directory);
    expect(resources.lack(1)).toBeUndefined();
    writeFileSync(join(disk.directory, "full"), new Uint8Array(2 * 1024 * 1024));
    clock.now += 99;
    expect(resources.lack(1)).toBeUndefined();
    clock.now += 1;
    expect(resources.lack(1)).toContain("has 103 MB left");
    // What was lacking is looked at every time.
    rmSync(join(disk.directory, "full"));
    expect(resources.lack(1)).toBeUndefined();
  },
);

testNeeding("a disk to mount")("a look counts for no more sessions than it found room for", () => {
  using inside = new Inside();
  // Room for 104 files, which is enough for two sessions.
  using disk = mounted(inside, "size=200m,nr_inodes=105");
  using _ = new HandClock();
  const resources = new SystemResources(disk.directory);
  expect(resources.lack(1)).toBeUndefined();
  for (let file = 0; file < 60; file++) writeFileSync(join(disk.directory, String(file)), "");
  resources.started();
  expect(resources.lack(1)).toBeUndefined();
  resources.started();
  expect(resources.lack(2)).toContain("has room for only 44 more files");
});
