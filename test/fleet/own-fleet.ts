// A fleet of a test's own: a Redis, a configuration that names it, and workers as processes, each with its own store.
import { chmodSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { configurationFolder, eventually, Home, program } from "../harness.ts";
import { OwnRedis } from "../own-redis.ts";
import { loopback } from "../place.ts";

/** The lease of tests, in milliseconds: everything else is in proportion. */
export const leaseMs = 3_000;

export class OwnFleet implements AsyncDisposable {
  readonly home: Home;
  readonly redis: OwnRedis;
  readonly #workers: OwnWorker[] = [];
  #policy: object = {};

  private constructor(home: Home, redis: OwnRedis) {
    this.home = home;
    this.redis = redis;
  }

  /** `redis`: one that is started later. `policy`: what workers allow beside the working directory. */
  static async create({
    redis,
    policy = {},
    lease = leaseMs,
  }: {
    redis?: OwnRedis;
    policy?: object;
    lease?: number;
  } = {}): Promise<OwnFleet> {
    const server = redis ?? (await OwnRedis.start());
    const home = new Home({
      FLEET_LEASE_MS: String(lease),
      PARALLEL_CLAUDE_NOTIFICATIONS: "false",
    });
    const fleet = new OwnFleet(home, server);
    await secret(home.file("fleet.key"), "0123456789abcdef0123456789abcdef0123456789a");
    await secret(home.file("redis.password"), server.password);
    mkdirSync(home.file("blobs"));
    fleet.#policy = policy;
    await fleet.configure();
    return fleet;
  }

  /** Writes the configuration, for what starts from now on. */
  async configure(changed: object = {}): Promise<void> {
    await Bun.write(
      join(this.home.path, configurationFolder, "parallel-claude-code-mcp", "config.json"),
      JSON.stringify({ fleets: { team: { ...this.settings(this.#policy), ...changed } } }),
    );
  }

  /** A file with a secret: its path. */
  async secret(name: string, text: string): Promise<string> {
    await secret(this.home.file(name), text);
    return this.home.file(name);
  }

  settings(policy: object = {}): object {
    const { home, redis } = this;
    return {
      url: redis.plainUrl,
      passwordFile: home.file("redis.password"),
      keyFile: home.file("fleet.key"),
      blobs: home.file("blobs"),
      shared: [home.work],
      policy: { directories: [home.work], ...policy },
    };
  }

  /** A worker that takes jobs. */
  async worker(
    name: string,
    { slots = 2, more = [] as string[], isAwaited = true, environment = {}, place = loopback } = {},
  ): Promise<OwnWorker> {
    const flags = ["--slots", String(slots), ...more];
    const worker = new OwnWorker(this.home, name, flags, environment, place);
    this.#workers.push(worker);
    if (isAwaited) await worker.says("takes up to");
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker.kill();
    await this.home[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}

/** A worker, as a process. */
export class OwnWorker {
  readonly name: string;
  readonly state: string;
  /** Resolves when it will say nothing more. */
  readonly hasEnded: Promise<void>;
  readonly #child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  #said = "";

  constructor(
    home: Home,
    name: string,
    flags: readonly string[],
    environment: object = {},
    { enter } = loopback,
  ) {
    this.name = name;
    this.state = home.file(`state-${name}`);
    const command = [...enter, ...program(), "worker", "--fleet", "team", "--name", name, ...flags];
    this.#child = Bun.spawn(command, {
      cwd: home.work,
      env: {
        ...home.environment,
        PARALLEL_CLAUDE_STATE_DIRECTORY: this.state,
        WORKER_NAME: name,
        ...environment,
      },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    this.hasEnded = this.#listen();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has said. */
  get said(): string {
    return this.#said;
  }

  get exited(): Promise<number> {
    return this.#child.exited;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) this.#said += decoder.decode(chunk, { stream: true });
  }

  /** Resolves when it has said this. */
  async says(text: string): Promise<void> {
    await eventually(
      () => this.#said.includes(text) || this.#child.exitCode !== null,
      () => `${this.name} said: ${this.#said}`,
    );
    if (!this.#said.includes(text)) throw new Error(`${this.name} has ended: ${this.#said}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

async function secret(path: string, text: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await Bun.write(path, `${text}\n`);
  chmodSync(path, 0o600);
}
