// `bun run release:check v0.2.0`: refuses what must not be published. With `--artifacts`, looks into `dist/` as well.
import { join } from "node:path";
import { checksumOf } from "./binaries.ts";
import { sectionOf } from "./notes.ts";
import { dist, owner, release, root, unknownOwner } from "./release.ts";

/** Everything that stands against publishing under this tag. */
export async function faultsOf(tag: string): Promise<string[]> {
  const faults: string[] = [];
  if (tag !== `v${release.version}`)
    faults.push(
      `the tag is ${tag}, and package.json has version ${release.version}: the tag must be v${release.version}`,
    );
  if (!sectionOf(await Bun.file(join(root, "CHANGELOG.md")).text(), release.version))
    faults.push(`CHANGELOG.md has no section for ${release.version}: \`bun run release:prepare\` makes it`);
  if (owner === unknownOwner)
    faults.push(
      `the owner is not known, and "${unknownOwner}" would stand in every address: set GITHUB_REPOSITORY_OWNER, as a workflow on GitHub has it`,
    );
  return faults;
}

/** Everything that stands against publishing what is in `dist/`. */
export async function faultsOfArtifacts(): Promise<string[]> {
  const sums = Bun.file(join(dist, "SHA256SUMS"));
  if (!(await sums.exists())) return ["dist has no SHA256SUMS: `release:build` writes it"];
  const faults: string[] = [];
  // One after the other, for together they are more than a gigabyte.
  for (const line of (await sums.text()).trim().split("\n")) {
    const [sum = "", path = ""] = line.split("  ");
    const fault = await faultOfArtifact(path, sum);
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

async function faultOfArtifact(path: string, checksum: string): Promise<string | undefined> {
  const file = Bun.file(join(dist, path));
  if (!(await file.exists())) return `dist lacks ${path}, which SHA256SUMS names`;
  const bytes = await file.bytes();
  if (checksumOf(bytes) !== checksum) return `${path} is not what SHA256SUMS says`;
  return placeholderIn(path, bytes) ? `${path} has the placeholder ${unknownOwner} in it` : undefined;
}

// What is large holds an executable, which knows no owner, and texts that the smaller ones hold too.
function placeholderIn(path: string, bytes: Uint8Array<ArrayBuffer>): boolean {
  if (bytes.length > 4_000_000) return false;
  const content = path.endsWith("gz") ? Bun.gunzipSync(bytes) : bytes;
  return new RegExp(`\\b${unknownOwner}\\b`).test(Buffer.from(content).toString("latin1"));
}

if (import.meta.main) {
  const [tag, option, ...more] = process.argv.slice(2);
  if (tag === undefined || more.length > 0 || (option !== undefined && option !== "--artifacts")) {
    console.error("release:check wants the tag, such as v0.2.0, and knows --artifacts.");
    process.exit(2);
  }
  const faults = [...(await faultsOf(tag)), ...(option === undefined ? [] : await faultsOfArtifacts())];
  for (const fault of faults) console.error(`Not to be published: ${fault}.`);
  if (faults.length > 0) process.exit(1);
  console.log(`${tag} may be published by ${owner}.`);
}
