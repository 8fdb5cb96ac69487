import { expect, test } from "bun:test";
import { spareThreads } from "../../src/platform/threads.ts";
import { FakeSystem, unified } from "./fake-system.ts";

test("the group that allows the fewest more threads counts, also one around ours", () => {
  using system = new FakeSystem(
    unified("/outer/inner", {
      "/outer": { "pids.max": "100", "pids.current": "70" },
      "/outer/inner": { "pids.max": "max", "pids.current": "12" },
    }),
  );
  expect(spareThreads(system)).toBe(30);
});

test("version 1 tells the same", () => {
  using system = new FakeSystem({
    "/proc/self/cgroup": "2:pids:/box\n0::/\n",
    "/proc/self/mountinfo": "33 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
    "/sys/fs/cgroup/pids/box/pids.max": "50\n",
    "/sys/fs/cgroup/pids/box/pids.current": "20\n",
  });
  expect(spareThreads(system)).toBe(30);
});

test.each([["max"], [""], ["nonsense"]])("`%s` is no limit", (most) => {
  using system = new FakeSystem(unified("/box", { "/box": { "pids.max": most, "pids.current": "3" } }));
  expect(spareThreads(system)).toBe(Number.POSITIVE_INFINITY);
});

test("where nothing tells of groups, nothing limits threads", () => {
  expect(spareThreads({ platform: "linux", root: "/there/is/nothing" })).toBe(Number.POSITIVE_INFINITY);
});
