// Tools from npm that are too big, or too seldom needed, to be development dependencies: installed at their first use into
// a cache outside the project.
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where a file of an npm package is; or why the package cannot be had here. */
export type NpmTool = { path: string } | { missing: string };

/** A file of a package in exactly this version. It runs with Node.js, which has to be on the PATH with npm. */
export async function npmTool(name: string, version: string, file: string): Promise<NpmTool> {
  const npm = Bun.which("npm");
  if (!npm || !Bun.which("node")) return { missing: "node and npm are not both on the PATH" };
  const caches = Bun.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const place = join(caches, "parallel-claude-code-mcp", `${name.replace(/.*\//, "")}-${version}`);
  const path = join(place, "node_modules", name, file);
  if (await Bun.file(path).exists()) return { path };
  mkdirSync(place, { recursive: true });
  const flags = ["--no-audit", "--no-fund", "--no-save", "--fetch-retries=1", "--loglevel=error"];
  const child = Bun.spawn([npm, "install", "--prefix", place, ...flags, `${name}@${version}`], {
    // npm takes the directory it is started in for a project of its own.
    cwd: place,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [code, err] = await Promise.all([child.exited, child.stderr.text()]);
  return code === 0 ? { path } : { missing: `npm install failed: ${err.trim().split("\n", 1)[0]}` };
}
