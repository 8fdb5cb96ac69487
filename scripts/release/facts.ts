// `bun run release:facts`: what each executable below `dist/bin` is, read from its own bytes, and how large. Ends with 1
// when one is not what its target promises. What only the system itself can tell is named as not checked.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fact, factsOf } from "./facts/judge.ts";
import { dist, release } from "./release.ts";
import { suffixOf, type Target, targets } from "./targets.ts";

/** How much larger than an empty program for the same target an executable may be, in bytes. */
const mostOwnBytes = 6_000_000;

const left: Partial<Record<Target["os"], string>> = {
  darwin: "left to the macOS runner: `codesign --verify --strict` after it has signed anew, and a start",
  win32: "left to Windows: a start, and whether SmartScreen asks",
};

const directory = mkdtempSync(join(tmpdir(), "pccm-facts-"));
try {
  let wrong = 0;
  for (const target of targets) {
    const facts = await factsFor(target);
    console.log(`${target.name}\n${facts.map(lineOf).join("")}`);
    wrong += facts.filter((fact) => fact.wrong !== undefined).length;
  }
  console.log(wrong === 0 ? "All facts are as they should be." : `${wrong} facts are wrong.`);
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function factsFor(target: Target): Promise<Fact[]> {
  const path = join(dist, "bin", target.name, release.name + suffixOf(target));
  const file = Bun.file(path);
  if (!(await file.exists()))
    return [{ name: "file", value: "none", wrong: `${path}: run \`bun run release:build\`` }];
  const note = left[target.os];
  return [
    await sizeFact(target, file.size),
    ...factsOf(target, Buffer.from(await file.arrayBuffer())),
    ...(note === undefined ? [] : [{ name: "not checked", value: note }]),
  ];
}

// An empty program, and not the runtime's own file: on Linux, Bun writes out 1.8 MB of zeros in front of whatever it
// embeds, and on Windows and macOS it takes off or adds a signature. None of that is ours to save.
async function sizeFact({ name, compiler }: Target, bytes: number): Promise<Fact> {
  const source = join(directory, "empty.ts");
  const outfile = join(directory, name);
  await Bun.write(source, "");
  const command = [
    process.execPath,
    "build",
    "--compile",
    `--target=${compiler}`,
    source,
    "--outfile",
    outfile,
  ];
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd: directory });
  if (exitCode !== 0) throw new Error(`bun build ended with ${exitCode}:\n${stderr}`);
  const empty = [outfile, `${outfile}.exe`].map((path) => Bun.file(path).size).find((size) => size > 0) ?? 0;
  const own = bytes - empty;
  const megabytes = (count: number) => `${(count / 1e6).toFixed(2)} MB`;
  return {
    name: "size",
    value: `${megabytes(bytes)}, ${megabytes(own)} more than an empty program`,
    ...(own > mostOwnBytes ? { wrong: `at most ${megabytes(mostOwnBytes)} may be ours` } : {}),
  };
}

function lineOf({ name, value, wrong }: Fact): string {
  return `  ${name.padEnd(12)} ${value}${wrong === undefined ? "" : `\n  ${"".padEnd(12)} WRONG: ${wrong}`}\n`;
}
