// A folder that tells what `/proc` and the control groups of a Linux system would.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { System } from "../../src/platform/system.ts";

/** Where version 2 is mounted, as systemd and containers do it. */
export const unifiedMount =
  "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot";

export class FakeSystem implements System, Disposable {
  readonly platform = "linux";
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "pccm-system-")));

  /** `files`: texts by absolute path. */
  constructor(files: Record<string, string>) {
    this.write(files);
  }

  write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), text);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** `/proc/meminfo` as it begins. */
export function memInfo({ total, available }: { total: number; available: number }): string {
  return `MemTotal:       ${total / 1024} kB\nMemFree:          123456 kB\nMemAvailable:   ${available / 1024} kB\nBuffers:            1288 kB\n`;
}

/** Our place in version 2 alone, and the files of each group. */
export function unified(own: string, groups: Record<string, Record<string, string>>): Record<string, string> {
  const files = Object.entries(groups).flatMap(([group, texts]) =>
    Object.entries(texts).map(([name, text]) => [join("/sys/fs/cgroup", group, name), `${text}\n`]),
  );
  return {
    "/proc/self/cgroup": `0::${own}\n`,
    "/proc/self/mountinfo": `22 27 0:21 / /proc rw,relatime - proc proc rw\n${unifiedMount}\n`,
    ...Object.fromEntries(files),
  };
}
