// What all artifacts of a release share: names, version, addresses and places.
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import type { Target } from "./targets.ts";

/**
 * Who owns the repository, the tap and the registry's name: THE one place to put it, once it is known.
 * The installers carry it as `OWNER` too, and get this one when they are written to `dist/`.
 */
export const owner = "OWNER";

export const root = join(import.meta.dir, "..", "..");
export const dist = join(root, "dist");

export const release = {
  name: packageJson.name,
  secondName: "claude-code-parallel-mcp-server",
  version: packageJson.version,
  description: packageJson.description,
  license: packageJson.license,
  repository: `https://github.com/${owner}/${packageJson.name}`,
  /** Name in the MCP registry. */
  mcpName: `io.github.${owner}/${packageJson.name}`,
} as const;

/** Where the files of this version can be downloaded. */
export const downloads = `${release.repository}/releases/download/v${release.version}`;

/** Both names under which the program answers. */
export const names = [release.name, release.secondName] as const;

/** The documents that go with every artifact. */
export const documents = ["LICENSE", "README.md", "CHANGELOG.md"] as const;

/** The file name of a target's archive. */
export const archiveOf = ({ name, os }: Target): string =>
  `${release.name}-${name}.${os === "win32" ? "zip" : "tar.gz"}`;

/** The name of the npm package that holds a target's executable. */
export const packageOf = ({ name }: Target): string => `${release.name}-${name}`;

/** The file name of a target's bundle for Claude Desktop. */
export const bundleOf = ({ name }: Target): string => `${release.name}-${name}.mcpb`;

/** Claude Desktop is made for macOS and Windows, and with glibc for Linux. */
export const hasBundle = ({ libc }: Target): boolean => libc !== "musl";
