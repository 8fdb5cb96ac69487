// Paths as this system writes them.

/** A path that is written with slashes, as this system's programs write it. */
export function nativePath(path: string): string {
  return process.platform === "win32" ? path.replaceAll("/", "\\") : path;
}
