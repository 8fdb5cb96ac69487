// What goes wrong around the processes of a round while it runs: `claude` is away, descriptors are short, the clock is
// set back, the output directory is moved away, another batch is killed while it waits for slots, or with its container,
// the host is renamed.
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { signalProcess } from "../../src/platform/process.ts";
import { fakeDirectory, type Home, program, run, useProgram } from "../harness.ts";
import { pause } from "./blow.ts";
import type { Random } from "./random.ts";

export const surroundings = [
  "calm",
  "claude away",
  "few descriptors",
  "clock set back",
  "output moved",
  "waiter killed",
  "container killed",
  "host renamed",
  "state removed",
] as const;
export type Surroundings = (typeof surroundings)[number];

/** Debian's `faketime`; where it is not installed, no clock is set. */
const clockLibrary = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
].find((path) => existsSync(path));

/** Whether such a round can be run on this machine. */
export function isPossible(kind: Surroundings): boolean {
  if (kind === "container killed" || kind === "host renamed") return canUnshare();
  return kind !== "clock set back" || clockLibrary !== undefined;
}

function canUnshare(): boolean {
  return Bun.which("unshare") !== null && Bun.spawnSync([...container, "true"]).success;
}

const container = ["unshare", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"];

/** Makes a home ready for a round of this kind, before anything is started in it; until disposed of. */
export function prepare(kind: Surroundings, home: Home): Disposable {
  switch (kind) {
    case "claude away":
      home.set({ PARALLEL_CLAUDE_CLAUDE_PATH: installClaude(home) });
      break;
    case "clock set back":
      writeFileSync(home.file("clock"), "+0");
      home.set({
        LD_PRELOAD: clockLibrary ?? "",
        FAKETIME_TIMESTAMP_FILE: home.file("clock"),
        FAKETIME_NO_CACHE: "1",
        DONT_FAKE_MONOTONIC: "1",
      });
      break;
    case "few descriptors":
      return useProgram(["sh", "-c", 'ulimit -n 80; exec "$@"', "sh", ...program()]);
    default:
  }
  return { [Symbol.dispose]: () => undefined };
}

/** Does it, again and again, until the batch has ended. Gives what was done, in words. */
export async function disturb(
  kind: Surroundings,
  { home, random, over }: { home: Home; random: Random; over: AbortSignal },
): Promise<string[]> {
  const done: string[] = [];
  for (let count = 0; count < 3; count++) {
    await pause(random.between(200, 2_000), over);
    if (over.aborted) return done;
    const forMs = random.between(50, 2_500);
    switch (kind) {
      case "claude away":
        renameSync(home.file("bin/claude"), home.file("bin/away"));
        await pause(forMs, over);
        renameSync(home.file("bin/away"), home.file("bin/claude"));
        done.push(`claude away for ${forMs} ms`);
        break;
      case "clock set back": {
        const seconds = random.weighted([
          [1, 60],
          [1, 3_600],
          [1, 3 * 86_400],
        ]);
        // As a whole: a reader must not see a file that is empty.
        writeFileSync(home.file("clock.new"), `-${seconds * (count + 1)}`);
        renameSync(home.file("clock.new"), home.file("clock"));
        done.push(`clock set back by ${seconds} s`);
        break;
      }
      case "output moved":
        if (existsSync(home.output)) renameSync(home.output, home.file(`moved-${count}`));
        done.push("output directory moved away");
        break;
      case "waiter killed":
        if (await killWaiter(home, count, over)) done.push("another batch killed while it waited for slots");
        break;
      case "container killed":
        if (await killContainer(home, count, over)) done.push("a container killed with another batch");
        break;
      case "host renamed":
        // Like any call, it resumes what has lost its processes.
        await runUnder(
          home,
          ["unshare", "--uts", "sh", "-c", `hostname renamed-${count}; exec "$@"`, "sh"],
          ["list"],
        );
        done.push(`a call after the host was renamed to renamed-${count}`);
        break;
      default:
        return done;
    }
  }
  return done;
}

/** What the program prints that a command starts. */
async function runUnder(home: Home, command: string[], args: string[]): Promise<string> {
  const child = Bun.spawn([...command, ...program(), ...args], {
    cwd: home.work,
    env: home.environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  return child.stdout.text();
}

// A batch of somebody else in a container, which holds slots and is gone at once. After a minute of silence, whoever
// wants to may end it.
async function killContainer(home: Home, count: number, over: AbortSignal): Promise<boolean> {
  const directory = home.file(`other-${count}`);
  const where = ["--output-directory", directory];
  const other = Bun.spawn([...container, ...program(), "run", ...where, "[[hang]]", "[[hang]]"], {
    cwd: home.work,
    env: home.environment,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  using store = home.store();
  const row = () => store.list().find(({ outputDirectory }) => outputDirectory === directory);
  // Kills of the round may hit it first.
  while (!over.aborted && other.exitCode === null && (row()?.counts.running ?? 0) === 0) await pause(5, over);
  const wasRunning = (row()?.counts.running ?? 0) > 0;
  other.kill("SIGKILL");
  await other.exited;
  const batchId = row()?.batchId;
  if (batchId === undefined) return false;
  store.database.run("UPDATE batches SET alive_at = alive_at - 61000 WHERE batch_id = ?", [batchId]);
  store.database.run("UPDATE pool_slots SET claimed_at = claimed_at - 61000 WHERE batch_id = ?", [batchId]);
  // Whoever ends it may be killed as well.
  while (row()?.endedAt === undefined) {
    await run(home, ["cancel", batchId]);
    await run(home, ["wait", batchId]);
  }
  return wasRunning;
}

// A batch of somebody else, that waits for the slots of this one. Nobody but the next call resumes it.
async function killWaiter(home: Home, count: number, over: AbortSignal): Promise<boolean> {
  const where = ["--output-directory", home.file(`other-${count}`)];
  await run(home, ["run", ...where, "--detach", "other one", "other two"]);
  using store = home.store();
  const others = () => store.list().filter(({ outputDirectory }) => outputDirectory === where[1]);
  const waiters = store.database.query<{ batch_id: string }, []>("SELECT batch_id FROM pool_waiters");
  while (!over.aborted) {
    const [row] = others();
    if (!row || row.endedAt !== undefined) return false;
    if (waiters.all().some(({ batch_id }) => batch_id === row.batchId)) {
      const hit = [row.keeper, row.runner].filter((one) => one && signalProcess(one, "SIGKILL"));
      return hit.length > 0;
    }
    await pause(5, over);
  }
  return false;
}

function installClaude(home: Home): string {
  mkdirSync(home.file("bin"));
  const path = home.file("bin/claude");
  writeFileSync(path, `#!/bin/sh\nexec "${fakeDirectory}/claude" "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}
