// How soon the released executable answers after its process has started, beside a minimal server in Node.js.
import { loadavg } from "node:os";
import { join } from "node:path";
import { type Line, median, type Row, ratioLine, Skipped } from "./row.ts";
import type { Workshop } from "./workshop.ts";

const pairs = 25;
const most = { listMs: 100, listRatio: 0.5, versionMs: 20 };
/** What a client asks first here. */
const request = `${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })}\n`;

export const start: Row = {
  name: "start",
  async measure(workshop) {
    const node = Bun.which("node");
    if (node === null) throw new Skipped("there is no `node` on the PATH");
    const program = await workshop.program();
    const ours: Listed[] = [];
    const theirs: Listed[] = [];
    const versions: number[] = [];
    const nothings: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      ours.push(await listTools(workshop, [program]));
      theirs.push(await listTools(workshop, [node, join(import.meta.dir, "node-server.mjs")]));
      versions.push(await timeToExit(workshop, [program, "--version"]));
      nothings.push(await timeToExit(workshop, [node, "-p", "1"]));
    }
    const [answer, other] = [ours[0], theirs[0]];
    if (!answer || !other) throw new Error("One of the two servers did not answer");
    const times = (listed: Listed[]) => median(listed.map(({ ms }) => ms));
    const processorTimes = (listed: Listed[]) => median(listed.map(({ processorMs }) => processorMs));
    const size = `${answer.tools} tools; answers of ${answer.characters} and ${other.characters} characters`;
    return [
      besideLine(`process start to the list of tools (${size})`, [times(ours), times(theirs)], {
        ms: most.listMs,
        ratio: most.listRatio,
      }),
      ratioLine("  processor time of it, all threads", [processorTimes(ours), processorTimes(theirs)]),
      besideLine("--version, from start to exit, beside `node -p 1`", [median(versions), median(nothings)], {
        ms: most.versionMs,
      }),
      {
        figure: `load of the machine in the last minute; medians of ${pairs}`,
        value: loadavg()[0]?.toFixed(1) ?? "",
      },
    ];
  },
};

function besideLine(
  figure: string,
  [ours, theirs]: [number, number],
  limit: { ms: number; ratio?: number },
): Line {
  return {
    ...ratioLine(figure, [ours, theirs]),
    target: `≤ ${limit.ms} ms${limit.ratio === undefined ? "" : `, ratio ≤ ${limit.ratio}`}`,
    met: ours <= limit.ms && ours / theirs <= (limit.ratio ?? Number.POSITIVE_INFINITY),
  };
}

interface Listed {
  ms: number;
  processorMs: number;
  tools: number;
  characters: number;
}

/** A server that has been asked for its tools, and its answer. It runs until its input ends. */
export async function answeringServer(
  { directory, environment }: Pick<Workshop, "directory" | "environment">,
  command: string[],
) {
  const server = Bun.spawn(command, {
    cwd: directory,
    env: environment,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  void server.stdin.write(request);
  void server.stdin.flush();
  return { server, line: await firstLine(server.stdout) };
}

/** Starts a server, and takes the time until it has listed its tools. */
export async function listTools({ directory, environment }: Workshop, command: string[]): Promise<Listed> {
  const began = performance.now();
  const { server, line } = await answeringServer({ directory, environment }, command);
  const ms = performance.now() - began;
  void server.stdin.end();
  await server.exited;
  const tools = line.split('"inputSchema":').length - 1;
  if (tools === 0) throw new Error(`${command.join(" ")} answered: ${line.slice(0, 300)}`);
  const processorMs = Number(server.resourceUsage()?.cpuTime.total ?? 0) / 1000;
  return { ms, processorMs, tools, characters: line.length };
}

/** The first line of an output, without waiting for more. */
async function firstLine(output: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of output) {
    text += decoder.decode(piece, { stream: true });
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
  return text;
}

async function timeToExit({ directory, environment }: Workshop, command: string[]): Promise<number> {
  const began = performance.now();
  const child = Bun.spawn(command, { cwd: directory, env: environment, stdin: "ignore", stdout: "ignore" });
  const code = await child.exited;
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
  return performance.now() - began;
}
