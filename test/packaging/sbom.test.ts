// The bill of materials and the licences: they name what is in the executable, and say the same each time.
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { notices } from "../../scripts/release/notices.ts";
import { release, root } from "../../scripts/release/release.ts";
import { billOfMaterials } from "../../scripts/release/sbom.ts";
import { testNeeding } from "../facilities.ts";

const bill = await billOfMaterials();
const purls = bill.components.map(({ purl }) => purl);

test("the bill has every dependency and the runtime, and nothing that is for development", () => {
  for (const [name, version] of Object.entries(packageJson.dependencies)) {
    expect(purls).toContain(`pkg:npm/${name.replace("@", "%40")}@${version}`);
  }
  expect(purls).toContain(`pkg:github/oven-sh/bun@bun-v${Bun.version}`);
  for (const name of Object.keys(packageJson.devDependencies)) {
    expect(purls).not.toContainEqual(expect.stringContaining(`/${name.replace("@", "%40")}@`));
  }
});

testNeeding("Bun's compiler")(
  "what the bill says is in the executable is what the bundler put there",
  async () => {
    const place = mkdtempSync(join(tmpdir(), "pccm-sbom-"));
    try {
      const flags = ["--target=bun", "--sourcemap", "--splitting", "--outdir", place];
      const { exitCode } = Bun.spawnSync([process.execPath, "build", ...flags, "src/main.ts"], { cwd: root });
      expect(exitCode).toBe(0);
      const maps = readdirSync(place).filter((name) => name.endsWith(".map"));
      const sources = maps.flatMap((name) => {
        const map: { sources: string[] } = JSON.parse(readFileSync(join(place, name), "utf8"));
        return map.sources;
      });
      const packages = sources.flatMap(
        (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
      );
      expect(packages.length).toBeGreaterThan(0);
      const named: string[] = bill.components.map(({ name }) => name);
      expect(named).toEqual(expect.arrayContaining([...new Set(packages)]));
    } finally {
      rmSync(place, { recursive: true });
    }
  },
);

test("every component has a licence, and stands in the graph, which begins with the program", () => {
  for (const { licenses } of bill.components) expect(licenses).toHaveLength(1);
  const refs = [bill.metadata.component["bom-ref"], ...bill.components.map((one) => one["bom-ref"])];
  expect(new Set(refs).size).toBe(refs.length);
  expect(bill.dependencies.map(({ ref }) => ref).sort()).toEqual(refs.sort());
  const reached = new Set<string>();
  const visit = (ref: string) => {
    if (reached.has(ref)) return;
    reached.add(ref);
    for (const next of bill.dependencies.find((one) => one.ref === ref)?.dependsOn ?? []) visit(next);
  };
  visit(bill.metadata.component["bom-ref"]);
  expect([...reached].sort()).toEqual(refs.sort());
});

test("the bill is the same each time, and its serial number that of its content", async () => {
  expect(JSON.stringify(await billOfMaterials())).toBe(JSON.stringify(bill));
  expect(bill.serialNumber).toMatch(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(JSON.stringify(bill)).not.toMatch(/timestamp|20\d\d-\d\d-\d\d/);
});

test("the licences of all components go with the executable, the same each time", async () => {
  const text = await notices();
  expect(await notices()).toBe(text);
  for (const component of bill.components) {
    if (component.type === "library" && "version" in component)
      expect(text).toContain(`${component.name} ${component.version} (`);
  }
  expect(text).toContain(`Bun ${Bun.version}`);
  expect(text).toContain("JavaScriptCore");
  for (const words of [
    "Copyright (c) 2025 Colin McDonnell",
    "Copyright (c) Microsoft",
    "Copyright (c) Jeremy Danyow",
    "Apache License",
    release.repository,
  ]) {
    expect(text).toContain(words);
  }
  expect(text).not.toContain(root);
});
