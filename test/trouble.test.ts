// Errors that are the user's to solve come as a sentence that says what to do, and never as source lines or a stack.
import { describe, expect, test } from "bun:test";
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { testNeeding } from "./facilities.ts";
import { Home, run } from "./harness.ts";

/** Source lines of Bun, and the lines of a stack. */
const internals = /^\s*\d+ \||^ +at |\.ts:\d+|Internal error/m;

// Behind the first page, which has the schema: opening it succeeds, and reading does not.
function damage(store: string): void {
  const descriptor = openSync(store, "r+");
  const { size } = statSync(store);
  for (let at = 4096; at < size; at += 4096) writeSync(descriptor, Buffer.alloc(4096, "x"), 0, 4096, at);
  closeSync(descriptor);
}

test("damage of the store that is found late is a sentence with the file and what to do, in every command", async () => {
  await using home = new Home();
  await run(home, ["run", "one"]);
  using store = home.store();
  const path = store.layout.database;
  store[Symbol.dispose]();
  // Its keeper still has the newest pages in its log.
  await home.empty();
  damage(path);
  for (const args of [
    ["list"],
    ["show", "latest"],
    ["show", "latest", "--json"],
    ["results", "latest"],
    ["wait", "latest"],
    ["watch", "latest"],
    ["logs", "latest", "1"],
    ["cancel", "latest"],
    ["retry", "latest"],
    ["open", "latest", "--print"],
    ["prune"],
    ["run", "two"],
    ["run", "two", "--detach"],
  ]) {
    const { code, err } = await run(home, args);
    expect({ args, failed: code === 1 || code === 2 }).toEqual({ args, failed: true });
    expect(err).not.toMatch(internals);
    expect(err).toContain(`The store ${path} is damaged`);
    expect(err).toContain(`mv ${path}`);
  }
});

test("a batch whose directory of files has become a file can still be looked at", async () => {
  await using home = new Home();
  await run(home, ["run", "one", "[[max-turns]]"]);
  rmSync(home.output, { recursive: true });
  writeFileSync(home.output, "");
  for (const args of [["show", "latest"], ["show", "latest", "--json"], ["results", "latest"], ["list"]]) {
    const { code, err } = await run(home, args);
    expect({ args, code, err }).toEqual({ args, code: 0, err: expect.not.stringMatching(internals) });
  }
  const { out } = await run(home, ["show", "latest"]);
  expect(out).toContain("succeeded");
});

test("a shell that is not there, and a home that is not, are no reason to fail", async () => {
  for (const SHELL of ["/nowhere/bash", "/nowhere/zsh"]) {
    await using home = new Home({ SHELL, PATH: "/usr/bin:/bin" });
    const { code, err } = await run(home, ["run", "one"]);
    expect(code).toBe(2);
    expect(err).toContain("`claude` was not found in");
    expect(err).not.toMatch(internals);
  }
});

describe("a full disk", () => {
  testNeeding("a disk to mount")("is said by `run`, with the file that does not fit", async () => {
    await using home = new Home();
    await run(home, ["run", "one"]);
    // Its keeper writes there until it has gone.
    await home.empty();
    const aside = home.file("aside");
    renameSync(home.state, aside);
    expect(Bun.spawnSync(["mkdir", home.state]).success).toBe(true);
    expect(
      Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", home.state]).success,
    ).toBe(true);
    try {
      Bun.spawnSync(["sh", "-c", `cp -a ${aside}/. ${home.state}/; cat /dev/zero > ${home.state}/filler`]);
      for (const args of [
        ["run", "two"],
        ["run", "two", "--detach"],
      ]) {
        const { code, err } = await run(home, args);
        expect({ args, failed: code === 1 || code === 2 }).toEqual({ args, failed: true });
        expect(err).toMatch(/is full|no space left|not full/);
        expect(err).not.toMatch(internals);
      }
    } finally {
      Bun.spawnSync(["umount", "-l", home.state]);
    }
  });
});
