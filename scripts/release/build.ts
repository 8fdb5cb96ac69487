// `bun run release:build`: makes every artifact of a release below `dist/`, the same bytes for the same commit.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "../build.ts";
import { packBundle } from "./bundle.ts";
import { contentOf } from "./content.ts";
import { formulaOf } from "./formula.ts";
import { notesOf } from "./notes.ts";
import { documentEntries, packMeta, packPlatform } from "./npm.ts";
import { registryEntry } from "./registry.ts";
import { archiveOf, bundleOf, dist, hasBundle, owner, packageOf, release, root } from "./release.ts";
import { billOfMaterials } from "./sbom.ts";
import { tarGzip } from "./tar.ts";
import { suffixOf, type Target, targets } from "./targets.ts";
import { zip } from "./zip.ts";

const began = performance.now();
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const checksums = new Map<string, string>();
const bundles = new Map<string, string>();

// Two at a time, for deflating takes a processor each.
const left = [...targets];
await Promise.all([carry(), carry()]);
await write(`npm/${release.name}-${release.version}.tgz`, await packMeta());
for (const name of ["install.sh", "install.ps1"]) {
  const script = await Bun.file(join(import.meta.dir, name)).text();
  await write(name, script.replaceAll("OWNER", owner));
}
await write(`homebrew/${release.name}.rb`, formulaOf(checksums));
await write("server.json", json(registryEntry(sorted(bundles))));
await write("sbom.cdx.json", json(await billOfMaterials()));
await write("release-notes.md", notesOf(await Bun.file(join(root, "CHANGELOG.md")).text(), release.version));
const sums = [...sorted(checksums)].map(([path, sum]) => `${sum}  ${path}\n`).join("");
await Bun.write(join(dist, "SHA256SUMS"), sums);
console.log(
  `${checksums.size} artifacts below dist/ in ${((performance.now() - began) / 1000).toFixed(1)} s`,
);

async function carry(): Promise<void> {
  for (let target = left.shift(); target; target = left.shift()) await make(target);
}

async function make(target: Target): Promise<void> {
  const suffix = suffixOf(target);
  const binary = join(dist, "bin", target.name, `${release.name}${suffix}`);
  await build(binary, target.compiler);
  const executable = await contentOf(await Bun.file(binary).bytes());
  const documents = await documentEntries();
  const program = { path: `${release.name}${suffix}`, content: executable, executable: true };
  // Windows has no links that everybody may make: there, a script stands for the second name.
  const second = {
    path: `${release.secondName}.cmd`,
    content: await contentOf(`@"%~dp0${release.name}.exe" %*\r\n`),
  };
  const archive =
    target.os === "win32"
      ? zip([program, second, ...documents])
      : await tarGzip([program, ...documents], { [release.secondName]: release.name });
  await write(archiveOf(target), archive);
  await write(`npm/${packageOf(target)}-${release.version}.tgz`, await packPlatform(target, executable));
  const bundle = bundleOf(target);
  if (hasBundle(target)) bundles.set(bundle, await write(bundle, await packBundle(target, executable)));
  console.log(
    `${target.name}: ${(executable.bytes.length / 1e6).toFixed(1)} MB, ${(archive.length / 1e6).toFixed(1)} MB packed`,
  );
}

async function write(path: string, content: Uint8Array | string): Promise<string> {
  await Bun.write(join(dist, path), content);
  const checksum = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  checksums.set(path, checksum);
  return checksum;
}

function sorted(map: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
