// Machines of the test's own, on loopback or in namespaces: an sshd for each, with its own host key, port and state directory, and an ssh that
// knows them by the configuration of a home.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { product } from "../src/model/product.ts";
import { codeOf } from "../src/platform/system-error.ts";
import { sshdPath } from "./facilities.ts";
import { freePort } from "./free-port.ts";
import { eventually, type Home, killIfThere, program } from "./harness.ts";
import { loopback, type Place } from "./place.ts";
import { processesWith } from "./processes-with.ts";

export class OwnSshd implements AsyncDisposable {
  readonly name: string;
  readonly port = freePort();
  readonly #home: Home;
  readonly #environment: Record<string, string>;
  readonly #place: Place;
  #daemon: Bun.Subprocess | undefined;

  private constructor(home: Home, name: string, environment: Record<string, string>, place: Place) {
    this.#home = home;
    this.name = name;
    this.#environment = environment;
    this.#place = place;
  }

  /**
   * Starts a machine that sessions of this home can use: it has been added, and its program is that of the tests. Its sessions
   * have the environment of the home at this moment, and a state directory of their own.
   */
  static async start(
    home: Home,
    name: string,
    more: Record<string, string> = {},
    place = loopback,
  ): Promise<OwnSshd> {
    const own = new OwnSshd(home, name, more, place);
    await own.#prepare();
    await own.up();
    return own;
  }

  /** Where its program keeps what it does. */
  get state(): string {
    return join(this.#folder, "state");
  }

  /** Of its keeper, as far as there is one. */
  get keeper(): number | undefined {
    const path = join(this.state, "far", "keeper");
    if (!existsSync(path)) return undefined;
    const { pid } = JSON.parse(readFileSync(path, "utf8")) as { pid: number };
    return pid;
  }

  /** What its sessions have said, as far as nobody has taken it. */
  transcripts(): string[] {
    const folder = join(this.state, "far");
    try {
      const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
      const own = names.filter((name) => name.endsWith(".ndjson"));
      return own.map((name) => readFileSync(join(folder, name), "utf8"));
    } catch (error) {
      // One of them was removed between the two looks, or there is none yet.
      if (codeOf(error) === "ENOENT") return existsSync(folder) ? this.transcripts() : [];
      throw error;
    }
  }

  /** The processes on it that its connections started. */
  connections(): number[] {
    const own = processesWith("PARALLEL_CLAUDE_STATE_DIRECTORY", this.state);
    return own.flatMap(({ pid, command }) => (/ __far$/.test(command) ? [pid] : []));
  }

  /** Listens again. */
  async up(): Promise<void> {
    const log = Bun.file(this.#file("sshd.log"));
    const command = [...this.#place.enter, sshdPath() ?? "sshd", "-D", "-e", "-f", this.#file("sshd_config")];
    const { HOME: _home, ...environment } = process.env;
    this.#daemon = Bun.spawn(command, { env: environment, stdin: "ignore", stdout: log, stderr: log });
    await eventually(
      () => this.#answers(),
      () => `sshd does not answer: ${readFileSync(this.#file("sshd.log"), "utf8")}`,
    );
  }

  /** Cuts the machine off: nobody can connect, and connections end. What runs on it goes on. */
  async cut(): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon) return;
    // Stopped, it takes no more connections while those that it has are ended.
    daemon.kill("SIGSTOP");
    for (const pid of connectionsOf(daemon.pid)) killIfThere(pid);
    daemon.kill("SIGKILL");
    await daemon.exited;
    this.#daemon = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }

  get #folder(): string {
    return join(this.#home.path, `machine-${this.name}`);
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  async #prepare(): Promise<void> {
    const home = this.#home;
    mkdirSync(this.#folder);
    // As root, sshd wants this place.
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
    await keyAt(this.#file("host_key"));
    const shared = home.file("ssh");
    if (!existsSync(shared)) {
      mkdirSync(shared, { mode: 0o700 });
      await keyAt(join(shared, "id"));
      const ssh = join(shared, "ssh");
      writeFileSync(ssh, `#!/bin/sh\nexec ${Bun.which("ssh")} -F ${join(shared, "config")} "$@"\n`);
      chmodSync(ssh, 0o755);
      home.set({ PATH: [shared, home.environment["PATH"] ?? ""].join(delimiter) });
    }
    const environment: Record<string, string> = {
      ...home.environment,
      PARALLEL_CLAUDE_STATE_DIRECTORY: this.state,
      ...this.#environment,
    };
    const variables = Object.entries(environment).map(([name, value]) => `"${name}=${value}"`);
    const settings = [
      `Port ${this.port}`,
      `ListenAddress ${this.#place.address}`,
      `HostKey ${this.#file("host_key")}`,
      `AuthorizedKeysFile ${join(shared, "id.pub")}`,
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "PermitRootLogin yes",
      "PrintMotd no",
      `SetEnv ${variables.join(" ")}`,
    ];
    writeFileSync(this.#file("sshd_config"), `${settings.join("\n")}\n`);
    this.trust(this.#file("host_key.pub"));
    const host = [
      `Host ${this.name}`,
      `  HostName ${this.#place.address}`,
      `  Port ${this.port}`,
      `  HostKeyAlias ${this.name}`,
      `  IdentityFile ${join(shared, "id")}`,
      "  IdentitiesOnly yes",
      `  UserKnownHostsFile ${join(shared, "known_hosts")}`,
      "  StrictHostKeyChecking yes",
    ];
    appendFileSync(join(shared, "config"), `${host.join("\n")}\n`);
    this.add();
  }

  /** What the home believes to be the key of this machine. */
  trust(publicKey: string): void {
    const [kind, key] = readFileSync(publicKey, "utf8").split(" ");
    appendFileSync(join(this.#home.file("ssh"), "known_hosts"), `${this.name} ${kind} ${key}\n`);
  }

  /** Adds it to those that the home's program knows, without copying anything. */
  add(command: string[] = program()): void {
    const path = join(this.#home.state, "hosts.json");
    mkdirSync(this.#home.state, { recursive: true, mode: 0o700 });
    const before: unknown = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
    const own = { command, version: product.version, system: "test", addedAt: 0 };
    writeFileSync(path, JSON.stringify({ ...Object(before), [this.name]: own }));
  }

  /** Takes it from those that the home's program knows. */
  forget(): void {
    writeFileSync(join(this.#home.state, "hosts.json"), "{}");
  }

  #answers(): boolean {
    const { stdout } = Bun.spawnSync(["ssh-keyscan", "-p", String(this.port), this.#place.address], {
      stderr: "ignore",
    });
    return stdout.length > 0;
  }
}

async function keyAt(path: string): Promise<void> {
  const made = Bun.spawn(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], { stdout: "ignore" });
  if ((await made.exited) !== 0) throw new Error(`no key could be made at ${path}`);
}

// Sshd makes a process for each connection, and one more for its user.
function connectionsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [...connectionsOf(child), child]);
}

function childrenOf(pid: number): number[] {
  const { stdout } = Bun.spawnSync(["pgrep", "-P", String(pid)]);
  const own = stdout.toString().split("\n").filter(Boolean).map(Number);
  return own.filter((child) => /sshd/.test(nameOf(child)));
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8");
  } catch {
    return "";
  }
}
