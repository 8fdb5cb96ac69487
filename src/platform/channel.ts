// How this program was installed, by where it is.
// Bun has no call that resolves links.
import { realpathSync } from "node:fs";
import { isCompiled } from "./self.ts";

/** A way of installing it. */
export type Channel =
  | { kind: "source"; directory: string }
  | { kind: "brew" }
  /** Fetched for this run. */
  | { kind: "npx" | "bunx" }
  /** A package of everybody's. */
  | { kind: "npm" | "bun" | "pnpm" | "yarn" }
  /** A package of a project. */
  | { kind: "project"; directory: string }
  /** A bundle that Claude Desktop has unpacked. */
  | { kind: "bundle" }
  | { kind: "executable"; path: string };

/** What says how it was installed: the real path of the executable, and the file that Bun began with. */
export interface Whereabouts {
  executable: string;
  main: string;
  isCompiled: boolean;
}

export function channelOf({ executable, main, isCompiled }: Whereabouts): Channel {
  const path = (isCompiled ? executable : main).replaceAll("\\", "/");
  if (/\/bunx-\d+-/.test(path)) return { kind: "bunx" };
  if (path.includes("/_npx/")) return { kind: "npx" };
  // Node.js of Homebrew, or its npm, may have installed it.
  if (/\/Cellar\/(?!.*\/node_modules\/)/.test(path)) return { kind: "brew" };
  if (path.includes("/.bun/install/global/")) return { kind: "bun" };
  if (/\/pnpm\/(?:global\/|.*\/\.pnpm\/)/.test(path)) return { kind: "pnpm" };
  if (/\/[Yy]arn\/(?:.*\/)?global\//.test(path)) return { kind: "yarn" };
  if (/\/(?:lib|npm|nodejs|nvm\/v[\d.]+)\/node_modules\//i.test(path)) return { kind: "npm" };
  const [, project] = /^(.*?)\/node_modules\//.exec(path) ?? [];
  if (project !== undefined) return { kind: "project", directory: project };
  if (path.includes("/Claude Extensions/")) return { kind: "bundle" };
  return isCompiled
    ? { kind: "executable", path: executable }
    : { kind: "source", directory: path.replace(/\/src\/[^/]*$/, "") };
}

/** How the program that runs was installed. */
export function ownChannel(): Channel {
  const isOurs = isCompiled(Bun.main);
  return channelOf({ executable: realPath(process.execPath), main: realPath(Bun.main), isCompiled: isOurs });
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // The entry point of an executable is in no directory, and a program that was replaced has gone.
    return path;
  }
}
