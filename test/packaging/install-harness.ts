// What the tests of install.sh share: a place to download from on loopback, pretend programs in its archives, and a PATH
// with what they want on it and nothing else.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checksumOf } from "../../scripts/release/checksums.ts";
import { contentOf } from "../../scripts/release/content.ts";
import { archiveOf, release, root } from "../../scripts/release/release.ts";
import { tarGzip } from "../../scripts/release/tar.ts";
import { targets } from "../../scripts/release/targets.ts";

export const script = join(root, "scripts/release/install.sh");

const tools =
  "awk cat cut dirname grep gzip ln ls mkdir mktemp mv printf pwd rm rmdir sed tar tr curl wget sha256sum shasum perl".split(
    " ",
  );

/** A program that stands for ours: it says its version, and what it was called with. */
export const pretend = (version: string) =>
  `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "${version} ran with $*"; fi\n`;

/** What a program prints. */
export function says(program: string, ...args: string[]): string {
  return Bun.spawnSync([program, ...args])
    .stdout.toString()
    .trim();
}

/** How a machine shows what it is. */
export interface Machine {
  processor?: string;
  system?: string;
  /** What its ldd says, and with which status. */
  ldd?: [string, number];
  /** Whether the processor is imitated by Rosetta. */
  translated?: boolean;
}

interface InstallOptions {
  args?: string[];
  /** By default all that an installation needs. */
  without?: string[];
  machine?: Machine;
  shell?: string[];
  /** What stands on the PATH before the tools. */
  path?: string;
  environment?: Record<string, string | undefined>;
  /** The text on the shell's input, as with `curl … | sh`, instead of the file. */
  piped?: string;
  cwd?: string;
}

/** A directory of its own, and a server with archives of a version. */
export class Installation implements AsyncDisposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "pccm-install-")));
  readonly home = join(this.path, "home");
  /** Where things go unless told otherwise. */
  readonly directory = join(this.home, ".local/bin");
  readonly program = join(this.directory, release.name);
  readonly files = new Map<string, Uint8Array | string>();
  readonly asked: string[] = [];
  readonly #server: Bun.Server<undefined>;
  #machines = 0;

  constructor() {
    mkdirSync(this.home);
    // For a test that runs as somebody else.
    chmodSync(this.path, 0o755);
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) => {
        const name = new URL(url).pathname.slice(1);
        this.asked.push(name);
        const file = this.files.get(name);
        return file === undefined ? new Response("none", { status: 404 }) : new Response(file);
      },
    });
  }

  /** Offers archives of a version for every system that the script knows, with their checksums. */
  async offer(version: string, program = pretend(version)): Promise<void> {
    const archive = await tarGzip([
      { path: release.name, content: await contentOf(program), executable: true },
    ]);
    const sum = checksumOf(archive);
    const names = targets.filter(({ os }) => os !== "win32").map(archiveOf);
    for (const name of names) this.files.set(name, archive);
    this.files.set("SHA256SUMS", names.map((name) => `${sum}  ${name}\n`).join(""));
  }

  /** Starts the script on a machine that shows itself as told. */
  start({
    args = [],
    without = [],
    machine = {},
    shell = ["sh"],
    path,
    environment = {},
    piped,
    cwd,
  }: InstallOptions = {}) {
    const command = [...shell, ...(piped === undefined ? [script] : ["-s", "--"]), ...args];
    const PATH = [path, this.#machine(machine, without)].filter((one) => one !== undefined).join(":");
    return Bun.spawn([Bun.which(command[0] ?? "") ?? "", ...command.slice(1)], {
      cwd: cwd ?? this.home,
      env: {
        HOME: this.home,
        SHELL: "/bin/bash",
        PARALLEL_CLAUDE_DOWNLOADS: this.#server.url.href,
        PATH,
        ...environment,
      },
      stdin: piped === undefined ? "ignore" : new Blob([piped]),
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  /** Runs the script to its end. */
  async install(options: InstallOptions = {}): Promise<{ code: number; out: string; err: string }> {
    const child = this.start(options);
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  }

  /** Everything below the home, by path. */
  get left(): string[] {
    return existsSync(this.home) ? readdirSync(this.home, { recursive: true }).map(String).sort() : [];
  }

  // A directory with links to the tools, and programs that tell of the machine.
  #machine(
    { processor = "x86_64", system = "Linux", ldd = ["glibc", 0], translated }: Machine,
    without: string[],
  ): string {
    const bin = join(this.path, `machine-${++this.#machines}`);
    mkdirSync(bin);
    for (const tool of tools.filter((one) => !without.includes(one))) {
      const found = Bun.which(tool);
      if (found) symlinkSync(found, join(bin, tool));
    }
    const stub = (name: string, text: string) => {
      if (!without.includes(name)) writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    };
    stub("uname", `if [ "$1" = -m ]; then echo ${processor}; else echo ${system}; fi`);
    stub("ldd", `echo "${ldd[0]}" >&2; exit ${ldd[1]}`);
    stub("sysctl", translated === undefined ? "exit 1" : `echo ${translated ? 1 : 0}`);
    return bin;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
    rmSync(this.path, { recursive: true, force: true });
  }
}
