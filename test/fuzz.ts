// `bun run test:fuzz [--rounds N] [--seed S]`: garbage on a server's stdin, another lot each round. Ends with 1 at the
// first round that it does not survive, and names the seed that brings it back with `--rounds 1`.
import { parseArgs } from "node:util";
import { garbage, numbersFrom } from "./garbage.ts";
import { Home, program } from "./harness.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" }, seed: { type: "string" } } });
const rounds = Number(values.rounds ?? 20);
const first = Number(values.seed ?? Date.now() % 2 ** 31);
const last = `${JSON.stringify({ jsonrpc: "2.0", id: "alive", method: "tools/list", params: {} })}\n`;

for (let seed = first; seed < first + rounds; seed++) {
  const fault = await faultOf(seed);
  console.log(`seed ${seed}: ${fault ?? "survived"}`);
  if (fault !== undefined) process.exit(1);
}

async function faultOf(seed: number): Promise<string | undefined> {
  await using home = new Home();
  const child = Bun.spawn(program(), {
    cwd: home.work,
    env: home.environment,
    stdin: new Blob([...garbage(numbersFrom(seed), 1_000).map((line) => line.slice()), "\n", last]),
    stdout: "pipe",
    stderr: "ignore",
  });
  const [status, out] = await Promise.all([child.exited, child.stdout.text()]);
  if (status !== 0) return `ended with ${status}`;
  const replies = out
    .split("\n")
    .filter(Boolean)
    .map((line): { id?: unknown; result?: unknown } => JSON.parse(line));
  return replies.some(({ id, result }) => id === "alive" && result !== undefined)
    ? undefined
    : "the request after the garbage was not served";
}
