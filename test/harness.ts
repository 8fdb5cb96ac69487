// What tests share: a home of their own, the fake `claude` on PATH, the program as a real process, and a look
// at the process table.
import { Database } from "bun:sqlite";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OlderClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OlderTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { livenessOf } from "../src/platform/process.ts";
import type { ProcessIdentity } from "../src/platform/process-identity.ts";
import { removePath } from "../src/platform/removal.ts";
import { Store } from "../src/store/store.ts";
import { fakeClaudeStart, fakeDirectory, homeVariables } from "./fixtures/run-fake-claude.ts";
import { processesWith } from "./processes-with.ts";

export { fakeClaude, fakeDirectory } from "./fixtures/run-fake-claude.ts";

const root = join(import.meta.dir, "..");

// Compiled in `bun run test`, from its source in `bun test`; some files are about another one.
const executable = process.env["TEST_EXECUTABLE"];
let command: string[] = executable ? [executable] : [process.execPath, join(root, "src/main.ts")];

/** By which a program of a test knows that one, too. */
export const ofProgram: Readonly<Record<string, string>> = executable ? { TEST_EXECUTABLE: executable } : {};

/** Where a home has the configuration of programs. */
export const configurationFolder = process.platform === "win32" ? "AppData/Roaming" : ".config";

/** The program that tests of this file run. */
export function program(): string[] {
  return command;
}

/** Tests of this file run another program, until this is disposed of. */
export function useProgram(other: string[]): Disposable {
  const before = command;
  command = other;
  return {
    [Symbol.dispose]: () => {
      command = before;
    },
  };
}

// What would depend on the machine, unless a test is about that, or all run as users have the program.
const fixed = process.env["TEST_AS_DELIVERED"]
  ? {}
  : { PARALLEL_CLAUDE_CONCURRENCY: "8", PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "0" };

