// `bun run release:facts`: what each executable below `dist/bin` is, read from its own bytes, and how large. Ends with 1
// when one is not what its target promises. What only the system itself can tell is named as not checked.
import { binaryOf } from "./binaries.ts";
import { type Fact, factsOf } from "./facts/judge.ts";
import { mostOwnBytes, sizeOfEmptyProgram } from "./facts/size.ts";
import { type Target, targets } from "./targets.ts";

const left: Partial<Record<Target["os"], string>> = {
  darwin: "left to the macOS runner: `codesign --verify --strict` after it has signed anew, and a start",
  win32: "left to Windows: a start, and whether SmartScreen asks",
};

const [unknown] = Bun.argv.slice(2);
if (unknown !== undefined) {
  console.error(`release:facts knows nothing of ${unknown}; it has no options.`);
  process.exit(2);
}

let wrong = 0;
for (const target of targets) {
  const facts = await factsFor(target);
  console.log(`${target.name}\n${facts.map(lineOf).join("")}`);
  wrong += facts.filter((fact) => fact.wrong !== undefined).length;
}
console.log(wrong === 0 ? "All facts are as they should be." : `Wrong facts: ${wrong}.`);
process.exitCode = wrong === 0 ? 0 : 1;

async function factsFor(target: Target): Promise<Fact[]> {
  const path = binaryOf(target);
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

async function sizeFact({ compiler }: Target, bytes: number): Promise<Fact> {
  const own = bytes - (await sizeOfEmptyProgram(compiler));
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
