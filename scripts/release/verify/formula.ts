// The Homebrew formula: by brew where there is one, and by a stand-in for it, in Ruby, where there is not.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../../command.ts";
import { archiveOf, dist, names, release, root } from "../release.ts";
import type { Channel } from "./channel.ts";
import { here } from "./here.ts";

/** The formula, installed, tested and removed by Homebrew itself. */
export const brewedFormula: Channel = {
  name: "Homebrew formula, by brew",
  async install() {
    if (!Bun.which("brew")) return { notChecked: "there is no brew" };
    // Not in the empty folder: brew has one place for everything.
    await outputOf(["sh", join(root, ".github/scripts/try-homebrew.sh")], { cwd: root });
    return { commands: [], seen: "its own test passed" };
  },
};

/** The formula, installed and tested by what stands for Homebrew. */
export const formula: Channel = {
  name: "Homebrew formula, by a stand-in",
  async install(folder) {
    const ruby = Bun.which("ruby");
    if (!ruby) return { notChecked: "there is no ruby; Debian has it as the package ruby" };
    if (!here || here.os === "win32" || here.libc === "musl")
      return { notChecked: "Homebrew has nothing for this system" };
    const file = join(dist, "homebrew", `${release.name}.rb`);
    await outputOf([ruby, "-wc", file], { cwd: folder });
    const unpacked = join(folder, "unpacked");
    mkdirSync(unpacked);
    await outputOf(["tar", "-xzf", join(dist, archiveOf(here))], { cwd: unpacked });
    const prefix = join(folder, "prefix");
    const system = here.os === "darwin" ? "macos" : "linux";
    const processor = here.cpu === "arm64" ? "arm" : "intel";
    const standIn = join(root, "test/packaging/homebrew.rb");
    await outputOf([ruby, standIn, file, system, processor, prefix], { cwd: unpacked });
    return { commands: names.map((name) => [join(prefix, "bin", name)]), seen: "its own test passed" };
  },
};
