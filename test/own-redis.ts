// A Redis of a test's own: on loopback or in a namespace, with a password, keeping its data, and killed at the end.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { loopback, type Place } from "./place.ts";

export class OwnRedis implements AsyncDisposable {
  readonly password = "x";
  readonly port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), "pccm-redis-"));
  readonly #arguments: readonly string[];
  readonly #place: Place;
  #server: Bun.Subprocess | undefined;
  #connection: Redis | undefined;

  private constructor(port: number, more: readonly string[], place: Place = loopback) {
    this.port = port;
    this.#arguments = more;
    this.#place = place;
  }

  /** One that answers. `more`: arguments of `redis-server`. */
  static async start(...more: string[]): Promise<OwnRedis> {
    const redis = new OwnRedis(freePort(), more);
    await redis.start();
    return redis;
  }

  /** One that answers, elsewhere. */
  static async startAt(place: Place): Promise<OwnRedis> {
    const redis = new OwnRedis(freePort(), [], place);
    await redis.start();
    return redis;
  }

  /** One that is not started yet. */
  static async stopped(): Promise<OwnRedis> {
    return new OwnRedis(freePort(), []);
  }

  get url(): string {
    return `redis://:${this.password}@${this.#place.address}:${this.port}`;
  }

  /** Without the password. */
  get plainUrl(): string {
    return `redis://${this.#place.address}:${this.port}`;
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  /** Whether its process is there. */
  get isRunning(): boolean {
    return this.#server !== undefined && this.#server.exitCode === null && this.#server.signalCode === null;
  }

  /** For looking, and for what a test writes itself. */
  get connection(): Redis {
    this.#connection ??= quiet(new Redis(this.url, { maxRetriesPerRequest: null }));
    return this.#connection;
  }

  async start(): Promise<void> {
    this.#server = Bun.spawn(
      [
        ...this.#place.enter,
        "redis-server",
        ...["--port", String(this.port), "--bind", this.#place.address, "--dir", this.#directory],
        ...["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--daemonize", "no"],
        ...["--maxmemory-policy", "noeviction", "--requirepass", this.password],
        ...this.#arguments,
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    );
    await this.connection.ping();
  }

  /** As a power cut ends it. */
  async kill(): Promise<void> {
    this.#server?.kill("SIGKILL");
    await this.#server?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.disconnect();
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

// What happens to it is what the test is about.
function quiet(redis: Redis): Redis {
  redis.on("error", () => undefined);
  return redis;
}
