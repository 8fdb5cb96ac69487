// A network of a round's own: machines as network namespaces, each with a cable to one switch, which is the namespace that we
// are in. Only what runs apart (`apart.ts`) has one.
import { readlinkSync } from "node:fs";
import { eventually } from "../harness.ts";
import type { Place } from "../place.ts";

/** What can be done to a cable. */
export const cableFaults = [
  /** Nothing passes, and both ends know it. */
  "unplugged",
  /** A bad contact: again and again. */
  "loose",
  /** Nothing arrives at the machine, and nobody knows it. */
  "deaf",
  /** Nothing arrives that the machine sends, and nobody knows it. */
  "mute",
  /** Everything arrives, at 32 kB a second. */
  "slow",
  /** The machine gets another address, as a laptop does in another room, and no packet of its connections passes any more. */
  "moved",
] as const;
export type CableFault = (typeof cableFaults)[number];

/** Documented nowhere but here: these addresses exist only within the namespaces. */
const subnet = "10.77.0";
const switchName = "switch";

/** A machine on it. */
export class Machine implements Place {
  readonly name: string;
  readonly #number: number;
  readonly #holder: Bun.Subprocess;
  /** Counts its addresses. */
  #moves = 0;

  constructor(name: string, number: number, holder: Bun.Subprocess) {
    this.name = name;
    this.#number = number;
    this.#holder = holder;
  }

  get address(): string {
    return `${subnet}.${this.#number + 20 * this.#moves}`;
  }

  get enter(): string[] {
    return ["nsenter", `--net=/proc/${this.#holder.pid}/ns/net`, "--"];
  }

  /** Connects it with the switch. */
  async connect(): Promise<void> {
    const pid = this.#holder.pid;
    // A moment passes until the program that holds the namespace has it.
    await eventually(
      () => namespaceOf(pid) !== namespaceOf("self"),
      () => `${this.name} gets no namespace`,
    );
    call("ip", "link", "add", "name", this.name, "type", "veth", "peer", "name", "eth0", "netns", `${pid}`);
    call("ip", "link", "set", this.name, "master", switchName, "up");
    this.#call("ip", "link", "set", "lo", "up");
    this.#call("ip", "addr", "add", `${this.address}/24`, "dev", "eth0");
    this.#call("ip", "link", "set", "eth0", "up");
  }

  /** Does this to its cable for a time, in milliseconds. */
  async suffer(how: CableFault, forMs: number): Promise<void> {
    const slowly = ["tbf", "rate", "256kbit", "burst", "16kb", "latency", "2s"];
    // What is longer than a byte is dropped.
    const nothing = ["bfifo", "limit", "1"];
    switch (how) {
      case "unplugged":
        this.#plug(false);
        await Bun.sleep(forMs);
        this.#plug(true);
        break;
      case "loose":
        for (let leftMs = forMs; leftMs > 0; leftMs -= 300) {
          this.#plug(false);
          await Bun.sleep(150);
          this.#plug(true);
          await Bun.sleep(150);
        }
        break;
      case "deaf":
        this.#toIt("replace", ...nothing);
        await Bun.sleep(forMs);
        this.#toIt("del");
        break;
      case "mute":
        this.#fromIt("replace", ...nothing);
        await Bun.sleep(forMs);
        this.#fromIt("del");
        break;
      case "slow":
        this.#toIt("replace", ...slowly);
        this.#fromIt("replace", ...slowly);
        await Bun.sleep(forMs);
        this.#toIt("del");
        this.#fromIt("del");
        break;
      case "moved": {
        const before = this.address;
        this.#moves = (this.#moves + 1) % 10;
        this.#call("ip", "addr", "del", `${before}/24`, "dev", "eth0");
        await Bun.sleep(forMs);
        this.#call("ip", "addr", "add", `${this.address}/24`, "dev", "eth0");
        break;
      }
    }
  }

  // Its namespace may stay for a moment, and would keep the cable.
  end(): void {
    call("ip", "link", "del", this.name);
    this.#holder.kill("SIGKILL");
  }

  #plug(isIn: boolean): void {
    call("ip", "link", "set", this.name, isIn ? "up" : "down");
  }

  #toIt(what: "replace" | "del", ...queue: string[]): void {
    call("tc", "qdisc", what, "dev", this.name, "root", ...queue);
  }

  #fromIt(what: "replace" | "del", ...queue: string[]): void {
    this.#call("tc", "qdisc", what, "dev", "eth0", "root", ...queue);
  }

  #call(...command: string[]): void {
    call(...this.enter, ...command);
  }
}

/** Machines that reach one another, and that we reach, until disposed of: then they are there no more. */
export class Network implements Disposable {
  readonly machines: readonly Machine[];

  private constructor(machines: readonly Machine[]) {
    this.machines = machines;
  }

  static async of(names: readonly string[]): Promise<Network> {
    call("ip", "link", "add", "name", switchName, "type", "bridge");
    call("ip", "addr", "add", `${subnet}.254/24`, "dev", switchName);
    call("ip", "link", "set", switchName, "up");
    const machines = names.map((name, index) => new Machine(name, index + 1, holder()));
    for (const machine of machines) await machine.connect();
    return new Network(machines);
  }

  machine(name: string): Machine {
    const found = this.machines.find((machine) => machine.name === name);
    if (!found) throw new Error(`There is no machine ${name}`);
    return found;
  }

  [Symbol.dispose](): void {
    for (const machine of this.machines) machine.end();
    call("ip", "link", "del", switchName);
  }
}

// A namespace is there for as long as a program is in it.
function holder(): Bun.Subprocess {
  return Bun.spawn(["unshare", "--net", "sleep", "infinity"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
}

function namespaceOf(pid: number | "self"): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

function call(...command: string[]): void {
  const { success, stderr } = Bun.spawnSync(command, { stdout: "ignore", stderr: "pipe" });
  if (!success) throw new Error(`${command.join(" ")}: ${stderr}`);
}
