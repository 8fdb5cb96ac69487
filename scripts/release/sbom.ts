// The bill of materials (CycloneDX) of the executable: what is compiled in, and the runtime that carries it.
import packageJson from "../../package.json" with { type: "json" };
import { type Component, compiledIn } from "./compiled-in.ts";
import { release } from "./release.ts";

const bunVersion = Bun.version;
const bunTag = `bun-v${bunVersion}`;

const program = {
  type: "application",
  "bom-ref": `pkg:npm/${release.name}@${release.version}`,
  name: release.name,
  version: release.version,
  description: release.description,
  purl: `pkg:npm/${release.name}@${release.version}`,
  licenses: [{ license: { id: release.license } }],
  externalReferences: [{ type: "vcs", url: release.repository }],
};

// Of what Bun links, its own page on licences tells the rest: it goes with every artifact.
const engine = {
  type: "library",
  "bom-ref": "pkg:github/oven-sh/WebKit",
  name: "JavaScriptCore",
  description: "Bun's JavaScript engine, linked statically.",
  purl: "pkg:github/oven-sh/WebKit",
  licenses: [{ license: { name: "LGPL-2" } }],
};

const runtime = {
  type: "platform",
  "bom-ref": `pkg:github/oven-sh/bun@${bunTag}`,
  name: "bun",
  version: bunVersion,
  purl: `pkg:github/oven-sh/bun@${bunTag}`,
  licenses: [{ license: { id: "MIT" } }],
  externalReferences: [
    { type: "vcs", url: "https://github.com/oven-sh/bun" },
    { type: "license", url: `https://github.com/oven-sh/bun/blob/${bunTag}/LICENSE.md` },
  ],
};

/** The bill of materials: no time of making, and a serial number that follows from the rest. */
export async function billOfMaterials() {
  const components = await compiledIn();
  const direct = components.filter(({ name }) => name in packageJson.dependencies);
  const content = {
    version: 1,
    metadata: { component: program },
    components: [...components.map(libraryOf), engine, runtime],
    dependencies: [
      { ref: program["bom-ref"], dependsOn: [...direct.map(({ purl }) => purl), runtime["bom-ref"]] },
      ...components.map(({ purl, dependsOn }) => ({ ref: purl, dependsOn })),
      { ref: engine["bom-ref"], dependsOn: [] },
      { ref: runtime["bom-ref"], dependsOn: [engine["bom-ref"]] },
    ],
  };
  const serialNumber = `urn:uuid:${Bun.randomUUIDv5(JSON.stringify(content), "url")}`;
  return { bomFormat: "CycloneDX", specVersion: "1.6", serialNumber, ...content };
}

function libraryOf({ name, version, purl, license, integrity }: Component) {
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    purl,
    licenses: [{ license: { id: license } }],
    ...(integrity === undefined ? {} : { hashes: [hashOf(integrity)] }),
  };
}

function hashOf(integrity: string) {
  const content = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
  return { alg: "SHA-512", content };
}
