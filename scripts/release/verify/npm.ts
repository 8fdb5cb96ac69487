// The npm packages, from a registry on loopback, with all scripts blocked: by npm where only Node.js is on the PATH, by
// bun where only Bun is.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { endOf, outputOf } from "../../command.ts";
import { names, release } from "../release.ts";
import type { Channel } from "./channel.ts";
import { pathWith } from "./search-path.ts";

type Runtime = "node" | "bun";

const all = [...names, release.shortName];

/** Every way to the program through npm's packages. */
export function npmChannels(registry: string): Channel[] {
  return [
    fetched("npx, Node.js alone", each(["npx", "-y", "-p"]), "node"),
    fetched("bunx, Bun alone", each(["bunx", "-p"]), "bun"),
    installed("npm install -g, Node.js alone", ["npm", "install", "-g"], release.name, "node"),
    // What bun puts on the PATH is the launcher itself, whose first line asks for Node.js; bunx does not mind.
    installed("bun add -g, Node.js beside it", ["bun", "add", "-g"], release.name, "bun", "node"),
    // As users of the second name have it in their clients' configurations.
    fetched("second package, npx", [["npx", release.secondName]], "node"),
    fetched("second package, bunx", [["bunx", release.secondName]], "bun"),
    installed("second package, npm install -g", ["npm", "install", "-g"], release.secondName, "node"),
    installed("second package, bun add -g", ["bun", "add", "-g"], release.secondName, "bun", "node"),
    {
      name: "npm without optional packages",
      async install(folder) {
        const env = { HOME: folder, ...environmentOf(folder, "node") };
        // Without a package of its own, npm would take a folder further up for the project.
        await Bun.write(join(folder, "package.json"), "{}");
        await outputOf(["npm", "install", "--omit=optional", release.name], { cwd: folder, env });
        const program = join(folder, "node_modules", ".bin", release.name);
        const { code, err } = await endOf([program, "--version"], { cwd: folder, env });
        if (code !== 1 || !/is not installed.*--omit=optional/s.test(err))
          throw new Error(`It ended with ${code}, and said: ${err}`);
        return { commands: [], seen: "says which package is missing, and how to get it" };
      },
    },
  ];

  /** The commands for all names out of the first package. */
  function each(command: string[]): string[][] {
    return all.map((program) => [...command, release.name, program]);
  }

  function fetched(name: string, commands: string[][], runtime: Runtime): Channel {
    return {
      name,
      install: async (folder) => ({ commands, environment: environmentOf(folder, runtime) }),
    };
  }

  function installed(name: string, command: string[], what: string, ...runtimes: Runtime[]): Channel {
    return {
      name,
      async install(folder) {
        const environment = environmentOf(folder, ...runtimes);
        const env = { HOME: folder, ...environment };
        await outputOf([...command, what], { cwd: folder, env });
        const programs = what === release.name ? all : [what];
        return { commands: programs.map((program) => [join(folder, "global", "bin", program)]), environment };
      },
    };
  }

  function environmentOf(folder: string, ...runtimes: Runtime[]): Record<string, string> {
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
