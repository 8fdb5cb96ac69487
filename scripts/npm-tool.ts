// Tools from npm that are too big, or too seldom needed, to be development dependencies: installed at their first use into
// a cache outside the project.
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { endOf } from "./command.ts";

/** Where a file of an npm package is; or why the package cannot be had here. */
export type NpmTool = { path: string } | { missing: string };

/** A package that is run, and not imported. */
export interface NpmPackage {
  name: string;
  /** Exactly this one. */
  version: string;
  /** The file to run with Node.js. */
  file: string;
  /** Versions of its dependencies, where the ones that it asks for are not available everywhere. */
  overrides?: Record<string, string>;
}

/** A package's file, which runs with the Node.js that has to be on the PATH together with npm. */
export async function npmTool({ name, version, file, overrides }: NpmPackage): Promise<NpmTool> {
  const npm = Bun.which("npm");
  if (!npm || !Bun.which("node")) return { missing: "node and npm are not both on the PATH" };
  const caches = Bun.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const place = join(caches, "parallel-claude-code-mcp", `${name.replace(/.*\//, "")}-${version}`);
  const path = join(place, "node_modules", name, file);
  if (await Bun.file(path).exists()) return { path };
  mkdirSync(place, { recursive: true });
  const project = { private: true, dependencies: { [name]: version }, overrides };
  await Bun.write(join(place, "package.json"), JSON.stringify(project));
  const flags = ["--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error"];
  const { code, err } = await endOf([npm, "install", ...flags], { cwd: place });
  if (code === 0) return { path };
  const said = err.match(/^npm error (?:code )?(.+)$/m)?.[1] ?? `it ended with ${code}`;
  return { missing: `npm cannot install ${name} ${version}: ${said}` };
}
