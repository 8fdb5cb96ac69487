// The npm packages, from a registry on loopback, with all scripts blocked: by npm where only Node.js is on the PATH, by
// bun where only Bun is.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { endOf, outputOf } from "../../command.ts";
import { names, release } from "../release.ts";
import type { Channel } from "./channel.ts";
import { pathWith } from "./search-path.ts";

/** Every way to the program through npm's packages. */
export function npmChannels(registry: string): Channel[] {
  return [
    {
      name: "npx, Node.js alone",
      install: async (folder) => ({
        commands: names.map((name) => ["npx", "-y", "-p", release.name, name]),
        environment: environmentOf(folder, "node"),
      }),
    },
    {
      name: "bunx, Bun alone",
      install: async (folder) => ({
        commands: names.map((name) => ["bunx", "-p", release.name, name]),
        environment: environmentOf(folder, "bun"),
      }),
    },
    {
      name: "npm install -g, Node.js alone",
      async install(folder) {
        const environment = environmentOf(folder, "node");
        await outputOf(["npm", "install", "-g", release.name], {
          cwd: folder,
          env: { HOME: folder, ...environment },
        });
        return { commands: names.map((name) => [join(folder, "global", "bin", name)]), environment };
      },
    },
    {
      name: "bun add -g, Node.js beside it",
      // What bun puts on the PATH is the launcher itself, whose first line asks for Node.js; bunx does not mind.
      async install(folder) {
        const environment = environmentOf(folder, "bun", "node");
        await outputOf(["bun", "add", "-g", release.name], {
          cwd: folder,
          env: { HOME: folder, ...environment },
        });
        return { commands: names.map((name) => [join(folder, "global", "bin", name)]), environment };
      },
    },
    {
      name: "npm without optional packages",
      async install(folder) {
        const environment = environmentOf(folder, "node");
        // Without a package of its own, npm would take a folder further up for the project.
        await Bun.write(join(folder, "package.json"), "{}");
        await outputOf(["npm", "install", "--omit=optional", release.name], {
          cwd: folder,
          env: { HOME: folder, ...environment },
        });
        const program = join(folder, "node_modules", ".bin", release.name);
        const { code, err } = await endOf([program, "--version"], {
          cwd: folder,
          env: { HOME: folder, ...environment },
        });
        if (code !== 1 || !/is not installed.*--omit=optional/s.test(err))
          throw new Error(`It ended with ${code}, and said: ${err}`);
        return { commands: [], seen: "says which package is missing, and how to get it" };
      },
    },
  ];

  function environmentOf(folder: string, ...runtimes: ("node" | "bun")[]): Record<string, string> {
    const working = join(folder, "project");
    mkdirSync(working, { recursive: true });
    return {
      TMPDIR: working,
      PATH: pathWith(join(folder, "path"), ...runtimes),
      npm_config_registry: registry,
      npm_config_ignore_scripts: "true",
      npm_config_cache: join(folder, "npm-cache"),
      npm_config_prefix: join(folder, "global"),
      npm_config_update_notifier: "false",
      BUN_CONFIG_REGISTRY: registry,
      BUN_INSTALL: join(folder, "global"),
      BUN_INSTALL_CACHE_DIR: join(folder, "bun-cache"),
    };
  }
}
