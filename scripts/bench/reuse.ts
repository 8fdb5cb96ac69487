// Answers that are used again, with the fake `claude`, which really reads files: `bun scripts/bench/reuse.ts [files [rounds]]`.
// First, as many tasks as files, twice, with ten files changed in between: exactly ten sessions start, and the others are
// answered at once. Then random edits between batches: no answer may differ from what a session would read now.
import { Database } from "bun:sqlite";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  digestOf,
  globbed,
  grepped,
  instructionsIn,
  readIn,
} from "../../test/fixtures/fake-claude/behaviours/looks.ts";
import { Home, run } from "../../test/harness.ts";

const [files = 1_000, rounds = 100] = process.argv.slice(2).map(Number);
const editsPerRound = 10;
const touched = 10;

const answerSchema = z.object({
  batchId: z.string(),
  executionTimeMs: z.number(),
  message: z.string(),
  results: z.array(z.object({ outcome: z.string(), result: z.string().optional() })),
});
type Answer = z.infer<typeof answerSchema>;

/** A task, and what its session would read now. */
interface Task {
  prompt: string;
  seesNow(): string[];
}

await manyFiles();
await randomEdits();

async function manyFiles(): Promise<void> {
  await using home = new Home();
  const path = (index: number) => join(home.work, "src", `file-${index}.ts`);
  const tasks = Array.from({ length: files }, (_, index): Task => readTask(path(index), home.work));
  mkdirSync(join(home.work, "src"));
  for (let index = 0; index < files; index++) writeFileSync(path(index), `export const n = ${index};\n`);
  await ask(home, tasks);
  const before = starts(home);
  for (let index = 0; index < touched; index++)
    writeFileSync(path(Math.floor((index * files) / touched)), `changed ${index}\n`);
  const again = await ask(home, tasks);
  const reused = again.results.filter(({ outcome }) => outcome === "reused").length;
  const stale = staleOf(again, tasks).length;
  console.log(`${files} tasks over ${files} files, ${touched} changed: ${again.message}`);
  console.log(
    `  sessions of the first run ${before}, of the second ${starts(home) - before}; stale answers ${stale}`,
  );
  console.log(`  ${reused} answered ${lookUpMs(home, again.batchId)} ms after the batch was created`);
  if (starts(home) - before !== touched || reused !== files - touched || stale > 0) process.exitCode = 1;
}

async function randomEdits(): Promise<void> {
  await using home = new Home();
  const project = new Project(home.work);
  let stale = 0;
  let answers = 0;
  let reused = 0;
  for (let round = 0; round < rounds; round++) {
    for (let edit = 0; edit < editsPerRound; edit++) project.edit();
    const answer = await ask(home, project.tasks);
    const wrong = staleOf(answer, project.tasks);
    for (const index of wrong) console.log(`  stale in round ${round}: ${project.tasks[index]?.prompt}`);
    stale += wrong.length;
    answers += answer.results.length;
    reused += answer.results.filter(({ outcome }) => outcome === "reused").length;
  }
  console.log(
    `${rounds * editsPerRound} random edits: ${stale} stale of ${answers} answers, ${reused} of them reused`,
  );
  if (stale > 0) process.exitCode = 1;
}

/** A directory that somebody works in, at random but always in the same way. */
class Project {
  readonly tasks: Task[];
  readonly #root: string;
  readonly #names = ["a.ts", "b.ts", "lib/c.ts", "lib/d.ts", "lib/deep/e.ts", "f.md"];
  #seed = 20_261_129;
  #count = 0;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(join(root, "lib", "deep"), { recursive: true });
    for (const name of this.#names) writeFileSync(join(root, name), `x ${name}\n`);
    writeFileSync(join(root, "CLAUDE.md"), "instructions\n");
    const lib = join(root, "lib");
    this.tasks = [
      ...this.#names.map((name) => readTask(join(root, name), root)),
      searchTask(lib, "x", ""),
      searchTask(lib, "x", "*.ts"),
      searchTask(root, "y", ""),
      globTask(root, "**/*.ts"),
      globTask(lib, "**/*.md"),
      readTask(join(root, "linked.ts"), root),
    ];
  }

