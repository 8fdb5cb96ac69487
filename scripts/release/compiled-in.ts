// Which code of others is in the executable: what the bundler reads below `node_modules`, and what those files contain.
import { join, sep } from "node:path";
import { z } from "zod";
import { root } from "./release.ts";

/** One package that is compiled in. */
export interface Component {
  name: string;
  version: string;
  /** As a package URL. */
  purl: string;
  /** SPDX identifier. */
  license: string;
  /** Who wrote it, where its package says so. */
  author?: string | undefined;
  /** Where it is here, with its licence. If another package contains it, perhaps another version. */
  directory: string;
  /** Package URLs. */
  dependsOn: string[];
  /** SHA-512 of its tarball, where it comes out of one of its own. */
  integrity?: string;
}

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  author: z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]).optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
const lockfile = z.object({ packages: z.record(z.string(), z.array(z.unknown())) });

// A package that was built with pnpm tells in comments what it took in.
const vendoredMark = /#region .*\/\.pnpm\/[^/]+\/node_modules\/((?:@[^/]+\/)?[^/\s]+)/g;

/** Everything that is compiled in, sorted by package URL. Nothing is written. */
export async function compiledIn(): Promise<Component[]> {
  const files = await filesRead();
  const directories = [...new Set(files.map(packageDirectory))];
  const integrities = await integritiesInLock();
  const own = await Promise.all(
    directories.map(async (directory) => {
      const { name, version, license, author, dependencies } = await manifestIn(directory);
      const integrity = integrities.get(`${name}@${version}`);
      if (integrity === undefined) throw new Error(`bun.lock has no ${name} ${version}: run \`bun install\``);
      return {
        name,
        version,
        license,
        author,
        directory,
        dependencies: Object.keys(dependencies),
        integrity,
      };
    }),
  );
  const vendored = await vendoredIn(files);
  const purlsOf = (names: readonly string[], among: readonly { name: string; version: string }[]) =>
    among.flatMap((one) => (names.includes(one.name) ? [purlOf(one)] : []));
  const components = [
    ...own.map(({ dependencies, ...one }) => {
      const within = vendored.filter(({ carrier }) => carrier === one.directory);
      const dependsOn = [...purlsOf(dependencies, own), ...within.map(purlOf)].sort();
      return { ...one, purl: purlOf(one), dependsOn };
    }),
    ...vendored.map(({ dependencies, carrier, ...one }) => {
      const beside = vendored.filter((other) => other.carrier === carrier);
      return { ...one, purl: purlOf(one), dependsOn: purlsOf(dependencies, beside).sort() };
    }),
  ];
  return [...new Map(components.map((one) => [one.purl, one])).values()].sort((a, b) =>
    a.purl < b.purl ? -1 : 1,
  );
}

// The bundler tells best what it takes.
async function filesRead(): Promise<string[]> {
  const { metafile } = await Bun.build({
    entrypoints: [join(root, "src", "main.ts")],
    target: "bun",
    minify: true,
    metafile: true,
  });
  const outputs = Object.values(metafile?.outputs ?? {});
  const read = outputs.flatMap(({ inputs }) => Object.keys(inputs));
  return [...new Set(read)].flatMap((path) => {
    const at = path.indexOf("node_modules/");
    return at === -1 ? [] : [join(root, path.slice(at))];
  });
}

function packageDirectory(file: string): string {
  const mark = `${sep}node_modules${sep}`;
  const at = file.lastIndexOf(mark) + mark.length;
  const [first = "", second = ""] = file.slice(at).split(sep);
  return join(file.slice(0, at), first, first.startsWith("@") ? second : "");
}

async function vendoredIn(files: readonly string[]) {
  const found = await Promise.all(
    files.map(async (file) => {
      const marks = (await Bun.file(file).text()).matchAll(vendoredMark);
      return [...marks].map(([line, name = ""]) => ({ line, name, carrier: packageDirectory(file) }));
    }),
  );
  const each = new Map(found.flat().map((one) => [`${one.carrier} ${one.name}`, one]));
  return Promise.all(
    [...each.values()].map(async ({ line, name, carrier }) => {
      // `.pnpm/@scope+name@1.2.3_peer@4.5.6/`
      const version = line.split(`/.pnpm/${name.replace("/", "+")}@`)[1]?.match(/^[^_/(]+/)?.[0];
      const directory = join(root, "node_modules", name);
      if (version === undefined) throw new Error(`Internal error: ${line} tells no version`);
      const { license, author, dependencies } = await manifestIn(directory);
      return { name, version, license, author, directory, dependencies: Object.keys(dependencies), carrier };
    }),
  );
}

async function manifestIn(directory: string) {
  const { optionalDependencies, ...read } = manifest.parse(
    await Bun.file(join(directory, "package.json")).json(),
  );
  // The bundler takes them too, if they are there.
  return { ...read, dependencies: { ...read.dependencies, ...optionalDependencies } };
}

async function integritiesInLock(): Promise<Map<unknown, string>> {
  // It is JSON with trailing commas, which is what Bun reads as JSON with comments.
  const lock = lockfile.parse(Bun.JSONC.parse(await Bun.file(join(root, "bun.lock")).text()));
  return new Map(Object.values(lock.packages).map((entry) => [entry[0], String(entry.at(-1))]));
}

function purlOf({ name, version }: { name: string; version: string }): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}
