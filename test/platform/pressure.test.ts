import { expect, test } from "bun:test";
import { pressureNow } from "../../src/platform/pressure.ts";
import { processorCount } from "../../src/platform/processors.ts";
import { testNeeding } from "../facilities.ts";
import { FakeSystem, unified } from "./fake-system.ts";
import { FakeMac } from "./imitation/fake-mac.ts";

function stalls(some: string): string {
  return `some avg10=${some} avg60=1.00 avg300=2.00 total=2110081770\nfull avg10=77.00 avg60=0.00 avg300=0.00 total=0\n`;
}

test("pressure is how much of the last ten seconds somebody waited", () => {
  using system = new FakeSystem({
    "/proc/pressure/memory": stalls("12.34"),
    "/proc/pressure/cpu": stalls("56.78"),
  });
  expect(pressureNow(system)).toEqual({ memory: 12.34, processor: 56.78 });
});

test("our own group may be in need where the machine is not, and the other way round", () => {
  using system = new FakeSystem({
    "/proc/pressure/memory": stalls("1.00"),
    "/proc/pressure/cpu": stalls("60.00"),
    ...unified("/box", { "/box": { "memory.pressure": stalls("40.00"), "cpu.pressure": stalls("2.00") } }),
  });
  expect(pressureNow(system)).toEqual({ memory: 40, processor: 60 });
});

test("where the kernel counts no pressure, the load tells of the processors", () => {
  const processors = processorCount({ platform: "linux", root: "/there/is/nothing" });
  using busy = new FakeSystem({ "/proc/loadavg": `${processors * 4}.00 3.00 1.00 2/300 12345\n` });
  expect(pressureNow(busy)).toEqual({ memory: 0, processor: 75 });
  using idle = new FakeSystem({ "/proc/loadavg": "0.50 3.00 1.00 2/300 12345\n" });
  expect(pressureNow(idle)).toEqual({ memory: 0, processor: 0 });
});

test.each([
  ["nothing", {}],
  [
    "nonsense",
    { "/proc/pressure/memory": "some avg10=lots", "/proc/pressure/cpu": "", "/proc/loadavg": "high" },
  ],
])("a kernel that tells %s counts as one without pressure", (_, files) => {
  using system = new FakeSystem(files);
  expect(pressureNow(system)).toEqual({ memory: 0, processor: 0 });
});

test.each(["linux", "darwin", "win32", "freebsd"] as const)(
  "pressure lies between 0 and 100 (%s)",
  (platform) => {
    for (const _ of [1, 2]) {
      for (const share of Object.values(pressureNow({ platform, root: "" }))) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(100);
      }
    }
  },
);

testNeeding("Linux", "a C compiler")("on macOS, the kernel's own levels become 0, 50 and 100", () => {
  using system = new FakeMac();
  const pressures = [1, 2, 4, 3].map((level) => {
    system.recordPressure(level);
    return pressureNow(system).memory;
  });
  expect(pressures).toEqual([0, 50, 100, 0]);
});
