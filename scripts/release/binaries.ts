// The compiled executables below `dist/bin/`, and what is written down of them, so that nothing else is packed.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { build } from "../build.ts";
import { checksumOf } from "./checksums.ts";
import { dist, release, root } from "./release.ts";
import { suffixOf, type Target, targets } from "./targets.ts";

const record = z.object({
  version: z.string(),
  /** Of Bun, which is the runtime in them. */
  bun: z.string(),
  commit: z.string(),
  /** The SHA-256 of each executable as it was compiled, by the target's name. */
  checksums: z.record(z.string(), z.string()),
});
const directory = join(dist, "bin");
const recordFile = join(directory, "compiled.json");

/** Where the executable of a target is. */
export const binaryOf = (target: Target): string =>
  join(directory, target.name, `${release.name}${suffixOf(target)}`);

/** Compiles the executable of every target, and writes down from what. */
export async function compileAll(): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const sums = new Map<Target, string>();
  await twoAtATime(targets, async (target) => {
    await build(binaryOf(target), target.compiler);
    sums.set(target, checksumOf(await Bun.file(binaryOf(target)).bytes()));
    console.log(`${target.name}: ${(Bun.file(binaryOf(target)).size / 1e6).toFixed(1)} MB`);
  });
  // In the table's order, for which of two is ready first differs from build to build.
  const checksums = Object.fromEntries(targets.map((target) => [target.name, sums.get(target)]));
  const written = { version: release.version, bun: Bun.version, commit: commitHere(), checksums };
  await Bun.write(recordFile, `${JSON.stringify(written, null, 2)}\n`);
}

/** What is wrong with the executables; nothing where they may be packed. */
export async function faultsOfBinaries(): Promise<string[]> {
  const text = Bun.file(recordFile);
  if (!(await text.exists()))
    return ["dist/bin holds no executables that `release:build --binaries` compiled: run that first"];
  const { version, bun, commit, checksums } = record.parse(await text.json());
  if (version !== release.version || commit !== commitHere()) {
    return [
      `dist/bin holds ${version} of commit ${commit}, and this is ${release.version} of ${commitHere()}: compile again with \`release:build --binaries\``,
    ];
  }
  // The bill of materials names the Bun that packs.
  if (bun !== Bun.version)
    return [
      `dist/bin was compiled by Bun ${bun}, and this is ${Bun.version}: use the same one for both stages`,
    ];
  const faults: string[] = [];
  // One after the other, for each is a hundred megabytes.
  for (const target of targets) {
    const fault = await faultOf(target, checksums[target.name]);
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

async function faultOf(target: Target, compiled: string | undefined): Promise<string | undefined> {
  const file = Bun.file(binaryOf(target));
  if (compiled === undefined || !(await file.exists()))
    return `dist/bin has no executable for ${target.name}`;
  // A signature is part of the file, so those for macOS are others after signing.
  if (target.os === "darwin" || checksumOf(await file.bytes()) === compiled) return undefined;
  return `the executable for ${target.name} is not the one that was compiled: only those for macOS are changed, by signing`;
}

/** Two at a time, for compiling and deflating take a processor each. */
export async function twoAtATime<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const carry = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all([carry(), carry()]);
}

// Of a tree without git, such as an unpacked archive of the sources, nobody can tell.
function commitHere(): string {
  const { stdout, exitCode } = Bun.spawnSync(["git", "rev-parse", "HEAD"], { cwd: root, stderr: "ignore" });
  return exitCode === 0 ? stdout.toString().trim() : "unknown";
}
