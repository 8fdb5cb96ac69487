// The npm packages: one with the launcher, which depends on exactly its own version of one for each platform; and one
// under the second name, which depends on exactly its own version of the first. No install scripts.
import { join } from "node:path";
import { type Content, contentOf, type Entry } from "./content.ts";
import { notices, noticesFile } from "./notices.ts";
import { readmeFor } from "./readme.ts";
import { documents, names, owner, packageOf, release, root, withOwner } from "./release.ts";
import { tarGzip } from "./tar.ts";
import { suffixOf, type Target, targets } from "./targets.ts";

const common = {
  version: release.version,
  type: "module",
  license: release.license,
  homepage: `${release.repository}#readme`,
  bugs: { url: `${release.repository}/issues` },
  repository: { type: "git", url: `git+${release.repository}.git` },
};

/** What it is found by, in registries and lists of extensions. */
export const keywords = ["mcp", "mcp-server", "claude", "claude-code", "agents", "parallel", "batch", "cli"];

/** `package.json` of the package that users name. */
export const metaPackage = {
  name: release.name,
  description: release.description,
  keywords,
  ...common,
  mcpName: release.mcpName,
  // npm takes these and README.md, LICENSE and package.json; so packing the unpacked package gives it again.
  files: ["launcher.mjs", "CHANGELOG.md"],
  // npm itself refuses to install globally over a command that is there.
  bin: Object.fromEntries([...names, release.shortName].map((name) => [name, "launcher.mjs"])),
  engines: { node: ">=18" },
  optionalDependencies: Object.fromEntries(targets.map((target) => [packageOf(target), release.version])),
};

/** `package.json` of the package that has the second name: who asks npm for that name finds the same program. */
export const secondPackage = {
  name: release.secondName,
  description: `Alias of ${release.name}: ${release.description}`,
  keywords,
  ...common,
  files: ["launcher.mjs"],
  // Not the first name as well: npm refuses to install two packages globally that bring the same command.
  bin: { [release.secondName]: "launcher.mjs" },
  engines: metaPackage.engines,
  dependencies: { [release.name]: release.version },
};

/** `package.json` of a platform's package. */
export function platformPackage(target: Target) {
  const { os, cpu, libc } = target;
  return {
    name: packageOf(target),
    description: `The executable of ${release.name} for ${titleOf(target)}.`,
    ...common,
    files: ["bin", noticesFile],
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
    await launcherEntry("launcher.mjs"),
    ...(await ownDocuments("package/")),
  ]);
}

/** The tarball of the package that has the second name. */
export async function packSecond(): Promise<Uint8Array> {
  const [license] = (await ownDocuments("package/")).filter(({ path }) => path.endsWith("/LICENSE"));
  if (!license) throw new Error("Internal error: there is no licence among the documents");
  return tarGzip([
    await jsonEntry(secondPackage),
    await launcherEntry("second-launcher.mjs"),
    { path: "package/README.md", content: await contentOf(secondReadme()) },
    license,
  ]);
}

/** The tarball of a platform's package. */
export async function packPlatform(target: Target, executable: Content): Promise<Uint8Array> {
  const path = `package/bin/${release.name}${suffixOf(target)}`;
  const documents = await documentEntries("package/");
  return tarGzip([
    await jsonEntry(platformPackage(target)),
    { path: "package/README.md", content: await contentOf(platformReadme(target)) },
    ...documents.filter(({ path }) => path.endsWith("/LICENSE") || path.endsWith(noticesFile)),
    { path, content: executable, executable: true },
  ]);
}

/** `Linux on x64 (musl)`. */
function titleOf({ os, cpu, libc }: Target): string {
  const system = { linux: "Linux", darwin: "macOS", win32: "Windows" }[os];
  return `${system} on ${cpu}${libc === undefined ? "" : ` (${libc})`}`;
}

function platformReadme(target: Target): string {
  return `# ${packageOf(target)}

The executable of [${release.name}](${release.repository}#readme) for ${titleOf(target)}. Do not install it
directly: the package \`${release.name}\` depends on it and starts it.

    npx -y ${release.name} --version

\`${noticesFile}\` lists the third-party software in it, with its licences.
`;
}

function secondReadme(): string {
  return `# ${release.secondName}

An alias of [${release.name}](${release.repository}#readme), where all documentation is. The package depends on the same version of
\`${release.name}\` and starts it.

    npx -y ${release.secondName} --version
`;
}

/** The documents that go with every executable, the licences of what is in it among them. */
export async function documentEntries(prefix = ""): Promise<Entry[]> {
  text ??= notices().then(contentOf);
  return [...(await ownDocuments(prefix)), { path: `${prefix}${noticesFile}`, content: await text }];
}

// The same for all targets.
let text: Promise<Content> | undefined;

function ownDocuments(prefix: string): Promise<Entry[]> {
  return Promise.all(
    documents.map(async (name) => ({
      path: `${prefix}${name}`,
      content: await contentOf(await documentText(name)),
    })),
  );
}

async function documentText(name: (typeof documents)[number]): Promise<string> {
  const text = await Bun.file(join(root, name)).text();
  return withOwner(name === "README.md" ? readmeFor(text, owner, `v${release.version}`) : text);
}

async function launcherEntry(source: string): Promise<Entry> {
  const content = await contentOf(await Bun.file(join(import.meta.dir, source)).bytes());
  return { path: "package/launcher.mjs", content, executable: true };
}

async function jsonEntry(value: object): Promise<Entry> {
  return { path: "package/package.json", content: await contentOf(`${JSON.stringify(value, null, 2)}\n`) };
}
