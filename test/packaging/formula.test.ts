// The Homebrew formula: what `brew audit` asks of it, and its installation and test by a stand-in for Homebrew.
import { afterAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { formulaOf } from "../../scripts/release/formula.ts";
import { archiveOf, names, release, root } from "../../scripts/release/release.ts";
import { targets } from "../../scripts/release/targets.ts";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";

const checksums = new Map(targets.map((target, at) => [archiveOf(target), String(at).repeat(64)]));
const formula = formulaOf(checksums);

const homebrew = join(import.meta.dir, "homebrew.rb");
const ruby = Bun.which("ruby") ?? "";

const base = realpathSync(mkdtempSync(join(tmpdir(), "pccm-formula-")));
afterAll(() => rmSync(base, { recursive: true }));
const file = join(base, `${release.name}.rb`);
writeFileSync(file, formula);

describe("what brew audit asks", () => {
  const [, desc = ""] = /^ {2}desc "(.*)"$/m.exec(formula) ?? [];

  test("the description is short, and begins and ends as it must", () => {
    expect(desc.length).toBeLessThanOrEqual(80);
    expect(desc).toMatch(/^[A-Z].*[^.\s]$/);
    expect(desc).not.toMatch(/^(an?|the) /i);
    expect(desc).not.toMatch(/command ?line/i);
    expect(desc.toLowerCase().replace(/[^a-z]/g, "")).not.toStartWith(release.name.replaceAll("-", ""));
  });

  test("the stanzas stand in Homebrew's order", () => {
    const stanzas = [...formula.matchAll(/^ {2}(?:def )?(\w+)/gm)].map(([, name]) => name);
    const order =
      "desc homepage version license livecheck on_macos on_linux install short_name_free caveats test".split(
        " ",
      );
    expect(stanzas.filter((name) => name !== "end")).toEqual(
      order.filter((name) => name !== "version" || release.version.includes("-")),
    );
  });

  test("every system that Homebrew knows has the archive and the checksum of its own", () => {
    const found = [...formula.matchAll(/url "(.*)"\n\s+sha256 "(.*)"/g)].map(([, url = "", sum]) => [
      basename(url),
      sum,
    ]);
    const wanted = targets.filter(({ os, libc }) => os !== "win32" && libc !== "musl").map(archiveOf);
    expect(found.toSorted()).toEqual(wanted.map((name) => [name, checksums.get(name)]).toSorted());
  });
});

test("an archive without a checksum is refused", () => {
  expect(() => formulaOf(new Map())).toThrow("Internal error: no archive for darwin arm64");
});

testNeeding("ruby")("ruby parses it without a warning", () => {
  const { stdout, stderr } = Bun.spawnSync([ruby, "-wc", file]);
  expect([stdout.toString(), stderr.toString()]).toEqual(["Syntax OK\n", ""]);
});

for (const [system, processor, target] of [
  ["macos", "arm", "darwin-arm64"],
  ["macos", "intel", "darwin-x64"],
  ["linux", "arm", "linux-arm64"],
  ["linux", "intel", "linux-x64"],
] as const) {
  testNeeding("ruby")(`${system} on ${processor} gets ${target}, of the version that Homebrew reads`, () => {
    const { stdout } = Bun.spawnSync([ruby, homebrew, file, system, processor]);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      url: expect.stringContaining(`/v${release.version}/${release.name}-${target}.tar.gz`),
      license: release.license,
      strategy: "github_latest",
      scanned: release.version,
    });
  });
}

testNeeding("ruby")(
  "it installs both names and their completions, and its test does a handshake",
  async () => {
    await using home = new Home();
    const prefix = join(home.path, "prefix");
    const program = `#!/bin/sh\nexec "${process.execPath}" "${join(root, "src/main.ts")}" "$@"\n`;
    writeFileSync(join(home.work, release.name), program, { mode: 0o755 });
    const command = [ruby, homebrew, file, "linux", "intel", prefix];
    const { stdout, stderr } = Bun.spawnSync(command, { cwd: home.work, env: home.environment });
    expect(stderr.toString()).toBe("");
    expect(readdirSync(join(prefix, "bin")).sort()).toEqual([...names, release.shortName].sort());
    expect(stdout.toString()).not.toContain("short name");
    expect(readdirSync(join(prefix, "fish")).sort()).toEqual(names.map((name) => `${name}.fish`).sort());
    if (Bun.which("zsh")) expect(zshCompletes(prefix, home)).toContain("install");
  },
);

testNeeding("ruby")("a program that has the short name already keeps it, and the user hears of it", () => {
  const prefix = mkdtempSync(join(base, "prefix-"));
  const bin = join(prefix, "bin");
  mkdirSync(bin);
  const short = join(bin, release.shortName);
  // Only as far as its own test, because this is no program.
  const install = () => {
    const unpacked = mkdtempSync(join(base, "unpacked-"));
    const program = '#!/bin/sh\n[ "$1" = completions ]\n';
    writeFileSync(join(unpacked, release.name), program, { mode: 0o755 });
    for (const name of names) rmSync(join(bin, name), { force: true });
    return Bun.spawnSync([ruby, homebrew, file, "linux", "intel", prefix], {
      cwd: unpacked,
    }).stdout.toString();
  };
  writeFileSync(short, "a compiler");
  expect(install()).toContain(`The short name ${release.shortName} is left out`);
  expect(readFileSync(short, "utf8")).toBe("a compiler");
  rmSync(short);
  symlinkSync("../Cellar/pcc/1.1.0/bin/pcc", short);
  install();
  expect(readlinkSync(short)).toBe("../Cellar/pcc/1.1.0/bin/pcc");
});

/** What zsh offers for the first word. */
function zshCompletes(prefix: string, home: Home): string {
  const look = `fpath=("$1" $fpath); autoload -U compinit; compinit -D -u
    compadd() { print -l -- $found }
    words=(${release.name} ""); CURRENT=2; $_comps[${release.secondName}]`;
  return Bun.spawnSync(["zsh", "-f", "-c", look, "zsh", join(prefix, "zsh")], {
    env: { ...home.environment, PATH: `${join(prefix, "bin")}:${home.environment["PATH"] ?? ""}` },
  }).stdout.toString();
}
