// Everything that our code assumes about macOS, with where it relies on it, and how the probe finds out. The list in
// ARCHITECTURE.md, and what the macOS runner of CI checks before all tests, are this declaration.

import { Database } from "bun:sqlite";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ownSystem } from "../../src/far/add-host.ts";
import { launchdPlan } from "../../src/operations/schedule/launchd.ts";
import { calendarOf } from "../../src/operations/schedule/when.ts";
import { memoryNow } from "../../src/platform/memory.ts";
import { macCalls, systemLibrary } from "../../src/platform/processes/macos-calls.ts";
import { macByPrograms } from "../../src/platform/processes/macos-programs.ts";
import { sameMacStart } from "../../src/platform/processes/macos-starts.ts";
import { numberIn, rusage } from "../../src/platform/processes/macos-structures.ts";
import { watchDirectory } from "../../src/platform/watch.ts";
import { layoutProgram } from "./layout-program.ts";
import { fail, found, outputOf, type Place } from "./probe-place.ts";

export interface Assumption {
  /** What we assume, as a sentence. */
  assumes: string;
  /** The files that rely on it, below `src/platform/` unless they begin with another folder. */
  reliedOn: readonly string[];
  /** Whether it needs macOS's own programs; all others are also checked against the imitation on Linux. */
  onlyOnMac?: boolean;
  /** Gives what it found, for people; throws where the assumption does not hold. */
  check(place: Place): string | Promise<string>;
}

const calls = "processes/macos-calls.ts";
const rows = "processes/macos.ts";
const layouts = "processes/macos-structures.ts";

