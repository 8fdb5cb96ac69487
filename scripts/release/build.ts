// `bun run release:build`: makes every artifact of a release below `dist/`, the same bytes for the same commit.
// In two stages where the executables for macOS are signed in between, which changes them: `--binaries`, then `--pack`.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { binaryOf, compileAll, faultsOfBinaries, twoAtATime } from "./binaries.ts";
import { packBundle } from "./bundle.ts";
import { checksumOf, writeChecksums } from "./checksums.ts";
import { contentOf } from "./content.ts";
import { formulaOf } from "./formula.ts";
import { notesOf } from "./notes.ts";
import { documentEntries, packMeta, packPlatform, packSecond } from "./npm.ts";
import { registryEntry } from "./registry.ts";
import { archiveOf, bundleOf, dist, hasBundle, packageOf, release, root, withOwner } from "./release.ts";
import { billOfMaterials } from "./sbom.ts";
import { tarGzip } from "./tar.ts";
import { suffixOf, type Target, targets } from "./targets.ts";
import { zip } from "./zip.ts";

const usage = `release:build [--binaries | --pack]

Without an option, both stages, one after the other:
  --binaries  compiles the executables of all targets to dist/bin
  --pack      packs what is in dist/bin: archives, npm packages, bundles, formula, registry entry, SBOM, notes, SHA256SUMS`;

const stages = stagesFrom(process.argv.slice(2));
const began = performance.now();
const checksums = new Map<string, string>();
const bundles = new Map<string, string>();

if (stages.compile) await compileAll();
if (stages.pack) await pack();
const seconds = ((performance.now() - began) / 1000).toFixed(1);
const made = stages.pack
  ? `${checksums.size} artifacts below dist`
  : `${targets.length} executables below dist/bin`;
console.log(`${made}, in ${seconds} s`);

function stagesFrom(options: string[]): { compile: boolean; pack: boolean } {
  const [option, ...more] = options;
  if (option === "--help") {
    console.log(usage);
    process.exit(0);
  }
  if (option === undefined) return { compile: true, pack: true };
  if (more.length === 0 && (option === "--binaries" || option === "--pack"))
    return { compile: option === "--binaries", pack: option === "--pack" };
  return fail(`release:build was called with ${options.join(" ")}.\n${usage}`, 2);
}

async function pack(): Promise<void> {
  const faults = await faultsOfBinaries();
  if (faults.length > 0) return fail(faults.map((fault) => `${fault}.`).join("\n"), 1);
  for (const name of existsSync(dist) ? readdirSync(dist) : [])
    if (name !== "bin") rmSync(join(dist, name), { recursive: true });
  await twoAtATime(targets, packTarget);
  await write(`npm/${release.name}-${release.version}.tgz`, await packMeta());
  await write(`npm/${release.secondName}-${release.version}.tgz`, await packSecond());
  for (const name of ["install.sh", "install.ps1"])
    await write(name, withOwner(await Bun.file(join(import.meta.dir, name)).text()));
  await write(`homebrew/${release.name}.rb`, formulaOf(checksums));
  await write("server.json", json(registryEntry(sorted(bundles))));
  await write("sbom.cdx.json", json(await billOfMaterials()));
  const changelog = await Bun.file(join(root, "CHANGELOG.md")).text();
  await write("release-notes.md", withOwner(notesOf(changelog, release.version)));
  await writeChecksums(sorted(checksums));
}

async function packTarget(target: Target): Promise<void> {
  const suffix = suffixOf(target);
  const executable = await contentOf(await Bun.file(binaryOf(target)).bytes());
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
  console.log(`${target.name}: ${(archive.length / 1e6).toFixed(1)} MB packed`);
}

async function write(path: string, content: Uint8Array | string): Promise<string> {
  await Bun.write(join(dist, path), content);
  const checksum = checksumOf(content);
  checksums.set(path, checksum);
  return checksum;
}

function sorted(map: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function fail(message: string, code: number): never {
  console.error(message);
  process.exit(code);
}