  /** Changes something. */
  edit(): void {
    const path = join(this.#root, this.#one(this.#names));
    const kinds: (() => void)[] = [
      () => this.#write(path, `x y ${++this.#count}\n`),
      () => this.#write(path, "x back\n"),
      () => rmSync(path, { force: true }),
      () => existsSync(path) && renameSync(path, join(this.#root, this.#one(this.#names))),
      () => existsSync(path) && chmodSync(path, this.#one([0o600, 0o644, 0o400])),
      () => existsSync(path) && utimesSync(path, this.#random(1_000_000), this.#random(1_000_000)),
      () => this.#sameSizeAndTime(path),
      () =>
        this.#write(join(this.#root, "lib", `new-${this.#random(5)}.${this.#one(["ts", "md"])}`), "x new\n"),
      () => this.#write(join(this.#root, "CLAUDE.md"), `instructions ${this.#random(3)}\n`),
      () => this.#link(path),
      () => this.#moveFolder(),
    ];
    this.#one(kinds)();
  }

  #write(path: string, text: string): void {
    mkdirSync(join(path, ".."), { recursive: true });
    if (existsSync(path)) chmodSync(path, 0o644);
    writeFileSync(path, text);
  }

  #sameSizeAndTime(path: string): void {
    if (!existsSync(path)) return;
    const { atime, mtime, size } = statSync(path);
    this.#write(path, String(this.#random(10)).repeat(size));
    utimesSync(path, atime, mtime);
  }

  #link(target: string): void {
    rmSync(join(this.#root, "linked.ts"), { force: true });
    symlinkSync(target, join(this.#root, "linked.ts"));
  }

  // Another folder of the same name, whose files are older than the change.
  #moveFolder(): void {
    const [lib, aside] = [join(this.#root, "lib"), join(this.#root, "aside")];
    if (!existsSync(aside)) {
      mkdirSync(join(aside, "deep"), { recursive: true });
      for (const name of readdirSync(lib).filter((one) => one.endsWith(".ts")))
        writeFileSync(join(aside, name), "x other folder\n");
      return;
    }
    renameSync(lib, `${lib}-before`);
    renameSync(aside, lib);
    renameSync(`${lib}-before`, aside);
  }

  #one<Item>(items: readonly Item[]): Item {
    const item = items[this.#random(items.length)];
    if (item === undefined) throw new Error("Internal error: nothing to choose from");
    return item;
  }

  // xorshift32
  #random(below: number): number {
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    return (this.#seed >>> 0) % below;
  }
}

function readTask(path: string, directory: string): Task {
  return {
    prompt: `[[read path=${path}]][[instructions]][[digest]]`,
    seesNow: () => [readIn(path), instructionsIn(directory)],
  };
}

function searchTask(path: string, pattern: string, glob: string): Task {
  return {
    prompt: `[[grep pattern=${pattern} path=${path}${glob === "" ? "" : ` glob=${glob}`}]][[digest]]`,
    seesNow: () => [`grep ${grepped(path, pattern, glob)}`],
  };
}

function globTask(path: string, pattern: string): Task {
  return {
    prompt: `[[glob pattern=${pattern} path=${path}]][[digest]]`,
    seesNow: () => [`glob ${globbed(path, pattern).join("\n")}`],
  };
}

// The tasks, by place, whose answer is not what a session would say now.
function staleOf({ results }: Answer, tasks: readonly Task[]): number[] {
  return tasks.flatMap(({ seesNow }, index) =>
    results[index]?.result === digestOf(seesNow()) ? [] : [index],
  );
}

async function ask(home: Home, tasks: readonly Task[]): Promise<Answer> {
  const list = join(home.path, "tasks.json");
  writeFileSync(list, JSON.stringify(tasks.map(({ prompt }) => prompt)));
  const { out, err } = await run(home, ["run", "-f", list, "--reuse", "auto", "--json"]);
  if (out === "") throw new Error(err);
  return answerSchema.parse(JSON.parse(out));
}

function starts(home: Home): number {
  return readFileSync(home.startsLog, "utf8")
    .split("\n")
    .filter((line) => line.includes('"kind":"start"')).length;
}

// From the first event of a batch to the one that ended the reused tasks.
function lookUpMs(home: Home, batchId: string): number {
  using database = new Database(join(home.state, "store.sqlite"), { readonly: true });
  const found = database
    .query<unknown, [string]>(
      "SELECT max(at) - min(at) AS ms FROM events WHERE batch_id = ? AND json_extract(body, '$.type') IN ('batch-created', 'reuse-checked')",
    )
    .get(batchId);
  return z.object({ ms: z.number() }).parse(found).ms;
}
