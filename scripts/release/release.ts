// What all artifacts of a release share: names, version, addresses and places.
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { product } from "../../src/model/product.ts";
import type { Target } from "./targets.ts";

/** What stands where the owner is not known. Texts for users carry it, and get the owner when they are packed. */
export const unknownOwner = "OWNER";

/**
 * Who has published this program, by `package.json`: what stands in the documents of the repository. `release:prepare`
 * writes it there, so until the first release it is nobody that is known.
 */
export const publisher = /^github:([^/]+)\//.exec(packageJson.repository)?.[1] ?? unknownOwner;

/** Whether there is a release, or this commit is to become the first one. */
export const isPublished = publisher !== unknownOwner;

/**
 * Who owns the repository, the tap and the registry's name. A workflow on GitHub is told; elsewhere, whoever builds a
 * release again names the same one in this variable, and gets the same bytes.
 */
export const owner = Bun.env["GITHUB_REPOSITORY_OWNER"] || publisher;

/** Where the repository of an owner is. */
export const repositoryOf = (owner: string): string => `https://github.com/${owner}/${packageJson.name}`;

/** A text for users with the owner's name in it. */
export const withOwner = (text: string): string => text.replaceAll(unknownOwner, owner);

export const root = join(import.meta.dir, "..", "..");
export const dist = join(root, "dist");

export const release = {
  name: packageJson.name,
  secondName: product.otherNames[0],
  shortName: product.shortName,
  version: packageJson.version,
  description: packageJson.description,
  license: packageJson.license,
  repository: repositoryOf(owner),
  /** Name in the MCP registry. */
  mcpName: `io.github.${owner}/${packageJson.name}`,
} as const;

/** Where the files of this version can be downloaded. */
export const downloads = `${release.repository}/releases/download/v${release.version}`;

/** Both names under which the program answers everywhere. */
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
