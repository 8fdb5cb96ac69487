// How macOS's own structures become processes, through the real calls into a library that imitates its own.
import { expect, test } from "bun:test";
import { ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { treesOf } from "../../src/platform/process-trees.ts";
import { textsIn } from "../../src/platform/processes/macos.ts";
import { macCalls, systemLibrary } from "../../src/platform/processes/macos-calls.ts";
import { macByPrograms } from "../../src/platform/processes/macos-programs.ts";
import { sameMacStart } from "../../src/platform/processes/macos-starts.ts";
import {
  bsdInfo,
  constants,
  kinfo,
  numberIn,
  rusage,
  structures,
} from "../../src/platform/processes/macos-structures.ts";
import { processesOf } from "../../src/platform/processes/of-system.ts";
import type { Seen } from "../../src/platform/processes/system-processes.ts";
import { describeNeeding } from "../facilities.ts";
import { FakeMac, type MacProcess, macArguments } from "./imitation/fake-mac.ts";

/** Ourselves, without which nothing is believed. */
const us: MacProcess = {
  pid: process.pid,
  parent: 77,
  group: 76,
  session: 75,
  arguments: macArguments("/opt/bun", ["bun"]),
};

/** A system with these processes and us. */
function macWith(...others: MacProcess[]): FakeMac {
  const mac = new FakeMac();
  mac.record(us, ...others);
  return mac;
}

function nothingMissed(): never {
  throw new Error("Something was missed");
}

describeNeeding("Linux", "a C compiler")("of macOS", () => {
  test("every structure is as large, and every member where, a C compiler puts it", () => {
    using mac = macWith({
      pid: 0x01020304,
      parent: 0x05060708,
      group: 0x090a0b0c,
      session: 0x0d0e0f10,
      state: constants.SSTOP,
      seconds: 0x1112131415,
      microseconds: 0x000a1718,
      footprint: 0x191a1b1c1d,
    });
    const calls = macCalls(`${mac.root}${systemLibrary}`);
    const bytesAt = (bytes: Buffer | undefined, at: number, count: number) =>
      bytes?.subarray(at, at + count).toString("hex");
    const info = calls?.bsdInfo(0x01020304);
    expect(info?.length).toBe(bsdInfo.bytes);
    expect(bytesAt(info, 4, 4)).toBe("04000000");
    expect(bytesAt(info, 12, 12)).toBe("0403020108070605f5010000");
    expect(bytesAt(info, 100, 4)).toBe("0c0b0a09");
    expect(bytesAt(info, 120, 16)).toBe("151413121100000018170a0000000000");
    const whole = calls?.kinfo(0x01020304);
    expect(whole?.length).toBe(kinfo.bytes);
    expect(bytesAt(whole, 0, 12)).toBe("151413121100000018170a00");
    expect(bytesAt(whole, 36, 8)).toBe("0400000004030201");
    expect(bytesAt(whole, 420, 4)).toBe("f5010000");
    expect(bytesAt(whole, 560, 8)).toBe("080706050c0b0a09");
    const used = calls?.usage(0x01020304);
    expect(used && numberIn(rusage.fields.ri_phys_footprint, used)).toBe(0x191a1b1c1d);
    mac.recordMemory({ free: 0x01020304, inactive: 0x05060708, speculative: 0x090a0b0c, pageBytes: 4096 });
    const memory = calls?.memory()?.statistics;
    expect(memory?.length).toBe(152);
    expect(bytesAt(memory, 0, 12)).toBe("040302010000000008070605");
    expect(bytesAt(memory, 92, 4)).toBe("0c0b0a09");
  });

  test("a process has its parent, group, session, state, and start in microseconds", () => {
    const start = { seconds: 1_764_428_376, microseconds: 42 };
    using mac = macWith({ pid: 501, parent: 400, group: 450, session: 420, ...start });
    const row = { state: "S", parent: 400, group: 450, session: 420, startTicks: "1764428376000042" };
    expect(processesOf(mac).rowOf(501)).toEqual(row);
    expect(processesOf(mac).table(nothingMissed).get(501)).toEqual(row);
    expect(processesOf(mac).rowOf(502)).toBeUndefined();
  });

  test("a zombie keeps its start, and has ended", () => {
    using mac = macWith({ pid: 501, state: constants.SZOMB });
    expect(processesOf(mac).rowOf(501)).toMatchObject({ state: "Z", startTicks: "1700000000000501" });
    expect(processesOf(mac).table(nothingMissed).get(501)?.state).toBe("Z");
  });

  test("another user's process stands in the table, and is known by its start", () => {
    using mac = macWith({ pid: 501, user: 0, parent: 7, session: 8, footprint: 5 });
    const row = { state: "S", parent: 7, group: 501, session: 8, startTicks: "1700000000000501" };
    expect(processesOf(mac).rowOf(501)).toEqual(row);
    expect(processesOf(mac).measured()?.get(501)).toMatchObject(row);
    expect(processesOf(mac).measured()?.get(501)?.bytes()).toBe(0);
  });

  test("a table of thousands is read whole, also where it has grown since the last look", () => {
    using mac = macWith();
    expect(processesOf(mac).table(nothingMissed).size).toBe(1);
    mac.record(us, ...Array.from({ length: 3_000 }, (_, index) => ({ pid: 2_000_000 + index })));
    expect(processesOf(mac).table(nothingMissed).size).toBe(3_001);
  });

  test("arguments and environment are read, and a marker among the arguments is none", () => {
    const words = macArguments("/opt/claude", ["claude", "-p", "", "A=no"], ["HOME=/Users/me", "A=yes"]);
    using mac = macWith(
      { pid: 501, arguments: words },
      { pid: 502, arguments: macArguments("/bin/sh", ["sh", "A=yes"]) },
      { pid: 503, arguments: words, user: 0 },
      { pid: 504, arguments: words, state: constants.SZOMB },
    );
    expect(processesOf(mac).commandOf(501)).toEqual(["claude", "-p", "", "A=no"]);
    expect(processesOf(mac).commandOf(505)).toEqual([]);
    expect(markedIn(mac, "yes")).toEqual([501]);
    expect(markedIn(mac, "no")).toEqual([]);
  });

  test("a process that was read without a marker is not read again, and one that follows it with its pid is", () => {
    using mac = macWith({ pid: 601, arguments: macArguments("/bin/sh", ["sh"]) });
    expect(markedIn(mac, "late")).toEqual([]);
    const marked = macArguments("/bin/sh", ["sh"], ["A=late"]);
    mac.record(us, { pid: 601, arguments: marked });
    expect(markedIn(mac, "late")).toEqual([]);
    mac.record(us, { pid: 601, arguments: marked, microseconds: 9 });
    expect(markedIn(mac, "late")).toEqual([601]);
  });

  test("a process whose arguments cannot be read is missed once, and then counts as without a marker", () => {
    using mac = macWith({ pid: 701 });
    const missedIn = () => {
      let missed = 0;
      const seen: Seen = { marked: () => undefined, missed: () => missed++ };
      processesOf(mac).eachMarked("A", new Set(["x"]), seen);
      return missed;
    };
    expect(missedIn()).toBe(1);
    expect(missedIn()).toBe(0);
  });

  test("a tree's memory is the sum of footprints, and its members are all that Apple's programs hide from others", () => {
    using mac = macWith(
      { pid: 801, footprint: 1 },
      { pid: 802, parent: 801, group: 801, session: 801, footprint: 2 },
      { pid: 803, parent: 1, group: 803, session: 801, footprint: 4 },
      { pid: 804, parent: 803, group: 804, session: 804, footprint: 8 },
      { pid: 805, footprint: 16 },
    );
    const root: ProcessIdentity = { ...ownIdentity(), pid: 801, startTicks: "1700000000000801" };
    const tree = treesOf(new Map([["it", root]]), new Map(), mac).get("it");
    expect(tree?.bytes).toBe(15);
    expect(tree?.members.map(({ pid }) => pid).sort()).toEqual([801, 802, 803, 804]);
  });

  test("home is the boot's id and the machine's, as `sysctl` and `ioreg` print them", () => {
    using mac = macWith();
    const { boot, namespace, machine } = processesOf(mac).home();
    expect(boot).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    expect(namespace).toBe("");
    expect(machine).toBe("A0A1A2A3-A4A5-A6A7-A8A9-AAABACADAEAF");
  });

  test("where both ways of asking disagree about us, nothing is believed, and `ps` is asked", () => {
    using mac = new FakeMac();
    mac.record({ pid: process.pid + 1 });
    expect(processesOf(mac)).toBe(macByPrograms);
    expect(processesOf({ platform: "darwin", root: "/there/is/nothing" })).toBe(macByPrograms);
  });

  test("real processes are found with their real parents, and end by their group", async () => {
    using mac = new FakeMac();
    await using child = Bun.spawn(["sleep", "1000"], { detached: true });
    const row = processesOf(mac).rowOf(child.pid);
    expect(row).toMatchObject({ parent: process.pid, group: child.pid, session: child.pid });
    expect(Number(row?.startTicks) / 1_000).toBeLessThan(Date.now() + 2_000);
    expect(processesOf(mac).signalGroup(child.pid, "SIGKILL")).toBe(true);
    expect(await child.exited).not.toBe(0);
  });
});

function markedIn(mac: FakeMac, value: string): number[] {
  const found: number[] = [];
  const seen: Seen = { marked: (_, pid) => found.push(pid), missed: () => undefined };
  processesOf(mac).eachMarked("A", new Set([value]), seen);
  return found;
}

test("no structure has a member beyond its end, or two in one place", () => {
  const width = { i8: 1, i32: 4, u32: 4, i64: 8, u64: 8 } as const;
  for (const { bytes, fields } of structures) {
    const ends = Object.values(fields).map(({ at, type }) => ({ at, end: at + width[type] }));
    const sorted = ends.toSorted((one, other) => one.at - other.at);
    for (const [index, { at, end }] of sorted.entries()) {
      expect(end).toBeLessThanOrEqual(sorted[index + 1]?.at ?? bytes);
      expect(at % (end - at)).toBe(0);
    }
  }
});

test("arguments that were cut off, or are none, are no arguments", () => {
  expect(textsIn(undefined)).toEqual({ command: [], environment: [] });
  expect(textsIn(Buffer.from([1, 0]))).toEqual({ command: [], environment: [] });
  expect(textsIn(Buffer.from([1, 0, 0, 0, 0x2f]))).toEqual({ command: [], environment: [] });
});

// An older program wrote what `ps` printed, in its time zone and in whole seconds.
const start = "1748944800123456";
const here = new Date(1_748_944_800_000);
const text = (date: Date) => {
  const [day = "", month = "", number = "", year = ""] = date.toDateString().split(" ");
  return `${day} ${month} ${Number(number)} ${date.toTimeString().slice(0, 8)} ${year}`;
};

for (const [title, stored, same] of [
  ["of our own notation is the same process", start, true],
  ["that is another by a microsecond is another process", "1748944800123457", false],
  ["that an older program wrote in our time zone is the same process", text(here), true],
  [
    "that an older program wrote in another time zone may be the same process",
    text(new Date(here.getTime() + 5.75 * 3_600_000)),
    undefined,
  ],
  [
    "that an older program wrote a second earlier is another process",
    text(new Date(here.getTime() - 1_000)),
    false,
  ],
  ["from two days before is another process", text(new Date(here.getTime() - 2 * 86_400_000)), false],
  ["that was never known is another process", "gone", false],
] as const) {
  test(`a stored start ${title}`, () => {
    expect(sameMacStart(stored, start)).toBe(same as boolean | undefined);
    expect(sameMacStart(start, stored)).toBe(same as boolean | undefined);
  });
}
