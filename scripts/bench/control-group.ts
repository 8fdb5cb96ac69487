// A control group with a limit of memory, for what is to be tried in it: of version 2, or of version 1 where memory
// belongs to that.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Skipped } from "./row.ts";

const mount = "/sys/fs/cgroup";

/** Where groups are made, and what their files are called. */
interface Kind {
  parent: string;
  limit: string;
  /** With swap the limit could be passed unseen. */
  swap: { name: string; value: (limitBytes: number) => string };
  peak: string;
  kills: string;
}

const second: Kind = {
  parent: mount,
  limit: "memory.max",
  swap: { name: "memory.swap.max", value: () => "0" },
  peak: "memory.peak",
  kills: "memory.events",
};
const first: Kind = {
  parent: join(mount, "memory"),
  limit: "memory.limit_in_bytes",
  swap: { name: "memory.memsw.limit_in_bytes", value: String },
  peak: "memory.max_usage_in_bytes",
  kills: "memory.oom_control",
};

export class ControlGroup implements AsyncDisposable {
  readonly folder: string;
  readonly #kind: Kind;

  /** Throws `Skipped` where none can be made. */
  constructor(limitBytes: number) {
    const isSecond = textOf(join(mount, "cgroup.controllers")).split(/\s+/).includes("memory");
    this.#kind = isSecond ? second : first;
    const { parent, limit, swap } = this.#kind;
    if (!existsSync(join(parent, "cgroup.procs")))
      throw new Skipped(`no control groups that limit memory are mounted below ${mount}`);
    this.folder = join(parent, `pccm-bench-${process.pid}`);
    try {
      if (isSecond) writeFileSync(join(mount, "cgroup.subtree_control"), "+memory");
      mkdirSync(this.folder);
      writeFileSync(join(this.folder, limit), String(limitBytes));
      const path = join(this.folder, swap.name);
      if (existsSync(path)) writeFileSync(path, swap.value(limitBytes));
    } catch (error) {
      if (existsSync(this.folder)) rmdirSync(this.folder);
      const reason = error instanceof Error ? error.message : String(error);
      throw new Skipped(`a control group cannot be made: ${reason}`);
    }
  }

  /** The command, to be run within the group with all that it starts. */
  within(command: string[]): string[] {
    return ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', this.folder, ...command];
  }

  /** Most bytes that the group has held at once, pages of files included; nothing where it is not counted. */
  get peakBytes(): number | undefined {
    const text = textOf(join(this.folder, this.#kind.peak)).trim();
    return text === "" ? undefined : Number(text);
  }

  /** How often the kernel has killed a process of the group for want of memory. */
  get oomKills(): number {
    return Number(/^oom_kill (\d+)$/m.exec(textOf(join(this.folder, this.#kind.kills)))?.[1] ?? 0);
  }

  /** Ends what is still in the group, and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let left = this.#processes(); left.length > 0; left = this.#processes()) {
      for (const pid of left) killIfThere(pid);
      await Bun.sleep(20);
    }
    rmdirSync(this.folder);
  }

  #processes(): number[] {
    return textOf(join(this.folder, "cgroup.procs")).split("\n").filter(Boolean).map(Number);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not with this kernel, or not mounted.
    return "";
  }
}
