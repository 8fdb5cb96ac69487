// The npm packages: what npm would publish, and what goes with each executable.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { contentOf } from "../../scripts/release/content.ts";
import { noticesFile } from "../../scripts/release/notices.ts";
import {
  metaPackage,
  packMeta,
  packPlatform,
  packSecond,
  platformPackage,
  secondPackage,
} from "../../scripts/release/npm.ts";
import { names, packageOf, release } from "../../scripts/release/release.ts";
import { suffixOf, targets } from "../../scripts/release/targets.ts";
import { testNeeding } from "../facilities.ts";

const directory = mkdtempSync(join(tmpdir(), "pccm-npm-"));
// A list in some versions of npm, by name in others.
const onePackage = z.object({ files: z.array(z.object({ path: z.string() })) });
const report = z.union([z.array(onePackage), z.record(z.string(), onePackage)]);
const packages = [
  { name: release.name, pack: packMeta },
  { name: release.secondName, pack: packSecond },
  ...targets.map((target) => ({
    name: packageOf(target),
    pack: async () => packPlatform(target, await contentOf("not really a program")),
  })),
];

beforeAll(async () => {
  for (const { name, pack } of packages) {
    const place = join(directory, name);
    mkdirSync(place);
    await Bun.write(join(place, "package.tgz"), await pack());
    expect(Bun.spawnSync(["tar", "-xzf", "package.tgz"], { cwd: place }).exitCode).toBe(0);
  }
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

for (const { name } of packages) {
  testNeeding("npm")(`${name}: npm packs the same files from it, and warns of nothing`, () => {
    const place = join(directory, name, "package");
    const npm = Bun.spawnSync(["npm", "pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: place,
      // Nothing of the one who runs the tests: their settings bring warnings of their own.
      env: { PATH: process.env["PATH"] ?? "", HOME: directory, npm_config_update_notifier: "false" },
    });
    const [packed] = Object.values(report.parse(JSON.parse(npm.stdout.toString())));
    expect(packed?.files.map(({ path }) => path).sort()).toEqual(filesBelow(place));
    expect(npm.stderr.toString()).not.toMatch(/warn/i);
  });
}

test("the package that users name depends on exactly its own version of each platform's", () => {
  expect(metaPackage.optionalDependencies).toEqual(
    Object.fromEntries(targets.map((target) => [packageOf(target), release.version])),
  );
  expect(Object.keys(metaPackage.bin)).toEqual([...names, release.shortName]);
  expect(metaPackage).not.toHaveProperty("scripts");
  expect(metaPackage).not.toHaveProperty("dependencies");
});

test("the package with the second name starts exactly its own version of the first", () => {
  expect(secondPackage.dependencies).toEqual({ [release.name]: release.version });
  expect(secondPackage.bin).toEqual({ [release.secondName]: "launcher.mjs" });
  expect(secondPackage).not.toHaveProperty("scripts");
});

for (const target of targets) {
  describe(packageOf(target), () => {
    const place = join(directory, packageOf(target), "package");

    test("is for its platform alone", () => {
      const { os, cpu, libc } = { libc: undefined, ...platformPackage(target) };
      expect({ os, cpu, libc: libc?.[0] }).toEqual({ os: [target.os], cpu: [target.cpu], libc: target.libc });
      // npm looks at the C library on Linux alone, and would install none of two that do not say.
      expect(libc === undefined).toBe(target.os !== "linux");
    });

    test("has the executable, the licences of what is in it, and a word on what it is", async () => {
      const executable = join(place, "bin", `${release.name}${suffixOf(target)}`);
      expect(statSync(executable).mode & 0o777).toBe(0o755);
      expect(await Bun.file(join(place, noticesFile)).text()).toContain("zod");
      expect(await Bun.file(join(place, "LICENSE")).text()).toContain("MIT License");
      expect(await Bun.file(join(place, "README.md")).text()).toContain(`npx -y ${release.name}`);
    });
  });
}

test("every package tells where it comes from, and how it is found", async () => {
  for (const { name } of packages) {
    const manifest = await Bun.file(join(directory, name, "package", "package.json")).json();
    expect(manifest).toMatchObject({
      name,
      version: release.version,
      license: "MIT",
      homepage: `${release.repository}#readme`,
      bugs: { url: `${release.repository}/issues` },
      repository: { type: "git", url: `git+${release.repository}.git` },
    });
    expect(manifest.description.length).toBeGreaterThan(20);
    expect(JSON.stringify(manifest)).not.toContain("postinstall");
  }
  expect(metaPackage.keywords).toContain("mcp");
  expect(metaPackage.engines.node).toBe(">=18");
});

function filesBelow(place: string): string[] {
  const all = readdirSync(place, { recursive: true, encoding: "utf8" });
  return all.filter((path) => statSync(join(place, path)).isFile()).sort();
}
