// The archive for Linux on arm64, on another processor: qemu imitates its own for one process.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../../command.ts";
import { archiveOf, dist, names } from "../release.ts";
import { targets } from "../targets.ts";
import type { Channel } from "./channel.ts";
import { here } from "./here.ts";

// Where Debian puts the libraries of arm64 on other machines.
const libraries = "/usr/aarch64-linux-gnu";

/** The target that may be imitated. */
export const imitatedTarget = targets.find(({ name }) => name === "linux-arm64");

/** Its archive, as far as one process goes: a batch is run by others. */
export const imitated: Channel = {
  name: "archive for linux-arm64, by qemu",
  async install(folder) {
    if (!imitatedTarget || here?.os !== "linux" || here.cpu === imitatedTarget.cpu)
      return { notChecked: "this machine has nothing to imitate" };
    const qemu = Bun.which("qemu-aarch64");
    if (!qemu || !existsSync(libraries))
      return {
        notChecked: "there is no qemu; Debian has it in qemu-user, libc6-arm64-cross, libstdc++6-arm64-cross",
      };
    const unpacked = join(folder, "unpacked");
    mkdirSync(unpacked);
    await outputOf(["tar", "-xzf", join(dist, archiveOf(imitatedTarget))], { cwd: unpacked });
    return {
      commands: names.map((name) => [qemu, "-L", libraries, join(unpacked, name)]),
      withoutBatch: true,
    };
  },
};
