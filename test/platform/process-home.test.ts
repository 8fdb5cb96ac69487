import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { whereIs } from "../../src/platform/process-home.ts";
import { type ProcessHome, processIdentity } from "../../src/platform/process-identity.ts";
import { processesOf } from "../../src/platform/processes/of-system.ts";
import { testNeeding } from "../facilities.ts";
import { FakeSystem } from "./fake-system.ts";

const home: ProcessHome = { boot: "b1", namespace: "pid:[1]", machine: "m1" };

for (const [title, process, where] of [
  ["of this boot and namespace", {}, "here"],
  [
    "of an older program, before the host was renamed",
    { namespace: "old-name pid:[1]", machine: undefined },
    "here",
  ],
  ["of this kernel, in a container with a machine id of its own", { machine: "m2" }, "here"],
  ["of another pid namespace", { namespace: "pid:[2]" }, "unknown"],
  ["of an earlier boot of this machine", { boot: "b0" }, "dead"],
  ["of an earlier boot, in a container", { boot: "b0", namespace: "pid:[2]" }, "dead"],
  ["of another machine", { boot: "b2", machine: "m2" }, "unknown"],
  [
    "of an older program and another boot",
    { boot: "b0", namespace: "host pid:[1]", machine: undefined },
    "unknown",
  ],
] as const) {
  test(`a process ${title} is ${where}`, () => {
    expect(whereIs({ ...home, ...process } as ProcessHome, home)).toBe(where);
  });
}

test("on macOS, an older program's host name says nothing", () => {
  const mac = { boot: "b1", namespace: "", machine: "m1" };
  expect(whereIs({ boot: "b1", namespace: "mac.local" }, mac)).toBe("here");
});

function systemWith(files: Record<string, string>): FakeSystem {
  const system = new FakeSystem({ "/proc/self/ns/x": "", ...files });
  symlinkSync("pid:[4]", join(system.root, "proc/self/ns/pid"));
  return system;
}

testNeeding("symbolic links")("boot, pid namespace and machine make a home", () => {
  using system = systemWith({
    "/proc/sys/kernel/random/boot_id": "e522473b\n",
    "/etc/machine-id": `${"a".repeat(32)}\n`,
  });
  expect(processesOf(system).home()).toEqual({
    boot: "e522473b",
    namespace: "pid:[4]",
    machine: "a".repeat(32),
  });
});

testNeeding("symbolic links")(
  "without a boot id, the time of boot stands for it, and a clock that is set does not kill",
  () => {
    using system = systemWith({
      "/proc/stat": "cpu 1 2 3\nbtime 1795890056\n",
      "/etc/machine-id": "uninitialized\n",
    });
    const before = processesOf(system).home();
    expect(before).toEqual({ boot: "btime 1795890056", namespace: "pid:[4]" });
    system.write({ "/proc/stat": "btime 1795893656\n" });
    expect(whereIs(before, processesOf(system).home())).toBe("here");
  },
);

test("a system that says nothing of itself has a home all the same", () => {
  using system = new FakeSystem({ "/x": "" });
  expect(processesOf(system).home()).toEqual({ boot: "unknown", namespace: "" });
});

test("an identity that an older program wrote is one", () => {
  const older = { boot: "b", namespace: "host pid:[1]", pid: 7, startTicks: "12" };
  expect(processIdentity.parse(older)).toEqual(older);
});
