import { expect, test } from "bun:test";
import { totalmem } from "node:os";
import { memoryNow } from "../../src/platform/memory.ts";
import { testNeeding } from "../facilities.ts";
import { FakeSystem, memInfo, unified } from "./fake-system.ts";
import { FakeMac } from "./imitation/fake-mac.ts";

const GB = 2 ** 30;
const machine = { "/proc/meminfo": memInfo({ total: 16 * GB, available: 10 * GB }) };
const ofMachine = { totalBytes: 16 * GB, availableBytes: 10 * GB, limitedBy: "machine" } as const;

test("without control groups, the machine's memory is what there is", () => {
  using system = new FakeSystem(machine);
  expect(memoryNow(system)).toEqual(ofMachine);
});

test("a group's limit counts, and pages of files that nobody looks at are as good as free", () => {
  using system = new FakeSystem({
    ...machine,
    ...unified("/box", {
      "/box": {
        "memory.max": String(4 * GB),
        "memory.high": "max",
        "memory.current": String(3 * GB),
        "memory.stat": `anon ${GB}\nfile ${2 * GB}\nactive_file ${GB}\ninactive_file ${GB}`,
      },
    }),
  });
  expect(memoryNow(system)).toEqual({ totalBytes: 4 * GB, availableBytes: 2 * GB, limitedBy: "cgroup" });
});

test("the point from which on the kernel slows a group down is a limit like the one at which it kills", () => {
  using system = new FakeSystem({
    ...machine,
    ...unified("/box", {
      "/box": {
        "memory.max": String(8 * GB),
        "memory.high": String(3 * GB),
        "memory.current": String(GB),
        "memory.stat": "inactive_file 0",
      },
    }),
  });
  expect(memoryNow(system)).toEqual({ totalBytes: 3 * GB, availableBytes: 2 * GB, limitedBy: "cgroup" });
});

test("of nested groups the one with the least left counts, however far up", () => {
  const inner = { "memory.max": String(2 * GB), "memory.current": "0", "memory.stat": "inactive_file 0" };
  const outer = {
    "memory.max": String(8 * GB),
    "memory.current": String(7.5 * GB),
    "memory.stat": "inactive_file 0",
  };
  using system = new FakeSystem({
    ...machine,
    ...unified("/outer/middle/inner", {
      "/outer/middle/inner": inner,
      "/outer/middle": { "memory.max": "max", "memory.current": String(GB) },
      "/outer": outer,
    }),
  });
  expect(memoryNow(system)).toEqual({ totalBytes: 2 * GB, availableBytes: GB / 2, limitedBy: "cgroup" });
});

test("a machine that has less left than the group would allow is what limits", () => {
  using system = new FakeSystem({
    "/proc/meminfo": memInfo({ total: 16 * GB, available: GB }),
    ...unified("/box", {
      "/box": {
        "memory.max": String(8 * GB),
        "memory.current": String(GB),
        "memory.stat": "inactive_file 0",
      },
    }),
  });
  expect(memoryNow(system)).toEqual({ totalBytes: 8 * GB, availableBytes: GB, limitedBy: "machine" });
});

test("a group that is over its limit has nothing left, and not less than nothing", () => {
  const box = {
    "memory.max": String(GB),
    "memory.current": String(2 * GB),
    "memory.stat": "inactive_file 0",
  };
  using system = new FakeSystem({ ...machine, ...unified("/box", { "/box": box }) });
  expect(memoryNow(system).availableBytes).toBe(0);
});

test("a limit that is changed, and a move to another group, are seen at the next look", () => {
  const texts = (max: string) => ({
    "memory.max": max,
    "memory.current": "0",
    "memory.stat": "inactive_file 0",
  });
  using system = new FakeSystem({
    ...machine,
    ...unified("/a", { "/a": texts("max"), "/b": texts(String(GB)) }),
  });
  expect(memoryNow(system)).toEqual(ofMachine);
  system.write({ "/sys/fs/cgroup/a/memory.max": `${3 * GB}\n` });
  expect(memoryNow(system).totalBytes).toBe(3 * GB);
  system.write({ "/proc/self/cgroup": "0::/b\n" });
  expect(memoryNow(system).totalBytes).toBe(GB);
});

// As a kernel with both versions has it: memory belongs to version 1, and the group of version 2 limits nothing.
const versionOne = {
  "/proc/self/cgroup": "4:memory:/user/box\n2:cpu,cpuacct:/user\n1:name=systemd:/user/box\n0::/user/box\n",
  "/proc/self/mountinfo": [
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct",
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:16 - cgroup cgroup rw,memory",
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
  ].join("\n"),
};

