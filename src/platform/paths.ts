// Where things are by the conventions of the operating system, and how paths are combined.
// Bun has no call that names the home and the temporary directory by the customs of the system.
import { homedir, tmpdir } from "node:os";
// Bun has no call that takes paths apart.
import { delimiter, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Environment } from "./environment.ts";

// Bun has no call that takes paths apart.
export { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";

/** What separates two paths in one variable: `:`, or `;` on Windows. */
export const pathListSeparator = delimiter;

/** The user's home directory: `HOME`, or on Windows `USERPROFILE`, as for `claude` itself. */
export function homeDirectory(): string {
  return homedir();
}

/** Where temporary files go. */
export function temporaryDirectory(): string {
  return tmpdir();
}

/** An absolute path from user input: `~` is the home directory, relative paths start at `from`. */
export function absolutePath(path: string, from: string): string {
  if (path === "~") return homeDirectory();
  if (path.startsWith("~/") || path.startsWith("~\\")) return join(homeDirectory(), path.slice(2));
  return resolve(from, path);
}

/** Whether `path` is `root` or lies below it. Both absolute, symbolic links already resolved. */
export function isWithin(path: string, root: string): boolean {
  const way = relative(root, path);
  // A name may begin with two dots.
  return way.split(sep)[0] !== ".." && !isAbsolute(way);
}

/** A path relative to a directory that contains it, and the directory itself as "."; any other text unchanged. */
export function shownPath(path: string, directory: string): string {
  if (!isAbsolute(path) || !isWithin(path, directory)) return path;
  return relative(directory, path) || ".";
}

/** The directory of a program's state: log, transcripts, pages of sync batches. */
export function defaultStateDirectory(program: string, environment: Environment = process.env): string {
  const home = homeDirectory();
  switch (process.platform) {
    case "darwin":
      return join(home, "Library", "Application Support", program);
    case "win32":
      return join(environment["LOCALAPPDATA"] ?? join(home, "AppData", "Local"), program);
    default:
      return join(absoluteOr(environment["XDG_STATE_HOME"], join(home, ".local", "state")), program);
  }
}

/** The directory of a program's `config.json`. */
export function configurationDirectory(program: string, environment: Environment = process.env): string {
  return join(configurationBase(process.platform, environment), program);
}

/** Where applications keep user configuration on this platform. */
export function configurationBase(platform: NodeJS.Platform, environment: Environment = process.env): string {
  const home = homeDirectory();
  switch (platform) {
    case "darwin":
      return join(home, "Library", "Application Support");
    case "win32":
      return environment["APPDATA"] ?? join(home, "AppData", "Roaming");
    default:
      return absoluteOr(environment["XDG_CONFIG_HOME"], join(home, ".config"));
  }
}

// The XDG specification says to ignore relative values.
function absoluteOr(path: string | undefined, otherwise: string): string {
  return path !== undefined && isAbsolute(path) ? path : otherwise;
}
