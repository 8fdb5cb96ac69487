import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { processorCount } from "../../src/platform/processors.ts";
import { FakeSystem, unified } from "./fake-system.ts";

const all = availableParallelism();

test("processors are those that we may run on", () => {
  expect(processorCount({ platform: process.platform, root: "/there/is/nothing" })).toBe(all);
});

test.each([
  ["50000 100000", 1],
  ["5000 100000", 1],
  ["100000 100000", 1],
  // A part of a processor is worth starting on.
  ["150000 100000", Math.min(all, 2)],
  ["max 100000", all],
  [`${(all + 5) * 100_000} 100000`, all],
  ["0 0", all],
  ["nonsense", all],
  ["", all],
])("a group's share of `%s` gives so many: %d", (share, count) => {
  using system = new FakeSystem(unified("/box", { "/box": { "cpu.max": share } }));
  expect(processorCount(system)).toBe(count);
});

test("the smallest share of nested groups counts", () => {
  using system = new FakeSystem(
    unified("/outer/inner", {
      "/outer": { "cpu.max": "10000 100000" },
      "/outer/inner": { "cpu.max": "max 100000" },
    }),
  );
  expect(processorCount(system)).toBe(1);
});

test.each([
  ["50000", 1],
  ["-1", all],
])("a quota of %s in version 1 gives so many: %d", (quota, count) => {
  using system = new FakeSystem({
    "/proc/self/cgroup": "2:cpu,cpuacct:/box\n0::/\n",
    "/proc/self/mountinfo": "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
    "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": `${quota}\n`,
    "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
  });
  expect(processorCount(system)).toBe(count);
});
