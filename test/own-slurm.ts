// A Slurm of the test's own, on loopback: one controller and one node, with the keys and folders of a home.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { eventually, type Home } from "./harness.ts";

export class OwnSlurm implements AsyncDisposable {
  readonly #home: Home;
  readonly #daemons: Bun.Subprocess[] = [];

  private constructor(home: Home) {
    this.#home = home;
  }

  /** Starts it, and waits until its node takes jobs. Needs the rights of root. */
  static async start(home: Home): Promise<OwnSlurm> {
    const slurm = new OwnSlurm(home);
    try {
      await slurm.#start();
      return slurm;
    } catch (error) {
      await slurm[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What its commands need. */
  get environment(): Record<string, string> {
    return { SLURM_CONF: this.#file("slurm.conf") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons.reverse()) {
      daemon.kill("SIGTERM");
      await daemon.exited;
    }
  }

  async #start(): Promise<void> {
    for (const folder of ["", "state", "spool"]) mkdirSync(this.#file(folder), { recursive: true });
    // The folder of the socket must be open to all, and so must those above it.
    chmodSync(this.#home.path, 0o755);
    const key = this.#file("munge.key");
    writeFileSync(key, randomBytes(128), { mode: 0o600 });
    const socket = this.#file("munge.socket");
    this.#daemon("munged", [
      ...["--foreground", "--force", "--num-threads=10", `--socket=${socket}`, `--key-file=${key}`],
      ...[`--pid-file=${this.#file("munge.pid")}`, `--log-file=${this.#file("munge.log")}`],
      `--seed-file=${this.#file("munge.seed")}`,
    ]);
    const munged = () => Bun.spawnSync(["munge", "-n", `--socket=${socket}`]).exitCode === 0;
    await eventually(munged, () => "munged does not answer");
    writeFileSync(this.#file("slurm.conf"), this.#configuration(socket));
    this.#daemon("slurmctld", ["-D"]);
    this.#daemon("slurmd", ["-D"]);
    const isIdle = () => this.#said(["sinfo", "--noheader", "--format=%t"]).trim() === "idle";
    await eventually(isIdle, () => `the node is not idle: ${this.#said(["sinfo"])}`);
  }

  #configuration(socket: string): string {
    const node = hostname();
    const controllerPort = freePort();
    let nodePort = freePort();
    while (nodePort === controllerPort) nodePort = freePort();
    return Object.entries({
      ClusterName: "test",
      SlurmctldHost: `${node}(127.0.0.1)`,
      SlurmUser: "root",
      SlurmdUser: "root",
      AuthType: "auth/munge",
      AuthInfo: `socket=${socket}`,
      CredType: "cred/munge",
      StateSaveLocation: this.#file("state"),
      SlurmdSpoolDir: this.#file("spool"),
      SlurmctldPidFile: this.#file("slurmctld.pid"),
      SlurmdPidFile: this.#file("slurmd.pid"),
      SlurmctldPort: controllerPort,
      SlurmdPort: nodePort,
      ProctrackType: "proctrack/linuxproc",
      TaskPlugin: "task/none",
      SelectType: "select/cons_tres",
      JobAcctGatherType: "jobacct_gather/none",
      AccountingStorageType: "accounting_storage/none",
      NodeName: `${node} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4096`,
      PartitionName: `all Nodes=${node} Default=YES MaxTime=INFINITE State=UP`,
    })
      .map(([name, value]) => `${name}=${value}\n`)
      .join("");
  }

  #daemon(name: string, words: string[]): void {
    const log = Bun.file(this.#file(`${name}.out`));
    this.#daemons.push(
      Bun.spawn([name, ...words], {
        env: { ...process.env, ...this.environment },
        stdin: "ignore",
        stdout: log,
        stderr: log,
      }),
    );
  }

  #said(command: string[]): string {
    const { stdout } = Bun.spawnSync(command, { env: { ...process.env, ...this.environment } });
    return stdout.toString();
  }

  #file(name: string): string {
    return join(this.#home.path, "slurm", name);
  }
}
