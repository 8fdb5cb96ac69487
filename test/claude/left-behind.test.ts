// Whose the processes are that a session left behind.
import { expect, test } from "bun:test";
import { leftBehind, type Surroundings, type Swept } from "../../src/claude/left-behind.ts";
import { SharedDaemons } from "../../src/claude/shared-daemons.ts";
import { configurationSchema } from "../../src/model/configuration.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { testNeeding } from "../facilities.ts";

interface Fake {
  pid: number;
  parent?: number;
  group?: number;
  session?: number;
  start: number;
  /** Whether it came to us when its parent ended. */
  orphan?: boolean;
  marker?: string;
}

function who(pid: number, start: number): ProcessIdentity {
  return { ...ownIdentity(), pid, startTicks: String(start) };
}

function lookAt(...processes: Fake[]): Surroundings {
  const rows = processes.map(({ pid, parent = 1, group = pid, session = pid, start }) => {
    const row = { state: "S", parent, group, session, startTicks: String(start) };
    return [pid, row] as const;
  });
  const marked = Map.groupBy(
    processes.filter(({ marker }) => marker !== undefined),
    ({ marker }) => marker ?? "",
  );
  const orphans = rows.filter(([pid]) => processes.some((one) => one.pid === pid && one.orphan));
  return {
    byMarker: new Map([...marked].map(([key, own]) => [key, own.map(({ pid, start }) => who(pid, start))])),
    table: new Map(rows),
    orphans: orphans.map(([pid, row]) => [pid, row]),
    isWhole: true,
  };
}

/** The session 100, which began at 1000 and was gone at 2000. */
const ended: Swept = { markers: ["ended"], leader: who(100, 1000), goneAt: 2000 };

function pidsLeft(
  look: Surroundings,
  one: Swept = ended,
  running: [string, ProcessIdentity][] = [],
): number[] {
  const found = leftBehind(look, [one], new Map(running)).get(one) ?? [];
  return found.map(({ pid }) => pid).sort();
}

test("its group, its session, what carries its marker, and all that descend from those are its own", () => {
  const look = lookAt(
    { pid: 101, group: 100, session: 100, start: 1500 },
    { pid: 102, group: 102, session: 100, start: 1500 },
    { pid: 103, marker: "ended", start: 1500 },
    { pid: 104, parent: 103, start: 2500 },
    { pid: 105, start: 1500 },
  );
  expect(pidsLeft(look)).toEqual([101, 102, 103, 104]);
});

test("somebody else who got the pid of the session keeps his group", () => {
  const look = lookAt({ pid: 100, start: 3000 }, { pid: 101, group: 100, session: 100, start: 3001 });
  expect(pidsLeft(look)).toEqual([]);
});

test("so does one who got it and has ended, and whose group lives on", () => {
  expect(pidsLeft(lookAt({ pid: 101, group: 100, session: 100, start: 2001 }))).toEqual([]);
});

test("of a session that nobody saw alive, the group says nothing", () => {
  const look = lookAt({ pid: 101, group: 100, session: 100, start: 1500 });
  expect(pidsLeft(look, { ...ended, goneAt: undefined })).toEqual([]);
});

test("what was seen in its tree is its own, but not another process of that pid", () => {
  const look = lookAt({ pid: 101, start: 1500 }, { pid: 102, start: 3000 });
  expect(pidsLeft(look, { ...ended, members: [who(101, 1500), who(102, 1500)] })).toEqual([101]);
});

test("an orphan without a marker ends once every session has ended that could have started it", () => {
  const look = lookAt({ pid: 101, orphan: true, start: 1500 }, { pid: 102, parent: 101, start: 1600 });
  expect(pidsLeft(look, ended, [["older", who(200, 900)]])).toEqual([]);
  expect(pidsLeft(look, ended, [["younger", who(200, 1700)]])).toEqual([101, 102]);
  expect(pidsLeft(look)).toEqual([101, 102]);
});

test("of several sessions that ended, an orphan is of the first that could have started it", () => {
  const later: Swept = { markers: ["later"], leader: who(300, 1800), goneAt: 2500 };
  const strangers: Swept = { markers: ["strangers"] };
  const look = lookAt({ pid: 101, orphan: true, start: 1500 }, { pid: 102, orphan: true, start: 1900 });
  const ownersOf = (...sweeping: Swept[]) =>
    sweeping.map((one) => (leftBehind(look, sweeping, new Map()).get(one) ?? []).map(({ pid }) => pid));
  expect(ownersOf(later, ended)).toEqual([[102], [101]]);
  expect(ownersOf(ended, later)).toEqual([[101, 102], []]);
  // Where nobody could have, the first one has it: somebody must end it.
  expect(ownersOf(strangers, { ...later, leader: who(300, 9_000) })).toEqual([[101, 102], []]);
  expect(ownersOf(strangers, ended)).toEqual([[], [101, 102]]);
});

test("a session that runs, and what carries its marker, is never taken for what another one left", () => {
  const look = lookAt(
    { pid: 200, group: 100, start: 1500, marker: "running" },
    { pid: 201, parent: 200, group: 100, start: 1600, marker: "running" },
  );
  expect(pidsLeft(look, ended, [["running", who(200, 1500)]])).toEqual([]);
});

const shared = new SharedDaemons(configurationSchema.parse({}).sharedDaemons);

test.each([
  [["/usr/bin/gpg-agent", "--homedir", "/x", "--daemon"]],
  [["ssh: /home/me/.ssh/master-1 [mux]"]],
  [["/opt/jdk/bin/java", "-Xmx64m", "org.gradle.launcher.daemon.bootstrap.GradleDaemon", "8.5"]],
  [["bazel(project)", "--server"]],
  [["watchman", "--foreground"]],
  [["git.exe", "fsmonitor--daemon", "run"]],
  [["gpg-agent.EXE", "--daemon"]],
])("%p is a daemon that sessions share", (words) => {
  expect(shared.matches(words)).toBe(true);
});

test.each([
  [["sleep", "1000"]],
  [["tail", "-f", "gpg-agent"]],
  [["/home/me/gpg-agent-test"]],
  [["ssh", "host"]],
  [["java", "-jar", "server.jar"]],
  [["tail.exe", "-f", "gpg-agent"]],
  [[]],
])("%p is none", (words) => {
  expect(shared.matches(words)).toBe(false);
});

testNeeding("Windows")("on Windows, a daemon is known by its name, whatever its directory", () => {
  expect(shared.matches(["C:\\Program Files\\Git\\cmd\\git.exe", "fsmonitor--daemon", "run"])).toBe(true);
  expect(new SharedDaemons(["bun test *"]).isOne(process.pid)).toBe(true);
});
