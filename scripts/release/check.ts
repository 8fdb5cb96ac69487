// `bun run release:check v0.2.0`: refuses what must not be published. With `--artifacts`, looks into `dist/` as well.
import { join } from "node:path";
import { faultsOfArtifacts } from "./checksums.ts";
import { sectionOf } from "./notes.ts";
import { owner, release, root, unknownOwner } from "./release.ts";

const [tag, option, ...more] = process.argv.slice(2);
if (tag === undefined || more.length > 0 || (option !== undefined && option !== "--artifacts")) {
  console.error("release:check wants the tag, such as v0.2.0, and knows --artifacts.");
  process.exit(2);
}
const faults = [
  ...(await faultsOf(tag)),
  ...(option === undefined ? [] : await faultsOfArtifacts(placeholderIn)),
];
for (const fault of faults) console.error(`Not to be published: ${fault}.`);
if (faults.length > 0) process.exit(1);
console.log(`${tag} may be published by ${owner}.`);

// Everything that prevents publishing under this tag.
async function faultsOf(tag: string): Promise<string[]> {
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

// What is large holds an executable, which knows no owner, and texts that the smaller ones hold too.
function placeholderIn(path: string, bytes: Uint8Array<ArrayBuffer>): string | undefined {
  if (bytes.length > 4_000_000) return undefined;
  const content = path.endsWith("gz") ? Bun.gunzipSync(bytes) : bytes;
  const found = new RegExp(`\\b${unknownOwner}\\b`).test(Buffer.from(content).toString("latin1"));
  return found ? `${path} has the placeholder ${unknownOwner} in it` : undefined;
}
