// What a watch of a directory reports, and until when.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { watchDirectory } from "../../src/platform/watch.ts";
import { Home } from "../harness.ts";

/** Until a watch of this directory has reported both files, and reported them again. */
async function settled(directory: string, write: () => void): Promise<void> {
  const calls = new Map<string, number>();
  const { promise, resolve } = Promise.withResolvers<void>();
  using _watch = watchDirectory(directory, (name) => {
    calls.set(name, (calls.get(name) ?? 0) + 1);
    if (["one", "other"].every((each) => (calls.get(each) ?? 0) > 1)) resolve();
  });
  write();
  await promise;
}

test.each([1, 2, 3])(
  "a watch that is disposed of in its call number %d reports nothing more",
  async (last) => {
    await using home = new Home();
    let calls = 0;
    const watch = watchDirectory(home.work, () => {
      calls++;
      if (calls === last) watch[Symbol.dispose]();
    });
    const write = () => {
      for (const name of ["one", "other"]) writeFileSync(join(home.work, name), "");
    };
    await settled(home.work, write);
    // What the first watch would have reported again is older than this.
    await settled(home.work, write);
    expect(calls).toBe(last);
  },
);