/** A temporary home, which contains everything that the program and the fake touch. */
export class Home implements AsyncDisposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "pccm-test-")));
  readonly work = join(this.path, "work");
  readonly state = join(this.path, "state");
  readonly output = join(this.path, "output");
  /** Comes before each command that is run for it: it may be on another machine. */
  enter: readonly string[] = [];
  readonly #elsewhere: string[] = [];
  #more: Record<string, string>;

  constructor(more: Record<string, string> = {}) {
    this.#more = more;
    mkdirSync(this.work);
  }

  /** A whole environment: of the user who runs the tests, only PATH. */
  get environment(): Record<string, string> {
    return {
      ...homeVariables(this.path),
      PATH: [fakeDirectory, process.env["PATH"] ?? ""].join(delimiter),
      ...fakeClaudeStart,
      FAKE_CLAUDE_LOG: this.startsLog,
      PARALLEL_CLAUDE_STATE_DIRECTORY: this.state,
      PARALLEL_CLAUDE_OUTPUT_DIRECTORY: this.output,
      ...fixed,
      ...this.#more,
    };
  }

  /** Where the fake records its starts. */
  get startsLog(): string {
    return join(this.path, "starts.jsonl");
  }

  /** More variables from here on. */
  set(more: Record<string, string>): void {
    this.#more = { ...this.#more, ...more };
  }

  file(name: string): string {
    return join(this.path, name);
  }

  store(): Store {
    return new Store(this.state);
  }

  /** The home of its user on another machine: what runs there is ours, too. */
  elsewhere(machine: string): string {
    const path = join(this.path, `home-${machine}`);
    mkdirSync(path);
    this.#elsewhere.push(path);
    return path;
  }

  /** The processes that have this home in their environment, whoever their parent is; we not among them. */
  processes(): { pid: number; command: string }[] {
    return [this.path, ...this.#elsewhere].flatMap((path) => processesWith("HOME", path));
  }

  /** Waits until none of them is left; fails, naming them, when some stay. */
  async empty({ but }: { but?: number } = {}): Promise<void> {
    const others = () => this.processes().filter(({ pid }) => pid !== but);
    // A process that is only just becoming a program shows no environment, so one look may miss it.
    let empty = 0;
    await eventually(
      () => {
        empty = others().length === 0 ? empty + 1 : 0;
        return empty >= 3;
      },
      () => `still there: ${JSON.stringify(others())}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    killAllOf(this);
    try {
      removeWhole(this.path);
    } catch (error) {
      // Windows keeps files that are open, in this process too; their prefix or machine is thrown away.
      if (process.platform !== "win32") throw error;
    }
  }
}

// What was just killed may still write. On Windows, Bun's own call tries for ever where a removed file is still open.
function removeWhole(path: string): void {
  if (process.platform === "win32") removePath(path);
  else rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Kills processes by SIGKILL, and waits until they are dead. One that was not there fails the test: pid 0 would be
 * our own process group.
 */
export async function kill(...identities: (ProcessIdentity | undefined)[]): Promise<void> {
  const known = identities.flatMap((identity) => identity ?? []);
  if (known.length < identities.length) throw new Error("A process that was to be killed is not there");
  for (const { pid } of known) process.kill(pid, "SIGKILL");
  await eventually(
    () => known.every((identity) => livenessOf(identity) === "dead"),
    () => "what was killed does not die",
  );
}

/** Kills what still runs of a home. */
export function killAllOf(home: Home): void {
  for (const { pid } of home.processes()) killIfThere(pid);
}

/** Kills a process that was seen a moment ago, and may have ended since. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has gone by itself.
  }
}

/** How long to wait for what must happen, on a slow and busy machine, in milliseconds. */
const patienceMs = 60_000;

/**
 * How long a call waits before it hands its batch over, in seconds, one after another: what is quick has ended in one of
 * them, however busy the machine is.
 */
export const everLongerWaits = [2, 10, 30] as const;

/** Checks a condition repeatedly until it holds, and fails with `why` if it does not. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  why: () => string,
  patience = patienceMs,
): Promise<void> {
  const began = performance.now();
  while (!(await holds())) {
    const sinceMs = performance.now() - began;
    if (sinceMs > patience) throw new Error(`It did not happen: ${why()}`);
    // What takes long need not be seen at once, and a look costs a millisecond or two.
    await Bun.sleep(sinceMs < 1_000 ? 20 : 50);
  }
}

/** A program that ran to its end. */
export async function run(
  home: Home,
  args: string[],
  stdin = "",
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([...home.enter, ...command, ...args], {
    cwd: home.work,
    env: home.environment,
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}

/** A client of either era, connected to a server of its own. */
export interface TestClient extends AsyncDisposable {
  /** The version of the protocol that both sides agreed on. */
  protocol: string | undefined;
  pid: number;
  listTools(): Promise<{ name: string }[]>;
  call(name: string, input: Record<string, unknown>, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface CallOptions {
  /** The SDK's own, in milliseconds. */
  timeout?: number;
  signal?: AbortSignal;
  onprogress?: (progress: {
    progress: number;
    total?: number | undefined;
    message?: string | undefined;
  }) => void;
}

/** What a tool answered. */
export interface Answer {
  isError: boolean;
  text: string;
  /** What is structured in it. Of an error, `{ refused: text }`: a failed expectation of data then prints why there is none. */
  data: Record<string, unknown> | undefined;
}

/** Both kinds of client, by the era that they speak. */
export const clients: { era: string; connect(home: Home): Promise<TestClient> }[] = [
  { era: "2026-07-28 client", connect: (home) => connectNew(home) },
  { era: "2025-11-25 client", connect: (home) => connectOlder(home) },
];

function serverOf(home: Home) {
  const [executable = "", ...args] = [...home.enter, ...command];
  return { command: executable, args, cwd: home.work, env: home.environment, stderr: "ignore" as const };
}

/** A client of 2026-07-28, which the SDK makes only when asked: by default, its client starts as an older one. */
export function newerClient(name = "test"): Client {
  return new Client({ name, version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
}

export async function connectNew(home: Home, name = "test"): Promise<TestClient> {
  const transport = new StdioClientTransport(serverOf(home));
  const client = newerClient(name);
  await client.connect(transport);
  return {
    protocol: client.getNegotiatedProtocolVersion(),
    pid: transport.pid ?? 0,
    listTools: async () => (await client.listTools()).tools,
    call: async (name, input, options = {}) =>
      answerFrom(await client.callTool({ name, arguments: input }, { timeout: 150_000, ...options })),
    close: () => client.close(),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

export async function connectOlder(home: Home, name = "test"): Promise<TestClient> {
  const transport = new OlderTransport(serverOf(home));
  const client = new OlderClient({ name, version: "1" });
  let protocol: string | undefined;
  // This client keeps the version to itself, but tells its transport.
  const setProtocolVersion = (version: string) => {
    protocol = version;
  };
  await client.connect(Object.assign(transport, { setProtocolVersion }));
  return {
    protocol,
    pid: transport.pid ?? 0,
    listTools: async () => (await client.listTools()).tools,
    call: async (name, input, options = {}) =>
      answerFrom(
        await client.callTool({ name, arguments: input }, undefined, { timeout: 150_000, ...options }),
      ),
    close: () => client.close(),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function answerFrom(result: object): Answer {
  const get = (name: string): unknown => Reflect.get(result, name);
  const content: unknown = get("content");
  const [first] = Array.isArray(content) ? content : [];
  const isError = get("isError") === true;
  const text = String(Reflect.get(first ?? {}, "text") ?? "");
  const data = get("structuredContent") as Record<string, unknown> | undefined;
  return { isError, text, data: data ?? (isError ? { refused: text } : undefined) };
}

/** The database of a state directory, by hand. A process of the last batch may still be leaving: it is waited for. */
export function databaseIn(stateDirectory: string, options?: { readonly: true }): Database {
  const database = new Database(join(stateDirectory, "store.sqlite"), options);
  database.run("PRAGMA busy_timeout = 10000");
  return database;
}

/** The files in a directory, sorted. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory).sort();
}