export const assumptions: readonly Assumption[] = [
  {
    assumes:
      "Apple's compiler gives the structures the sizes and offsets at which we read them, and the constants our values.",
    reliedOn: [layouts],
    onlyOnMac: true,
    check: ({ folder }) => {
      const [source, program] = [join(folder, "layout.c"), join(folder, "layout")];
      writeFileSync(source, layoutProgram());
      outputOf("cc", "-o", program, source);
      const { stdout, success } = Bun.spawnSync([program]);
      const lines = stdout.toString().trim().split("\n");
      if (!success) fail(lines.filter((line) => line.startsWith("no ")).join("; "));
      const unknown = lines.filter((line) => line.startsWith("??")).length;
      return `${lines.length - unknown} facts, ${unknown} that the headers do not tell`;
    },
  },
  {
    assumes:
      "A Bun program, signed or not, may call libSystem by bun:ffi, and both ways of asking for a process agree.",
    reliedOn: [calls, rows, "processes/of-system.ts"],
    check: ({ processes }) => {
      if (processes === macByPrograms) fail("the calls are refused or disagree, so `ps` would be asked");
      return "the calls are used";
    },
  },
  {
    assumes: "`proc_pidinfo` gives our parent, and for a new child a start between a minute ago and now.",
    reliedOn: [rows],
    check: async ({ processes, sleeping }) => {
      const own = found(processes.rowOf(process.pid), "we are not there");
      if (own.parent !== process.ppid) fail(`our parent is ${own.parent} instead of ${process.ppid}`);
      // We ourselves may have run for long: as a test, in a process that ran others before.
      await using child = sleeping({});
      const { startTicks } = found(processes.rowOf(child.pid), "the child is not there");
      const seconds = Date.now() / 1_000 - Number(startTicks) / 1e6;
      if (!(seconds >= -1 && seconds < 60)) fail(`the child started ${seconds} s ago`);
      return `${startTicks}, ${seconds.toFixed(1)} s ago`;
    },
  },
  {
    assumes: "A child that Bun starts `detached` leads a process group and a session of its own.",
    reliedOn: [rows, "src/claude/session.ts"],
    check: async ({ processes, sleeping }) => {
      await using child = sleeping({ detached: true });
      const row = found(processes.rowOf(child.pid), "the child is not there");
      if (row.group !== child.pid || row.session !== child.pid) fail(JSON.stringify(row));
      return JSON.stringify(row);
    },
  },
  {
    assumes:
      "The table of `KERN_PROC_ALL` has every process, with the same values as `proc_pidinfo` gives for it alone.",
    reliedOn: [rows],
    check: async ({ processes, sleeping }) => {
      await using child = sleeping({});
      const table = processes.table(() => fail("it cannot be read"));
      for (const pid of [process.pid, child.pid]) {
        const [one, whole] = [processes.rowOf(pid), table.get(pid)];
        // Whether it waits at this moment changes.
        if (!Bun.deepEquals({ ...one, state: "" }, { ...whole, state: "" }))
          fail(`${JSON.stringify(one)} and ${JSON.stringify(whole)}`);
      }
      return `${table.size} processes`;
    },
  },
  {
    assumes: "Processes of other users stand in the table, with parent and start.",
    reliedOn: [rows],
    check: ({ processes }) => {
      const row = found(processes.rowOf(1), "process 1 is not there");
      if (!/^\d+$/.test(row.startTicks)) fail(JSON.stringify(row));
      return JSON.stringify(row);
    },
  },
  {
    assumes: "Of two processes, the one that started later has the later start, in microseconds.",
    reliedOn: ["src/claude/left-behind.ts"],
    check: async ({ processes, sleeping }) => {
      await using first = sleeping({});
      // A tick of the imitation is a hundredth of a second.
      await Bun.sleep(20);
      await using second = sleeping({});
      const [one, other] = [first, second].map(({ pid }) => processes.rowOf(pid)?.startTicks);
      if (!(Number(one) < Number(other))) fail(`${one} and ${other}`);
      return `${Number(other) - Number(one)} µs apart`;
    },
  },
  {
    assumes: "An ended process that nobody has reaped is a zombie in the table, with its start.",
    reliedOn: [rows, "process.ts"],
    check: async ({ until, processes }) => {
      // The shell becomes a program that never asks how its child has ended.
      await using parent = Bun.spawn(["/bin/sh", "-c", "sleep 0.1 & exec sleep 60"], {
        stdio: ["ignore", "ignore", "ignore"],
      });
      const zombies = () =>
        [...processes.table(() => undefined)].filter(
          ([, row]) => row.parent === parent.pid && row.state === "Z",
        );
      await until(() => zombies().length > 0, "no zombie is in the table");
      const [pid, row] = found(zombies()[0], "the zombie has gone");
      const alone = processes.rowOf(pid);
      if (alone?.state !== "Z" || alone.startTicks !== row.startTicks)
        fail(`alone it is ${JSON.stringify(alone)}`);
      return JSON.stringify(alone);
    },
  },
  {
    assumes: "A process that has gone is not there, and `getsid` says so.",
    reliedOn: [rows],
    check: async ({ processes, sleeping }) => {
      const child = sleeping({});
      child.kill("SIGKILL");
      await child.exited;
      if (processes.rowOf(child.pid)) fail("it is still there");
      return "gone";
    },
  },
  {
    assumes:
      "`ps` gives the same parent, group and start, to the second and in the time zone of the machine.",
    reliedOn: ["processes/macos-programs.ts", "processes/macos-starts.ts"],
    onlyOnMac: true,
    check: ({ processes }) => {
      const [ours, theirs] = [processes.rowOf(process.pid), macByPrograms.rowOf(process.pid)];
      if (!ours || !theirs || ours.parent !== theirs.parent || ours.group !== theirs.group)
        fail(`${JSON.stringify(ours)} and ${JSON.stringify(theirs)}`);
      const isSame = sameMacStart(theirs.startTicks, ours.startTicks);
      if (isSame === false || (isSame === undefined && process.env["TZ"] === undefined))
        fail(`${ours.startTicks} and ${theirs.startTicks}`);
      return `${ours.startTicks} and ${theirs.startTicks}`;
    },
  },
  {
    assumes: "Starts do not depend on the time zone of the one who asks.",
    reliedOn: ["process.ts"],
    check: ({ processes }) => {
      const before = processes.rowOf(process.pid)?.startTicks;
      const zone = process.env["TZ"];
      process.env["TZ"] = "Asia/Kathmandu";
      const after = processes.rowOf(process.pid)?.startTicks;
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
      if (before !== after) fail(`${before} and ${after}`);
      return String(after);
    },
  },
  {
    assumes: "The environment of a program that is not Apple's can be read, with its arguments.",
    reliedOn: [rows, "process-table.ts"],
    check: async ({ until, processes, marked, resting }) => {
      await using child = resting({ [variable]: "own" });
      await until(() => marked("own").includes(child.pid), `its marker is not found, only ${marked("own")}`);
      const command = processes.commandOf(child.pid);
      if (!command.includes("-e")) fail(`its arguments are ${JSON.stringify(command)}`);
      return `${command.length} arguments`;
    },
  },
  {
    assumes: "The environment of Apple's own programs is withheld, while their arguments can be read.",
    reliedOn: ["process-trees.ts", "src/claude/left-behind.ts"],
    check: async ({ until, processes, marked }) => {
      const env = { [variable]: "apple", PATH: "/usr/bin:/bin" };
      await using sleep = Bun.spawn(["/bin/sleep", "60"], { env });
      await until(
        () => processes.commandOf(sleep.pid).join(" ").endsWith("sleep 60"),
        "its arguments cannot be read",
      );
      const seen = marked("apple");
      if (seen.includes(sleep.pid))
        return "NOT withheld here (System Integrity Protection is off): nothing is missed";
      return "withheld";
    },
  },
  {
    assumes: "What Apple's shell starts inherits the marker, and shows it if it is not Apple's.",
    reliedOn: ["process-table.ts"],
    check: async ({ until, marked, folder }) => {
      const gate = join(folder, "inherited");
      const script = `"$BUN" -e 'await Bun.write(process.env.GATE, String(process.pid)); await Bun.sleep(60_000)'; true`;
      const env = { [variable]: "inherited", PATH: "/usr/bin:/bin", BUN: process.execPath, GATE: gate };
      await using shell = Bun.spawn(["/bin/sh", "-c", script], { env, detached: true });
      try {
        await until(() => existsSync(gate) && readFileSync(gate, "utf8") !== "", "the shell starts nothing");
        const pid = Number(readFileSync(gate, "utf8"));
        await until(() => marked("inherited").includes(pid), "the marker was not inherited");
        return `process ${pid} of shell ${shell.pid}`;
      } finally {
        process.kill(-shell.pid, "SIGKILL");
      }
    },
  },
  {
    assumes: "A process whose parent ended keeps its group and session.",
    reliedOn: ["process-trees.ts", "src/claude/left-behind.ts"],
    check: async ({ processes }) => {
      const shell = Bun.spawn(["/bin/sh", "-c", "sleep 60 > /dev/null & echo $!"], {
        stdout: "pipe",
        detached: true,
      });
      const pid = Number(await shell.stdout.text());
      await shell.exited;
      const before = processes.rowOf(pid);
      process.kill(pid, "SIGKILL");
      const row = found(before, "it has ended with its parent");
      if (row.group !== shell.pid || row.session !== shell.pid) fail(JSON.stringify(row));
      return JSON.stringify(row);
    },
  },
  {
    assumes: "A signal to a group ends all of its members.",
    reliedOn: ["kill-tree.ts"],
    check: async ({ until, processes }) => {
      const shell = Bun.spawn(["/bin/sh", "-c", "sleep 60 > /dev/null & echo $!; wait"], {
        stdout: "pipe",
        detached: true,
      });
      const { value } = await shell.stdout.getReader().read();
      const pid = Number(new TextDecoder().decode(value));
      processes.signalGroup(shell.pid, "SIGKILL");
      await shell.exited;
      const isOver = () => (processes.rowOf(pid)?.state ?? "Z") === "Z";
      await until(isOver, "the child of the group's leader lives");
      return `${shell.pid} and ${pid}`;
    },
  },
  {
    assumes: "`ri_phys_footprint` counts the memory that a process touches, and not its executable.",
    reliedOn: [rows],
    check: async ({ processes, system }) => {
      const script = "globalThis.kept = Buffer.alloc(100e6, 1); console.log(1); await Bun.sleep(60_000)";
      await using child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
      await child.stdout.getReader().read();
      const bytes = found(processes.measured()?.get(child.pid), "it is not measured").bytes();
      const usage = found(macCalls(`${system.root}${systemLibrary}`)?.usage(child.pid), "no usage");
      const resident = numberIn(rusage.fields.ri_resident_size, usage);
      if (bytes < 100e6 || bytes > 300e6) fail(`100 MB count as ${bytes}`);
      return `${(bytes / 1e6).toFixed(0)} MB of ${(resident / 1e6).toFixed(0)} MB resident`;
    },
  },
  {
    assumes: "`host_statistics64` gives as much free and inactive memory as `vm_stat` prints.",
    reliedOn: ["memory.ts"],
    onlyOnMac: true,
    check: () => {
      const text = outputOf("/usr/bin/vm_stat");
      const pageBytes = Number(/page size of (\d+) bytes/.exec(text)?.[1]);
      const pages = ["free", "inactive", "speculative"].map((kind) =>
        Number(new RegExp(`^Pages ${kind}:\\s*(\\d+)\\.`, "m").exec(text)?.[1]),
      );
      const theirs = pages.reduce((sum, count) => sum + count, 0) * pageBytes;
      const ours = memoryNow().availableBytes;
      // Both change all the time.
      if (!(Math.abs(ours - theirs) < 0.1 * theirs + 500e6)) fail(`${ours} and ${theirs}`);
      return `${(ours / 1e9).toFixed(2)} GB and ${(theirs / 1e9).toFixed(2)} GB`;
    },
  },
  {
    assumes: "The kernel's level of memory pressure is 1, 2 or 4.",
    reliedOn: ["pressure.ts"],
    check: ({ system }) => {
      const level = macCalls(`${system.root}${systemLibrary}`)?.number("kern.memorystatus_vm_pressure_level");
      if (level === undefined || ![1, 2, 4].includes(level)) fail(`it is ${level}`);
      return String(level);
    },
  },
  {
    assumes: "A boot has an id, `kern.bootsessionuuid`, which `sysctl` prints in the same letters.",
    reliedOn: ["process-home.ts"],
    onlyOnMac: true,
    check: ({ processes }) => {
      const [ours, theirs] = [
        processes.home().boot,
        outputOf("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"),
      ];
      if (ours !== theirs) fail(`${ours} and ${theirs}`);
      return "the same";
    },
  },
  {
    assumes: "`gethostuuid` gives the `IOPlatformUUID` that `ioreg` prints, in the same letters.",
    reliedOn: ["process-home.ts"],
    onlyOnMac: true,
    check: ({ processes }) => {
      const registry = outputOf("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice");
      const theirs = /"IOPlatformUUID" = "([^"]+)"/.exec(registry)?.[1];
      const ours = processes.home().machine;
      if (ours === undefined || ours !== theirs) fail(`${ours} and ${theirs}`);
      return "the same";
    },
  },
  {
    assumes: "Arguments and environment together have at most 1 MB (`kern.argmax`).",
    reliedOn: [calls],
    onlyOnMac: true,
    check: () => {
      const most = Number(outputOf("/usr/sbin/sysctl", "-n", "kern.argmax"));
      if (most > 1_048_576) fail(`it is ${most}`);
      return String(most);
    },
  },
  {
    assumes: "To ask whether a process lives takes at most 20 µs.",
    reliedOn: ["liveness-watch.ts"],
    check: ({ processes, sleeping }) => {
      const child = sleeping({});
      const ask = () => processes.rowOf(child.pid);
      microsecondsOf(ask);
      const microseconds = microsecondsOf(ask);
      child.kill("SIGKILL");
      // The imitation reads and parses files of `/proc`.
      if (microseconds > (process.platform === "darwin" ? 20 : 2_000)) fail(`it takes ${microseconds} µs`);
      return `${microseconds.toFixed(1)} µs`;
    },
  },
  {
    assumes: "Pids are not used again at once: of 200 processes, each has its own.",
    reliedOn: ["process.ts"],
    check: async () => {
      const pids = new Set<number>();
      for (let count = 0; count < 200; count++) {
        const child = Bun.spawn(["/bin/sh", "-c", ":"]);
        pids.add(child.pid);
        await child.exited;
      }
      if (pids.size !== 200) fail(`only ${pids.size} different ones`);
      return `${Math.min(...pids)} to ${Math.max(...pids)}`;
    },
  },
  {
    assumes: "A watch on a folder reports a file that was written and closed, within a second.",
    reliedOn: ["watch.ts"],
    check: async ({ until, folder }) => {
      const watched = join(folder, "watched");
      mkdirSync(watched);
      const names = new Set<string>();
      using _ = watchDirectory(watched, (name) => names.add(name));
      // The watch may need a moment to begin.
      await Bun.sleep(200);
      writeFileSync(join(watched, "file"), "x");
      await until(() => names.has("file"), "nothing was reported");
      return [...names].join(", ");
    },
  },
  {
    assumes: "A rename replaces a file at once, and who has the old one open goes on reading it.",
    reliedOn: ["whole-files.ts"],
    check: async ({ folder }) => {
      const [path, other] = [join(folder, "place"), join(folder, "other")];
      writeFileSync(path, "old");
      writeFileSync(other, "new");
      const reader = Bun.file(path).stream().getReader();
      renameSync(other, path);
      const [now, before] = [readFileSync(path, "utf8"), await reader.read()];
      if (now !== "new") fail(`it reads ${now}`);
      return `now "${now}", for the reader "${new TextDecoder().decode(before.value)}"`;
    },
  },
  {
    assumes: "Writing, a new date, and a move give a file or folder a later time of its last change.",
    reliedOn: ["fingerprints.ts"],
    check: async ({ folder }) => {
      const path = join(folder, "changing");
      writeFileSync(path, "old");
      const changes: [string, string, () => void][] = [
        ["writing", path, () => writeFileSync(path, "new")],
        ["a date", path, () => utimesSync(path, 1, 1)],
        ["a move", join(folder, "moved"), () => renameSync(path, join(folder, "moved"))],
        [
          "a folder's move",
          join(folder, "there"),
          () => renameSync(join(folder, "here"), join(folder, "there")),
        ],
      ];
      mkdirSync(join(folder, "here"));
      for (const [what, changed, change] of changes) {
        const before = Math.max(statSync(folder).ctimeMs, Date.now() - 5);
        // Longer than a tick of the file system's clock.
        await Bun.sleep(50);
        change();
        const at = statSync(changed).ctimeMs;
        if (at <= before) fail(`${what}: ${at} after ${before}`);
      }
      return `${changes.length} changes seen`;
    },
  },
  {
    assumes: "Private files keep the mode that they were made with.",
    reliedOn: ["private-files.ts", "files.ts"],
    check: ({ folder }) => {
      const path = join(folder, "private");
      writeFileSync(path, "x", { mode: 0o600 });
      const mode = statSync(path).mode & 0o777;
      if (mode !== 0o600) fail(mode.toString(8));
      return mode.toString(8);
    },
  },
  {
    assumes:
      "A commit of another process changes SQLite's `data_version` for us, and its lock ends with it, even if it is killed.",
    reliedOn: ["src/store/store.ts"],
    check: async ({ folder }) => {
      const path = join(folder, "store.sqlite");
      using database = new Database(path);
      database.run("PRAGMA journal_mode = WAL");
      database.run("PRAGMA busy_timeout = 5000");
      database.run("CREATE TABLE t (a)");
      const version = () => JSON.stringify(database.query("PRAGMA data_version").get());
      const before = version();
      const script = `const { Database } = require("bun:sqlite"); const d = new Database(process.env.PLACE);
        d.run("INSERT INTO t VALUES (1)"); d.run("BEGIN IMMEDIATE"); console.log(1); await Bun.sleep(60_000);`;
      const child = Bun.spawn([process.execPath, "-e", script], {
        env: { ...process.env, PLACE: path },
        stdout: "pipe",
      });
      await child.stdout.getReader().read();
      if (version() === before) fail("the commit is not seen");
      child.kill("SIGKILL");
      await child.exited;
      database.run("INSERT INTO t VALUES (2)");
      return `${before} became ${version()}`;
    },
  },
  {
    assumes: "The temporary folder is a link, so paths are compared only after links are resolved.",
    reliedOn: ["paths.ts"],
    onlyOnMac: true,
    check: () => {
      const real = realpathSync("/tmp");
      if (real !== "/private/tmp") fail(real);
      return real;
    },
  },
  {
    assumes:
      "Applications keep a user's files in `~/Library/Application Support`, and an administrator's in `/Library/Application Support`.",
    reliedOn: ["paths.ts", "src/operations/clients/client-files.ts", "src/claude/own-looks.ts"],
    onlyOnMac: true,
    check: () => {
      const places = [homedir(), "/"].map((base) => join(base, "Library", "Application Support"));
      const lacking = places.filter((path) => !existsSync(path) || !statSync(path).isDirectory());
      if (lacking.length > 0) fail(`not there: ${lacking.join(", ")}`);
      return "both there";
    },
  },
  {
    assumes: "Names that differ in case alone may be one file, so we never use both.",
    reliedOn: ["files.ts"],
    check: ({ folder }) => {
      writeFileSync(join(folder, "case-a"), "x");
      return existsSync(join(folder, "CASE-A")) ? "one file here" : "two files here";
    },
  },
  {
    assumes: "`uname -sm` calls this system what we call it when a machine is added.",
    reliedOn: ["src/far/add-host.ts"],
    check: () => {
      const said = Bun.spawnSync(["uname", "-sm"]).stdout.toString().trim();
      if (said !== ownSystem()) fail(`${said} instead of ${ownSystem()}`);
      return said;
    },
  },
  {
    assumes:
      "`launchctl` takes agents for the session of the user, and `plutil` finds no fault in one that `schedule` writes.",
    reliedOn: ["src/operations/schedule/schedule.ts", "src/operations/schedule/launchd.ts"],
    onlyOnMac: true,
    check: ({ folder }) => {
      const when = "every weekday at 18:00";
      const calendar = calendarOf(when);
      if (!calendar) fail("the times are not understood");
      const user = process.getuid?.() ?? 0;
      const schedule = {
        name: "nightly",
        when,
        calendar,
        command: ["run", 'a & b <c> "d"'],
        program: [process.execPath],
        workingDirectory: folder,
        environment: { PATH: "/usr/bin:/bin" },
        log: join(folder, "log"),
      };
      const [file] = launchdPlan(schedule, { folder, user })?.files ?? [];
      if (!file) fail("there is no agent for these times");
      writeFileSync(file.path, file.text);
      outputOf("plutil", "-lint", file.path);
      outputOf("launchctl", "print", `gui/${user}`);
      return `gui/${user}`;
    },
  },
  {
    assumes: "`open` and `osascript` are where we start them.",
    reliedOn: ["desktop.ts"],
    onlyOnMac: true,
    check: () => {
      const lacking = ["/usr/bin/open", "/usr/bin/osascript"].filter((path) => !existsSync(path));
      if (lacking.length > 0) fail(`not there: ${lacking.join(", ")}`);
      return "both there";
    },
  },
];

/** The variable that the probe marks processes with. */
export const variable = "PARALLEL_CLAUDE_PROBE";

/** How long a call takes, on average of what fits into a tenth of a second. */
function microsecondsOf(call: () => unknown): number {
  const began = Bun.nanoseconds();
  let count = 0;
  for (; count < 10_000 && Bun.nanoseconds() - began < 1e8; count++) call();
  return (Bun.nanoseconds() - began) / count / 1_000;
}
