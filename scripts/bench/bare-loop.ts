// The least that a program can do to run a child many times: what our runner is compared with. A program of its
// own; its arguments are the child, a directory for the output files, how many, and how many at once.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

const [child = "", directory = "", count = "1", concurrency = "1"] = process.argv.slice(2);
const line = `${JSON.stringify({ type: "user", message: { role: "user", content: "What is 2 + 2?" } })}\n`;
// As many arguments and variables as a session of ours gets.
const command = [
  child,
  "-p",
  "--input-format=stream-json",
  "--output-format=stream-json",
  "--verbose",
  "--strict-mcp-config",
  '--mcp-config={"mcpServers":{}}',
  "--session-id=00000000-0000-4000-8000-000000000001",
  "--model=opus",
  "--allowedTools=Read,Edit,Bash(git log:*)",
];
const marker = "b4k2aaaa/1000/1/00000000-0000-4000-8000-000000000001";
const env = { ...process.env, PWD: directory, PARALLEL_CLAUDE_ATTEMPT: marker };

let next = 0;
await Promise.all(Array.from({ length: Number(concurrency) }, runOneAfterAnother));

async function runOneAfterAnother(): Promise<void> {
  while (next < Number(count)) await run(next++);
}

async function run(number: number): Promise<void> {
  const stdout = openSync(join(directory, `${number}.out`), "ax", 0o600);
  const stderr = openSync(join(directory, `${number}.err`), "ax", 0o600);
  const started = Bun.spawn(command, {
    cwd: directory,
    env,
    stdin: "pipe",
    stdout,
    stderr,
    detached: true,
  });
  closeSync(stdout);
  closeSync(stderr);
  void started.stdin.write(line);
  void started.stdin.end();
  const code = await started.exited;
  if (code !== 0) throw new Error(`child ${number} ended with ${code}`);
}
