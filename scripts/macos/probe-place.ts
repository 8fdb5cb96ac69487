// What the checks of the probe work with.
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processesOf } from "../../src/platform/processes/of-system.ts";
import type { SystemProcesses } from "../../src/platform/processes/system-processes.ts";
import type { System } from "../../src/platform/system.ts";

/** A folder of its own, and the processes of the system that is probed. */
export class Place implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "try-macos-")));
  readonly system: System;
  readonly processes: SystemProcesses;
  readonly #variable: string;
  readonly #patienceMs: number;

  /** `variable`: the one that the probe marks processes with. `patienceMs`: how long something may take that must happen. */
  constructor(system: System, { variable, patienceMs }: { variable: string; patienceMs: number }) {
    this.system = system;
    this.processes = processesOf(system);
    this.#variable = variable;
    this.#patienceMs = patienceMs;
  }

  /** Waits until it holds, and fails after a while. */
  readonly until = async (holds: () => boolean, otherwise: string): Promise<void> => {
    const deadline = performance.now() + this.#patienceMs;
    while (!holds()) {
      if (performance.now() > deadline) fail(otherwise);
      await Bun.sleep(10);
    }
  };

  /** The processes with this value of the probe's variable. */
  readonly marked = (value: string): number[] => {
    const pids: number[] = [];
    const seen = { marked: (_: string, pid: number) => void pids.push(pid), missed: () => undefined };
    this.processes.eachMarked(this.#variable, new Set([value]), seen);
    return pids;
  };

  /** A program of the system's, which does nothing. */
  readonly sleeping = (options: { detached?: boolean }) =>
    Bun.spawn(["/bin/sleep", "60"], { stdio: ["ignore", "ignore", "ignore"], ...options });

  /** A program that is not the system's, which does nothing. */
  readonly resting = (variables: Record<string, string>) =>
    Bun.spawn([process.execPath, "-e", "await Bun.sleep(60_000)"], {
      stdio: ["ignore", "ignore", "ignore"],
      env: { ...process.env, ...variables },
    });

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Says that an assumption does not hold, and why. */
export function fail(why: string): never {
  throw new Error(why);
}

export function found<Value>(value: Value | undefined, otherwise: string): Value {
  return value ?? fail(otherwise);
}

/** What a program prints, without blanks around it. Throws if it fails. */
export function outputOf(...command: string[]): string {
  const { stdout, stderr, success } = Bun.spawnSync(command, { env: { ...process.env, LC_ALL: "C" } });
  if (!success) fail(`${command.join(" ")}: ${stderr.toString().trim()}`);
  return stdout.toString().trim();
}
