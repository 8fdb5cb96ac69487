// A registry of npm packages on loopback, with the packed ones of this release in it and no others.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../../command.ts";
import { npmTool } from "../../npm-tool.ts";
import { dist } from "../release.ts";

// The newest that runs with Node.js 20. It asks for a dependency by a tag, which not every mirror of the registry carries.
const verdaccio = {
  name: "verdaccio",
  version: "6.5.2",
  file: "bin/verdaccio",
  overrides: { "node-fetch": "2.7.0" },
};

/** A registry that runs. */
export interface LocalRegistry extends AsyncDisposable {
  url: string;
}

/** Starts a registry below a folder, and publishes all packages to it; or says why it cannot be had. */
export async function localRegistry(folder: string): Promise<LocalRegistry | { missing: string }> {
  const tool = await npmTool(verdaccio);
  if ("missing" in tool) return tool;
  mkdirSync(folder, { recursive: true });
  const configuration = join(folder, "config.yaml");
  await Bun.write(
    configuration,
    [
      `storage: ${join(folder, "storage")}`,
      `auth: { htpasswd: { file: ${join(folder, "htpasswd")} } }`,
      // There is nothing above it: a package that is not ours does not exist.
      "uplinks: {}",
      "packages: { '**': { access: $all, publish: $all } }",
      "max_body_size: 500mb",
      "log: { type: stdout, format: pretty, level: error }",
      "",
    ].join("\n"),
  );
  const url = `http://127.0.0.1:${freePort()}`;
  const child = Bun.spawn(["node", tool.path, "--config", configuration, "--listen", url], {
    cwd: folder,
    stdin: "ignore",
    stdout: Bun.file(join(folder, "log")),
    stderr: Bun.file(join(folder, "errors")),
  });
  const registry: LocalRegistry = {
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
  try {
    await answers(url, child);
    await publishAll(folder, url);
    return registry;
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
}

async function publishAll(folder: string, url: string): Promise<void> {
  const userconfig = join(folder, "npmrc");
  // npm wants a token to publish; this registry does not look at it.
  await Bun.write(userconfig, `${url.replace("http:", "")}/:_authToken=nobody\n`);
  const flags = ["--registry", url, "--userconfig", userconfig, "--cache", join(folder, "cache")];
  for (const file of new Bun.Glob("*.tgz").scanSync({ cwd: join(dist, "npm"), absolute: true }))
    await outputOf(["npm", "publish", file, ...flags], { cwd: folder });
}

async function answers(url: string, child: Bun.Subprocess): Promise<void> {
  for (let left = 200; left > 0; left--) {
    if (child.exitCode !== null) throw new Error(`The local registry ended with ${child.exitCode}`);
    const ping = await fetch(`${url}/-/ping`).catch(() => undefined);
    if (ping?.ok) return;
    await Bun.sleep(100);
  }
  throw new Error("The local registry does not answer");
}

// Free at this moment; another program could take it before the registry does, and then it says so.
function freePort(): number {
  using probe = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  return probe.port ?? 0;
}
