// A control group of version 2 with a limit of memory, for what is to be tried in it.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Skipped } from "./row.ts";

const mount = "/sys/fs/cgroup";

export class ControlGroup implements AsyncDisposable {
  readonly folder: string;

  /** Throws `Skipped` where none can be made. */
  constructor(limitBytes: number) {
    const controllers = textOf(join(mount, "cgroup.controllers")).split(/\s+/);
    if (!controllers.includes("memory"))
      throw new Skipped(`no control groups of version 2 that limit memory are mounted at ${mount}`);
    this.folder = join(mount, `pccm-bench-${process.pid}`);
    try {
      writeFileSync(join(mount, "cgroup.subtree_control"), "+memory");
      mkdirSync(this.folder);
      writeFileSync(join(this.folder, "memory.max"), String(limitBytes));
    } catch (error) {
      if (existsSync(this.folder)) rmdirSync(this.folder);
      const reason = error instanceof Error ? error.message : String(error);
      throw new Skipped(`a control group cannot be made: ${reason}`);
    }
    // With swap the limit could be passed unseen.
    const swap = join(this.folder, "memory.swap.max");
    if (existsSync(swap)) writeFileSync(swap, "0");
  }

  /** The command, to be run within the group with all that it starts. */
  within(command: string[]): string[] {
    return ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', this.folder, ...command];
  }

  /** Most bytes that the group has held at once, pages of files included; nothing with a kernel before 5.19. */
  get peakBytes(): number | undefined {
    const text = textOf(join(this.folder, "memory.peak")).trim();
    return text === "" ? undefined : Number(text);
  }

  /** Ends what is still in the group, and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (textOf(join(this.folder, "cgroup.procs")) !== "")
      writeFileSync(join(this.folder, "cgroup.kill"), "1");
    while (textOf(join(this.folder, "cgroup.procs")) !== "") await Bun.sleep(20);
    rmdirSync(this.folder);
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
