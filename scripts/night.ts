// A night as an operator has it: a timer's unit runs 2,000 fake tasks with every outcome, with a usage limit in the middle,
// an upgrade of the program while it runs, and a second batch that meets its budget. Next morning, `list`, `show` and
// `spend` say what happened. Prints them, and fails if they do not add up: bun scripts/night.ts [--tasks 2000] [--from FILE]
import { chmodSync, copyFileSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { product } from "../src/model/product.ts";
import { SimulatedApi } from "../test/fixtures/simulated-api.ts";
import { eventually, Home, useProgram } from "../test/harness.ts";

const root = join(import.meta.dir, "..");
const built = join(root, "dist", product.name);
const patienceMs = 900_000;
const costUsd = 0.01;

/** What a task ends with, and how many of a hundred do. */
const outcomes: readonly (readonly [directives: string, ofHundred: number])[] = [
  ["[[api calls=1 text=done]]", 78],
  ["[[max-turns]]", 4],
  ["[[denied tool=Write path=a.txt]]", 4],
  ["[[error status=500]]", 2],
  ["[[api-retry status=529 attempts=1 delay=1]]", 2],
  ["[[refusal]]", 2],
  ["[[prompt-too-long]]", 2],
  ["[[no-result exit=1]]", 2],
  ["[[signal name=SIGSEGV]]", 2],
  ["[[stderr text=oops]][[exit code=3]]", 2],
];

const { tasks: count, from } = optionsIn(process.argv.slice(2));
using api = new SimulatedApi({
  serviceMs: 20,
  usage: { calls: count / 2, forMs: 20_000, fromRefusal: true },
});
await using home = new Home({ PARALLEL_CLAUDE_RETAIN_DAYS: "30", ...api.environment(0.01) });
const executable = join(home.path, "bin", product.name);
mkdirSync(join(home.path, "bin"));
putProgram(from ?? built);
using _program = useProgram([executable]);

const weights = outcomes.flatMap(([directives, ofHundred]) =>
  Array.from({ length: ofHundred }, () => directives),
);
const linesOf = (number: number) =>
  Array.from({ length: number }, (_, index) => {
    const directives = weights[(index * 37) % 100] ?? "";
    return JSON.stringify({ task: `File ${index + 1}. [[cost usd=${costUsd}]]${directives}` });
  }).join("\n");
await Bun.write(join(home.work, "tasks.jsonl"), linesOf(count));
await Bun.write(join(home.work, "few.jsonl"), linesOf(200));

const nightly = await unitOf("nightly", ["run", "-f", "tasks.jsonl", "--retries", "1", "--detach"]);
say(`The unit of ${nightly.name} ended with ${await started(nightly).exited}.`);
{
  using store = await opened();
  const doneOf = () => {
    const counts = store.list()[0]?.counts;
    return counts ? counts.succeeded + counts.failed : 0;
  };
  await eventually(
    () => doneOf() >= count / 4,
    () => `only ${doneOf()} have ended`,
    patienceMs,
  );
  // The upgrade: another file in the place of the program, and a runner that dies at that moment.
  putProgram(built);
  const runner = store.list()[0]?.runner;
  if (!runner) throw new Error("The batch has no runner.");
  process.kill(runner.pid, "SIGKILL");
  say(`Upgraded after ${doneOf()} tasks, and killed the runner.`);
  await eventually(
    () => store.list()[0]?.held !== undefined,
    () => "the usage limit was not met",
    patienceMs,
  );
  say(`Held: ${store.list()[0]?.held?.because}`);
}
{
  using store = home.store();
  await eventually(
    () => store.list()[0]?.endedAt !== undefined,
    () => `it has not ended: ${JSON.stringify(store.list()[0]?.counts)}`,
    patienceMs,
  );
}
const budget = await unitOf("budget", ["run", "-f", "few.jsonl", "--batch-budget-usd", "0.5"]);
say(`The unit of ${budget.name} ended with ${await started(budget).exited}.`);
await home.empty();

say("\n$ list");
say(printed("list"));
say("\n$ show nightly");
const shown = printed("show", "nightly");
say(shown);
say("\n$ show budget");
say(printed("show", "budget"));
say("\n$ spend --by batch");
say(printed("spend", "--by", "batch"));
const spent = z
  .object({ total: z.object({ costUsd: z.number() }) })
  .parse(JSON.parse(printed("spend", "--json"))).total.costUsd;
const billed = await billedByClaude();
say(`\nspend: $${spent.toFixed(2)}. What claude wrote into its conversations: $${billed.toFixed(2)}.`);
if (Math.abs(spent - billed) > 0.005) throw new Error("The sums differ.");

interface Unit {
  name: string;
  words: string[];
  environment: Record<string, string>;
  workingDirectory: string;
  log: string;
}

// As systemd reads it: the test of `schedule` compares that with systemd itself.
async function unitOf(name: string, command: readonly string[]): Promise<Unit> {
  const made = printed(
    ...["schedule", "every night", "--system", "systemd", "--print", "--json", "--name", name, "--"],
    ...command,
    ...["--batch-name", name],
  );
  const { files } = z
    .object({ files: z.array(z.object({ path: z.string(), text: z.string() })) })
    .parse(JSON.parse(made));
  const text = files.find(({ path }) => path.endsWith(".service"))?.text ?? "";
  const values = (key: string) =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);
  const wordsIn = (line: string) =>
    [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) =>
      word.replace(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$", "$"),
    );
  const [workingDirectory = ""] = values("WorkingDirectory");
  return {
    name,
    words: wordsIn(values("ExecStart")[0] ?? ""),
    environment: Object.fromEntries(
      values("Environment")
        .flatMap(wordsIn)
        .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
    ),
    workingDirectory,
    log: home.file(`${name}.log`),
  };
}