test("groups of version 1 are read by their own files, from our own upwards", () => {
  const folder = "/sys/fs/cgroup/memory";
  using system = new FakeSystem({
    ...machine,
    ...versionOne,
    [`${folder}/memory.limit_in_bytes`]: "9223372036854771712\n",
    [`${folder}/memory.usage_in_bytes`]: `${6 * GB}\n`,
    [`${folder}/user/memory.limit_in_bytes`]: `${4 * GB}\n`,
    [`${folder}/user/memory.usage_in_bytes`]: `${3 * GB}\n`,
    [`${folder}/user/memory.stat`]: `inactive_file 4096\ntotal_inactive_file ${2 * GB}\n`,
    [`${folder}/user/box/memory.limit_in_bytes`]: "9223372036854771712\n",
    [`${folder}/user/box/memory.usage_in_bytes`]: `${GB}\n`,
    "/sys/fs/cgroup/unified/user/box/memory.max": "1\n",
  });
  expect(memoryNow(system)).toEqual({ totalBytes: 4 * GB, availableBytes: 3 * GB, limitedBy: "cgroup" });
});

test("in a container the mount shows our own group, by whatever path it has outside", () => {
  const folder = "/sys/fs/cgroup/memory dir";
  using system = new FakeSystem({
    ...machine,
    "/proc/self/cgroup": "4:memory:/docker/0123abcd\n",
    "/proc/self/mountinfo":
      "34 31 0:32 /docker/0123abcdef /somewhere/else ro - cgroup cgroup rw,memory\n" +
      "35 31 0:32 /docker/0123abcd /sys/fs/cgroup/memory\\040dir ro,nosuid - cgroup cgroup rw,memory\n",
    [`${folder}/memory.limit_in_bytes`]: String(2 * GB),
    [`${folder}/memory.usage_in_bytes`]: String(GB),
    [`${folder}/memory.stat`]: "total_inactive_file 0",
  });
  expect(memoryNow(system)).toEqual({ totalBytes: 2 * GB, availableBytes: GB, limitedBy: "cgroup" });
});

const box = { "memory.max": String(GB), "memory.current": "0", "memory.stat": "inactive_file 0" };
const withoutLimit: [string, Record<string, string>][] = [
  ["is unlimited", unified("/box", { "/box": { ...box, "memory.max": "max" } })],
  ["has more than the machine", unified("/box", { "/box": { ...box, "memory.max": String(64 * GB) } })],
  ["has no such files, as the uppermost one", unified("/", { "/": { "cgroup.procs": "1" } })],
  ["does not tell what it uses", unified("/box", { "/box": { "memory.max": String(GB) } })],
  ["tells nonsense", unified("/box", { "/box": { ...box, "memory.max": "a lot", "memory.high": "" } })],
  ["lies outside of what can be seen", unified("/../box", { "/box": box, "/../box": box })],
  ["is mounted nowhere", { ...unified("/box", { "/box": box }), "/proc/self/mountinfo": "\nx\n" }],
  ["is told in another way than any we know", { "/proc/self/cgroup": "nonsense\n0::\n::/\n4:memory" }],
  ["was removed", unified("/box (deleted)", {})],
];
test.each(withoutLimit)("a group that %s limits nothing", (_, files) => {
  using system = new FakeSystem({ ...machine, ...files });
  expect(memoryNow(system)).toEqual(ofMachine);
});

test("without a statistic, nothing of what a group uses counts as free", () => {
  using system = new FakeSystem({
    ...machine,
    ...unified("/box", { "/box": { "memory.max": String(2 * GB), "memory.current": String(GB) } }),
  });
  expect(memoryNow(system).availableBytes).toBe(GB);
});

test.each(["linux", "darwin", "win32", "freebsd"] as const)(
  "a system that tells nothing (%s) is believed what the runtime says",
  (platform) => {
    const { totalBytes, availableBytes } = memoryNow({ platform, root: "/there/is/nothing" });
    expect(totalBytes).toBe(totalmem());
    expect(availableBytes).toBeGreaterThan(0);
    expect(availableBytes).toBeLessThanOrEqual(totalBytes);
  },
);

test("this system has memory, and less available than there is", () => {
  const { totalBytes, availableBytes } = memoryNow();
  expect(totalBytes).toBeGreaterThan(1e8);
  expect(availableBytes).toBeGreaterThan(0);
  expect(availableBytes).toBeLessThanOrEqual(totalBytes);
});

testNeeding("Linux", "a C compiler")("on macOS, free and inactive pages can be had", () => {
  using system = new FakeMac();
  system.recordMemory({ free: 12_000, inactive: 300_000, speculative: 2_000, pageBytes: 16_384 });
  expect(memoryNow(system).availableBytes).toBe((12_000 + 300_000) * 16_384);
});
