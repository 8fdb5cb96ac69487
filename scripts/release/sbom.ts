// The bill of materials (CycloneDX) of what is compiled in: what the dependencies of `package.json` reach in `bun.lock`.
import { join } from "node:path";
import { z } from "zod";
import { release, root } from "./release.ts";

const lockfile = z.object({
  workspaces: z.object({ "": z.object({ dependencies: z.record(z.string(), z.string()) }) }),
  packages: z.record(
    z.string(),
    z.tuple([
      z.string(),
      z.string(),
      z.object({ dependencies: z.record(z.string(), z.string()).optional() }),
      z.string(),
    ]),
  ),
});

/** The bill of materials, out of the lock file. */
export async function billOfMaterials() {
  // It is JSON with trailing commas, which is what Bun reads as JSON with comments.
  const lock = lockfile.parse(Bun.JSONC.parse(await Bun.file(join(root, "bun.lock")).text()));
  const reached = new Map<string, { version: string; integrity: string }>();
  const visit = (name: string, parent: string) => {
    const key = lock.packages[`${parent}/${name}`] ? `${parent}/${name}` : name;
    const found = lock.packages[key];
    if (!found) throw new Error(`Internal error: ${name} is not in bun.lock`);
    if (reached.has(key)) return;
    reached.set(key, { version: found[0].slice(found[0].lastIndexOf("@") + 1), integrity: found[3] });
    for (const next of Object.keys(found[2].dependencies ?? {})) visit(next, key);
  };
  for (const name of Object.keys(lock.workspaces[""].dependencies)) visit(name, "");
  const components = [...reached].map(([key, { version, integrity }]) => {
    const name = key.match(/(?:@[^/]+\/)?[^/]+$/)?.[0] ?? key;
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    const content = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
    return { type: "library", "bom-ref": purl, name, version, purl, hashes: [{ alg: "SHA-512", content }] };
  });
  const runtime = { type: "framework", "bom-ref": `bun@${Bun.version}`, name: "bun", version: Bun.version };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": `pkg:npm/${release.name}@${release.version}`,
        name: release.name,
        version: release.version,
        licenses: [{ license: { id: release.license } }],
      },
    },
    components: [runtime, ...components.sort((a, b) => a.purl.localeCompare(b.purl, "en"))],
  };
}
