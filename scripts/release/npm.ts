// The npm packages: one with the launcher, that depends on exactly its own version of one a platform. No install scripts.
import { join } from "node:path";
import { type Content, contentOf, type Entry } from "./content.ts";
import { readmeFor } from "./readme.ts";
import { documents, names, packageOf, release, root } from "./release.ts";
import { tarGzip } from "./tar.ts";
import { suffixOf, type Target, targets } from "./targets.ts";

const common = {
  version: release.version,
  description: release.description,
  license: release.license,
  repository: { type: "git", url: `git+${release.repository}.git` },
};

/** `package.json` of the package that users name. */
export const metaPackage = {
  name: release.name,
  ...common,
  mcpName: release.mcpName,
  type: "module",
  bin: Object.fromEntries(names.map((name) => [name, "launcher.mjs"])),
  engines: { node: ">=18" },
  optionalDependencies: Object.fromEntries(targets.map((target) => [packageOf(target), release.version])),
};

/** `package.json` of a platform's package. */
export function platformPackage(target: Target) {
  const { os, cpu, libc } = target;
  return {
    name: packageOf(target),
    ...common,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
    preferUnplugged: true,
  };
}

/** The tarball of the package that users name. */
export async function packMeta(): Promise<Uint8Array> {
  return tarGzip([
    await jsonEntry(metaPackage),
    {
      path: "package/launcher.mjs",
      content: await contentOf(await Bun.file(join(import.meta.dir, "launcher.mjs")).bytes()),
      executable: true,
    },
    ...(await documentEntries("package/")),
  ]);
}

/** The tarball of a platform's package. */
export async function packPlatform(target: Target, executable: Content): Promise<Uint8Array> {
  const path = `package/bin/${release.name}${suffixOf(target)}`;
  return tarGzip([
    await jsonEntry(platformPackage(target)),
    ...(await documentEntries("package/")).filter((entry) => entry.path.endsWith("LICENSE")),
    { path, content: executable, executable: true },
  ]);
}

/** The documents that go with every artifact. */
export function documentEntries(prefix = ""): Promise<Entry[]> {
  return Promise.all(
    documents.map(async (name) => ({
      path: `${prefix}${name}`,
      content: await contentOf(await documentText(name)),
    })),
  );
}

async function documentText(name: (typeof documents)[number]): Promise<string> {
  const text = await Bun.file(join(root, name)).text();
  return name === "README.md" ? readmeFor(text, release.repository, `v${release.version}`) : text;
}

async function jsonEntry(value: object): Promise<Entry> {
  return { path: "package/package.json", content: await contentOf(`${JSON.stringify(value, null, 2)}\n`) };
}
