// Runs the real `claude` in streaming-input mode, in a home of its own and without the caller's settings.
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One line of stdout. */
export type Line = { readonly type: string; readonly [field: string]: unknown };

/** A throwaway home directory with a project in it; gone when disposed of. */
export interface RealHome extends AsyncDisposable {
  readonly path: string;
  readonly project: string;
}

/** What is left of a session when it has ended. */
export interface Ended {
  readonly lines: readonly Line[];
  readonly stderr: string;
  readonly exitCode: number;
}

/** A running `claude`; killed when disposed of. */
export interface RealSession extends AsyncDisposable {
  readonly pid: number;
  send(...lines: object[]): void;
  /** The first line that fits and was not given before; throws when the session ends without it. */
  next(fits: (line: Line) => boolean): Promise<Line>;
  /** Closes stdin and waits for the end. */
  end(): Promise<Ended>;
}

export interface RealOptions {
  readonly claude: string;
  readonly home: RealHome;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** The flags of streaming input, and no MCP server. */
export const streamingArguments = [
  "-p",
  "--input-format=stream-json",
  "--output-format=stream-json",
  "--verbose",
  "--strict-mcp-config",
  '--mcp-config={"mcpServers":{}}',
] as const;

export const isResult = ({ type }: Line) => type === "result";
export const isInit = ({ type, subtype }: Line) => type === "system" && subtype === "init";

/** A prompt as a line of stdin. */
export function prompt(content: string): object {
  return { type: "user", message: { role: "user", content } };
}

/** The control request that stops the running turn. */
export function interrupt(): object {
  return { type: "control_request", request_id: "interrupt", request: { subtype: "interrupt" } };
}

export async function realHome(): Promise<RealHome> {
  // The real path, for `claude` reports that one: on macOS the temporary directory is behind a link.
  const path = await realpath(await mkdtemp(join(tmpdir(), "real-claude-")));
  const project = join(path, "project");
  await mkdir(project);
  await mkdir(join(path, "tmp"));
  // A session that was just killed may still be writing.
  const clear = () => rm(path, { recursive: true, force: true, maxRetries: 5 });
  return { path, project, [Symbol.asyncDispose]: clear };
}

const kept = /^(PATH|PATHEXT|SystemRoot|ComSpec|LANG|LC_\w+|SHELL|USER|LOGNAME|USERNAME)$/i;

/** An environment that knows nothing of the caller's Claude Code: no key, no login, no settings, no update. */
export function cleanEnvironment(home: RealHome): Record<string, string> {
  const ours = Object.entries(Bun.env).filter(([name]) => kept.test(name));
  return {
    ...Object.fromEntries(ours.map(([name, value]) => [name, value ?? ""])),
    HOME: home.path,
    USERPROFILE: home.path,
    TMPDIR: join(home.path, "tmp"),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
  };
}

/** Starts `claude` and leaves its stdin open. */
export function startReal({ claude, home, args = [], environment = {} }: RealOptions): RealSession {
  const child = Bun.spawn([claude, ...streamingArguments, ...args], {
    cwd: home.project,
    env: { ...cleanEnvironment(home), ...environment },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const stderr = child.stderr.text();
  const lines: Line[] = [];
  const reading = parsedLines(child.stdout, lines);
  let given = 0;
  return {
    pid: child.pid,
    send(...objects) {
      for (const object of objects) child.stdin.write(`${JSON.stringify(object)}\n`);
      child.stdin.flush();
    },
    async next(fits) {
      for (;;) {
        while (given < lines.length) {
          const line = lines[given++];
          if (line && fits(line)) return line;
        }
        if ((await reading.next()).done) throw new Error(`claude ended without that line: ${await stderr}`);
      }
    },
    async end() {
      await child.stdin.end();
      while (!(await reading.next()).done);
      return { lines, stderr: await stderr, exitCode: await child.exited };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Sends the prompts, each after the result of the one before, closes stdin, and gives what came. */
export async function runReal(options: RealOptions, ...prompts: string[]): Promise<Ended> {
  await using session = startReal(options);
  try {
    for (const text of prompts) {
      // One after the other: a prompt sent early can be taken into the running turn, and then has no result.
      session.send(prompt(text));
      await session.next(isResult);
    }
  } catch {
    // It ended by itself: what it said is the answer.
  }
  return await session.end();
}

/** The last result; throws when there is none. */
export function resultOf({ lines, stderr }: Ended): Line {
  const last = lines.findLast(isResult);
  if (!last) throw new Error(`There is no result; stderr: ${stderr}`);
  return last;
}

/** The announced retries of API calls. */
export function retriesOf({ lines }: Ended): Line[] {
  return lines.filter(({ subtype }) => subtype === "api_retry");
}

/** Waits for the signal. */
export async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve());
  if (!signal.aborted) await promise;
}

async function* parsedLines(stdout: ReadableStream<Uint8Array>, into: Line[]): AsyncGenerator<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stdout) {
    const pieces = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    into.push(...pieces.map((piece) => JSON.parse(piece) as Line));
    yield;
  }
}
