// Shows the program at work: installs what is needed, compiles the executable, and runs a batch of three
// sessions through its MCP door. With the user's own `claude` when there is one that works, else with the
// bundled demonstration. Only Bun is assumed: packages are imported after the installation.
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const place = join(root, "dist", "demo");

const tasks = [
  "In two sentences: what does src/engine/scheduler/slots.ts do?",
  "In two sentences: what does src/claude/outcome.ts decide, and from what?",
  "Name three things that README.md promises.",
];

/** A way to run the batch: which `claude`, and what is said about it. */
interface Cast {
  name: string;
  environment: Record<string, string>;
}

await step("Installing packages", [process.execPath, "install", "--frozen-lockfile"]);
await step("Compiling dist/parallel-claude-code-mcp", [process.execPath, "run", "build"]);

const { executable } = await import("./build.ts");
const own: Cast = { name: "your own claude, which costs a few cents", environment: {} };
const bundled: Cast = {
  name: "the bundled demonstration claude, which asks no model",
  environment: {
    PARALLEL_CLAUDE_CLAUDE_PATH: join(root, "test", "fixtures", "claude"),
    FAKE_CLAUDE_BUN: process.execPath,
    FAKE_CLAUDE_DEMO: "1",
  },
};

const trouble = await troubleWithOwnClaude();
if (trouble === undefined) {
  if (!(await perform(own))) {
    console.log("\nYour claude could not do it (see above). The same with the demonstration:");
    await perform(bundled);
  }
} else {
  console.log(`\nNo claude that works was found here: ${trouble}`);
  console.log("So this shows the bundled demonstration claude. To get the real one:");
  console.log("  npm install -g @anthropic-ai/claude-code    then run `claude` once and log in");
  if (!(await perform(bundled))) process.exit(1);
}

async function step(what: string, command: string[]): Promise<void> {
  console.log(`== ${what}`);
  const child = Bun.spawn(command, { cwd: root, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [code, errors] = await Promise.all([child.exited, child.stderr.text()]);
  if (code === 0) return;
  console.error(errors);
  console.error(`${what} ended with ${code}.`);
  process.exit(1);
}

// The same look that a user takes with `doctor`, along the path that a session goes.
async function troubleWithOwnClaude(): Promise<string | undefined> {
  const child = Bun.spawn([executable, "doctor", "--json"], {
    cwd: root,
    env: environmentOf(own),
    stdout: "pipe",
    stderr: "ignore",
  });
  const { z } = await import("zod");
  const report = z
    .object({
      ok: z.boolean(),
      findings: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    })
    .safeParse(JSON.parse((await child.stdout.text()) || "{}"));
  if (!report.success) return "the look at it failed";
  if (report.data.ok) return undefined;
  return report.data.findings.find(({ ok }) => !ok)?.detail;
}

function environmentOf({ environment }: Cast): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    ...Object.fromEntries(inherited),
    PARALLEL_CLAUDE_STATE_DIRECTORY: join(place, "state"),
    PARALLEL_CLAUDE_OUTPUT_DIRECTORY: join(place, "results"),
    PARALLEL_CLAUDE_WORKING_DIRECTORY: root,
    PARALLEL_CLAUDE_ALLOWED_ROOTS: root,
    ...environment,
  };
}

// True when all three have succeeded.
async function perform(cast: Cast): Promise<boolean> {
  const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
  const { z } = await import("zod");
  const { newerClient } = await import("../test/harness.ts");
  const { batchAnswerSchema } = await import("../src/report/answer.ts");
  console.log(`\n== Three sessions at once with ${cast.name}`);
  const client = newerClient("demo");
  const transport = new StdioClientTransport({
    command: executable,
    args: [],
    cwd: root,
    env: environmentOf(cast),
  });
  await client.connect(transport);
  const { tools } = await client.listTools();
  console.log(`An MCP client is connected; its tools are ${tools.map(({ name }) => name).join(", ")}.`);
  const call = {
    name: "spawn_parallel_claude_sessions",
    arguments: { tasks, allowedTools: "Read", asyncMode: true },
  };
  const started = batchAnswerSchema.parse((await client.callTool(call)).structuredContent);
  console.log(started.message);
  const wait = { name: "wait_for_batch", arguments: { batchId: started.batchId } };
  const onprogress = ({ message }: { message?: string | undefined }) => console.log(`  ${message}`);
  // A call waits no longer than its client allows; a batch may take longer.
  while (true) {
    const waited = await client.callTool(wait, { onprogress });
    if (z.object({ state: z.string() }).parse(waited.structuredContent).state !== "running") break;
  }
  await client.close();
  const summary = await Bun.file(join(started.outputDirectory, `summary-${started.batchId}.json`)).json();
  const { results, reportFile } = batchAnswerSchema.parse(summary);
  for (const { taskIndex, taskDescription, result, error, advice } of results) {
    console.log(`\n-- Task ${taskIndex}: ${taskDescription}`);
    console.log(result ?? `${error} ${advice ?? ""}`);
  }
  const succeeded = results.filter(({ status }) => status === "success").length;
  console.log(`\n${succeeded} of ${results.length} succeeded. The pages: ${reportFile}`);
  console.log(`\nNext, in your own client:  ${executable} install --client claude-code`);
  console.log(`or in this terminal:       ${executable} run "Explain README.md" --allowed-tools Read`);
  return succeeded === results.length && succeeded > 0;
}
