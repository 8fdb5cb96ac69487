// A registry of npm packages on loopback, with the packed ones of this release in it and no others.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../../command.ts";
import { npmTool } from "../../npm-tool.ts";
import { dist } from "../release.ts";
import type { NotChecked } from "./channel.ts";

// The newest that runs with Node.js 20. It asks for a dependency by a tag, which not every mirror of the registry carries.
const verdaccio = {
  name: "verdaccio",
  version: "6.5.2",
  file: "bin/verdaccio",
  overrides: { "node-fetch": "2.7.0" },
};

/** A registry with a folder of its own. */
export class LocalRegistry implements AsyncDisposable {
  readonly url = `http://127.0.0.1:${freePort()}`;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  #process: Bun.Subprocess | undefined;

  /** Below this folder; it ends with the signal, too. */
  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /** Starts it; or says why it cannot be had. */
  async start(): Promise<NotChecked | undefined> {
    const tool = await npmTool(verdaccio);
    if ("missing" in tool) return { notChecked: tool.missing };
    mkdirSync(this.#folder, { recursive: true });
    const configuration = join(this.#folder, "config.yaml");
    await Bun.write(
      configuration,
      [
        `storage: ${join(this.#folder, "storage")}`,
        `auth: { htpasswd: { file: ${join(this.#folder, "htpasswd")} } }`,
        // There is nothing above it: a package that is not ours does not exist.
        "uplinks: {}",
        "packages: { '**': { access: $all, publish: $all } }",
        "max_body_size: 500mb",
        "log: { type: stdout, format: pretty, level: error }",
        "",
      ].join("\n"),
    );
    this.#process = Bun.spawn(["node", tool.path, "--config", configuration, "--listen", this.url], {
      cwd: this.#folder,
      signal: this.#signal,
      stdin: "ignore",
      stdout: Bun.file(join(this.#folder, "log")),
      stderr: Bun.file(join(this.#folder, "errors")),
    });
    for (let left = 200; left > 0; left--) {
      if (this.#process.exitCode !== null)
        throw new Error(`The local registry ended with ${this.#process.exitCode}`);
      const ping = await fetch(`${this.url}/-/ping`).catch(() => undefined);
      if (ping?.ok) return undefined;
      await Bun.sleep(100);
    }
    throw new Error("The local registry does not answer");
  }

  /** Publishes all packages of the release, and gives their number. */
  async publish(): Promise<number> {
    const userconfig = join(this.#folder, "npmrc");
    // npm wants a token to publish; this registry does not look at it.
    await Bun.write(userconfig, `${this.url.replace("http:", "")}/:_authToken=nobody\n`);
    const cache = join(this.#folder, "cache");
    const flags = ["--registry", this.url, "--userconfig", userconfig, "--cache", cache];
    const files = [...new Bun.Glob("*.tgz").scanSync({ cwd: join(dist, "npm"), absolute: true })];
    for (const file of files) await outputOf(["npm", "publish", file, ...flags], { cwd: this.#folder });
    return files.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process?.kill();
    await this.#process?.exited;
  }
}

// Free now. If another program takes it first, the registry says so.
function freePort(): number {
  using probe = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  return probe.port ?? 0;
}