// With nothing but what the unit has, and what the fake needs in place of a login.
function started({ words, environment, workingDirectory, log }: Unit) {
  const fake = Object.entries(home.environment).filter(([name]) => name.startsWith("FAKE_CLAUDE_"));
  const output = Bun.file(log);
  return Bun.spawn(words, {
    cwd: workingDirectory,
    env: { ...environment, ...Object.fromEntries(fake) },
    stdin: "ignore",
    stdout: output,
    stderr: output,
  });
}

function printed(...words: string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([executable, ...words], {
    cwd: home.work,
    env: { ...home.environment, COLUMNS: "160" },
  });
  if (exitCode !== 0 && stdout.length === 0) throw new Error(`${words.join(" ")}: ${stderr}`);
  return stdout.toString().trimEnd();
}

async function opened() {
  await eventually(
    () => Bun.file(join(home.state, "store.sqlite")).size > 0 && home.store().list().length > 0,
    () => "no batch has begun",
  );
  return home.store();
}

// At its end, each session writes what its conversation has cost.
async function billedByClaude(): Promise<number> {
  const line = z.object({ type: z.literal("cost-state"), totalCostUSD: z.number() });
  let sum = 0;
  const folder = join(home.path, ".claude", "projects");
  for (const path of new Bun.Glob("**/*.jsonl").scanSync({ cwd: folder, absolute: true })) {
    const costs = (await Bun.file(path).text())
      .split("\n")
      .filter((text) => text.startsWith('{"type":"cost-state"'))
      .map((text) => line.parse(JSON.parse(text)).totalCostUSD);
    sum += costs.at(-1) ?? 0;
  }
  return sum;
}

// In one step, as package managers do: a program that runs keeps the old file.
function putProgram(file: string): void {
  copyFileSync(file, `${executable}.new`);
  chmodSync(`${executable}.new`, 0o755);
  renameSync(`${executable}.new`, executable);
}

function say(text: string): void {
  console.log(text);
}

function optionsIn(words: readonly string[]): { tasks: number; from?: string } {
  const value = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
  const file = value("--from");
  return { tasks: Number(value("--tasks") ?? 2_000), ...(file === undefined ? {} : { from: file }) };
}
