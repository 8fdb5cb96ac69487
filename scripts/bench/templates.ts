// How long it takes to find files, name their tasks and plan a batch of them, and how large its log is.
//   bun scripts/bench/templates.ts
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newContext } from "../../src/operations/context.ts";
import { planBatch } from "../../src/operations/plan.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "pccm-templates-")));
const program = join(import.meta.dir, "..", "..", "src", "main.ts");
const claude = join(import.meta.dir, "..", "..", "test", "fixtures");
const perFolder = 100;

/** A directory with this many files, some folders deep, and a few rules of `.gitignore`. */
function tree(files: number): string {
  const directory = join(root, String(files));
  for (let folder = 0; folder < files / perFolder; folder++) {
    const path = join(directory, "src", `area-${folder % 20}`, `part-${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < perFolder; file++) writeFileSync(join(path, `file-${file}.ts`), "export {};\n");
  }
  writeFileSync(join(directory, ".gitignore"), "dist/\n*.log\n/coverage\n**/generated/**\n!keep.log\n");
  return directory;
}

const environment = {
  HOME: root,
  PATH: `${claude}:${process.env["PATH"] ?? ""}`,
  PARALLEL_CLAUDE_STATE_DIRECTORY: join(root, "state"),
  PARALLEL_CLAUDE_OUTPUT_DIRECTORY: join(root, "output"),
};

interface Ran {
  ms: number;
  /** Of all its threads. On a busy machine, it says more than the time on the clock. */
  processorMs: number;
  said: string;
}

async function command(directory: string, words: readonly string[]): Promise<Ran> {
  const began = performance.now();
  const child = Bun.spawn([process.execPath, program, "run", "--template", "Review {{file}}", ...words], {
    cwd: directory,
    env: environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const { user = 0n, system = 0n } = child.resourceUsage()?.cpuTime ?? {};
  return {
    ms: performance.now() - began,
    processorMs: Number(user + system) / 1000,
    said: err.split("\n")[0] || `${out.length} characters`,
  };
}

try {
  const [ten, hundred] = [tree(10_000), tree(100_000)];
  const plan = ["--for-each", "src/**/*.ts", "--max-tasks", "10000", "--dry-run", "--json"];
  // The first one asks `claude` for its version, which is remembered.
  await command(ten, plan);
  for (const [what, directory] of [
    ["10,000 files, planned", ten],
    ["100,000 files, refused", hundred],
  ] as const) {
    for (let round = 0; round < 3; round++) {
      const { ms, processorMs, said } = await command(directory, plan);
      console.log(
        `${what}: ${Math.round(ms)} ms, ${Math.round(processorMs)} ms of a processor, the whole command (${said})`,
      );
    }
  }
  Object.assign(process.env, environment);
  process.chdir(ten);
  for (const matrix of [undefined, { model: ["opus"], appendSystemPrompt: ["Be brief. ".repeat(500)] }]) {
    using context = newContext("command-line");
    const began = performance.now();
    const planned = await planBatch(context, "run", {
      template: "Review {{file}}",
      forEach: { glob: "src/**/*.ts" },
      maxTasks: 10_000,
      ...(matrix ? { matrix } : {}),
    });
    const ms = performance.now() - began;
    if (!planned.ok) throw new Error(JSON.stringify(planned.faults));
    const { batch } = planned.value;
    const log = context.store.create(
      { type: "batch-created", batch, account: { hash: "bench", environment: {} } },
      Date.now(),
    );
    const row = context.store.database
      .query<{ bytes: number }, [string]>("SELECT length(body) AS bytes FROM events WHERE batch_id = ?")
      .get(log.batchId);
    console.log(
      `10,000 tasks${matrix ? " of one combination with long options" : ""}: ${Math.round(ms)} ms to plan, ${((row?.bytes ?? 0) / 1e6).toFixed(1)} MB in the log`,
    );
  }
} finally {
  process.chdir(tmpdir());
  rmSync(root, { recursive: true, force: true });
}
