// A fleet as docs/fleet.md sets it up: its commands are typed, its redis.conf is read by a real server on loopback, and its
// config.json is the home's. Only places differ: addresses, ports and directories of this test.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { z } from "zod";
import { type CodeBlock, codeBlocks } from "../../scripts/docs/blocks.ts";
import { freePort } from "../free-port.ts";
import { configurationFolder, eventually, Home } from "../harness.ts";

const document = await Bun.file(join(import.meta.dir, "..", "..", "docs", "fleet.md")).text();
const blocks = codeBlocks(document);

/** The block that shows this file. */
export function fileOf(name: string): string {
  const found = blocks.filter(({ file }) => file === name);
  if (found.length !== 1) throw new Error(`${found.length} blocks show ${name}`);
  return found[0]?.text ?? "";
}

/** The commands under a heading that are no file. */
export function commandsUnder(title: string): CodeBlock[] {
  return blocks.filter(
    ({ heading, language, file }) => heading === title && language === "sh" && file === undefined,
  );
}

const settingsSchema = z.object({ fleets: z.record(z.string(), z.record(z.string(), z.unknown())) });

export class DocumentedFleet implements AsyncDisposable {
  readonly home = new Home();
  readonly port: number;
  readonly folder: string;
  #server: Bun.Subprocess | undefined;

  private constructor(port: number) {
    this.port = port;
    this.folder = this.home.file("fleet");
    mkdirSync(this.folder);
    mkdirSync(this.home.file("blobs"));
    mkdirSync(this.home.file("data"));
  }

  /** One whose server answers. `changed` edits its redis.conf. */
  static async start(changed: (conf: string) => string = (conf) => conf): Promise<DocumentedFleet> {
    const fleet = new DocumentedFleet(freePort());
    for (const name of ["certificates.sh", "password.sh", "key.sh"]) fleet.type(fileOf(name));
    writeFileSync(join(fleet.folder, "redis.conf"), changed(fleet.conf));
    await fleet.startServer();
    fleet.configure({});
    return fleet;
  }

  // As a person types it, in the folder of the fleet.
  type(text: string): void {
    const here = text
      .replaceAll("DNS:redis.example.com", "IP:127.0.0.1")
      .replaceAll("redis.example.com", "127.0.0.1");
    const command = ["sh", "-ec", here];
    const { success, stderr } = Bun.spawnSync(command, { cwd: this.folder, env: this.home.environment });
    if (!success) throw new Error(`${here}\n${stderr}`);
  }

  get conf(): string {
    return fileOf("redis.conf")
      .replace("10.0.0.5", "127.0.0.1")
      .replace("6380", String(this.port))
      .replaceAll("/etc/redis/fleet", this.folder)
      .replace("/var/lib/redis", this.home.file("data"))
      .replace("DIGEST", readFileSync(join(this.folder, "password.sha256"), "utf8").trim());
  }

  get password(): string {
    return readFileSync(join(this.folder, "password"), "utf8").trim();
  }

  /** The configuration of the document, with some settings of the fleet changed. */
  configure(changed: Record<string, unknown>): void {
    const shown = fileOf("config.json")
      .replace("redis.example.com:6380", `127.0.0.1:${this.port}`)
      .replace("/shared/fleet-blobs", this.home.file("blobs"));
    const { fleets } = settingsSchema.parse(JSON.parse(shown));
    const folder = join(this.home.path, configurationFolder, "parallel-claude-code-mcp");
    mkdirSync(folder, { recursive: true });
    const text = JSON.stringify({ fleets: { team: { ...fleets["team"], ...changed } } });
    writeFileSync(join(folder, "config.json"), text);
  }

  /** The policy of the document. */
  get policy(): Record<string, unknown> {
    const { fleets } = settingsSchema.parse(JSON.parse(fileOf("config.json")));
    return z.record(z.string(), z.unknown()).parse(fleets["team"]?.["policy"]);
  }

  /** A connection as the fleet's user, with what is changed of it. */
  connection(changed: Record<string, unknown> = {}): Redis {
    return new Redis({
      host: "127.0.0.1",
      port: this.port,
      username: "fleet",
      password: this.password,
      tls: { ca: readFileSync(join(this.folder, "ca.crt"), "utf8") },
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      ...changed,
    });
  }

  async startServer(): Promise<void> {
    const server = Bun.spawn(["redis-server", join(this.folder, "redis.conf")], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#server = server;
    let said = "";
    const decoder = new TextDecoder();
    void (async () => {
      for await (const chunk of server.stdout) said += decoder.decode(chunk, { stream: true });
    })();
    await eventually(
      () => said.includes("Ready to accept connections") || server.exitCode !== null,
      () => `redis-server said: ${said}`,
    );
    if (server.exitCode !== null) throw new Error(`redis-server ended: ${said}`);
  }

  /** As a power cut ends it. */
  async killServer(): Promise<void> {
    this.#server?.kill("SIGKILL");
    await this.#server?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killServer();
    await this.home[Symbol.asyncDispose]();
  }
}
