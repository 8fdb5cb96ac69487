// Which archive install.sh takes, with which tools, from where.
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { release, root } from "../../scripts/release/release.ts";
import { needsOf, targets } from "../../scripts/release/targets.ts";
import { testNeeding } from "../facilities.ts";
import { Installation, type Machine, says } from "./install-harness.ts";

const { name } = release;

test("what it says that a program needs is what docs/install.md says", () => {
  const script = readFileSync(join(root, "scripts/release/install.sh"), "utf8");
  for (const target of targets.filter(({ os }) => os !== "win32"))
    expect(script).toContain(`"it needs ${needsOf(target)}"`);
});

describe.concurrent("the archive is that of the machine", () => {
  const machines: [what: string, machine: Machine, archive: string][] = [
    ["Linux on x86_64", {}, "linux-x64"],
    ["Linux on amd64", { processor: "amd64" }, "linux-x64"],
    ["Linux on aarch64", { processor: "aarch64" }, "linux-arm64"],
    ["musl", { ldd: ["musl libc (x86_64)", 1] }, "linux-x64-musl"],
    ["musl on aarch64", { processor: "aarch64", ldd: ["musl libc (aarch64)", 1] }, "linux-arm64-musl"],
    ["macOS on Intel", { system: "Darwin" }, "darwin-x64"],
    ["macOS on Intel that knows of Rosetta", { system: "Darwin", translated: false }, "darwin-x64"],
    ["macOS on arm64", { system: "Darwin", processor: "arm64" }, "darwin-arm64"],
    ["Rosetta", { system: "Darwin", translated: true }, "darwin-arm64"],
  ];
  for (const [what, machine, archive] of machines) {
    test(`${what}: ${archive}`, async () => {
      await using place = new Installation();
      await place.offer("1.0.0");
      expect((await place.install({ machine })).code).toBe(0);
      expect(place.asked).toEqual(["SHA256SUMS", `${name}-${archive}.tar.gz`]);
    });
  }

  testNeeding("glibc")(
    "a Linux of glibc without ldd is none of musl, whose loader it may have as well",
    async () => {
      await using place = new Installation();
      await place.offer("1.0.0");
      await place.install({ without: ["ldd"] });
      expect(place.asked[1]).toBe(`${name}-linux-x64.tar.gz`);
    },
  );

  for (const [machine, said] of [
    [{ processor: "riscv64" }, "there is no program for the processor riscv64, only for x86_64 and arm64"],
    [{ system: "FreeBSD" }, "there is no program for FreeBSD here, only for Linux and macOS"],
    [{ system: "MINGW64_NT-10.0" }, "on Windows, use install.ps1"],
  ] as const) {
    test(`none for ${Object.values(machine)[0]}: nothing is asked for`, async () => {
      await using place = new Installation();
      const { code, err } = await place.install({ machine });
      expect(code).toBe(1);
      expect(err).toContain(said);
      expect(place.asked).toEqual([]);
      expect(place.left).toEqual([]);
    });
  }
});

for (const [only, without] of [
  ["wget", "curl"],
  ["shasum", "sha256sum"],
] as const) {
  testNeeding(only)(`${only} does where ${without} is not`, async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const { code, err } = await place.install({ without: [without] });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(says(place.program, "--version")).toBe("1.0.0");
  });
}

describe.concurrent("options", () => {
  for (const [args, said] of [
    [["--dir"], "--dir needs a value"],
    [["--dir", ""], "--dir needs a value"],
    [["--version"], "--version needs a value"],
    [["--directory", "x"], "there is no option --directory"],
    [["--dir=x"], "there is no option --dir=x"],
    [["x"], "there is no option x"],
  ] as const) {
    test(`${JSON.stringify(args)} is refused with the usage`, async () => {
      await using place = new Installation();
      const { code, err } = await place.install({ args: [...args] });
      expect(code).toBe(1);
      expect(err).toContain(said);
      expect(err).toContain("install.sh [--dir DIRECTORY] [--version VERSION]");
      expect(place.left).toEqual([]);
    });
  }

  test("--help only tells the usage", async () => {
    await using place = new Installation();
    expect(await place.install({ args: ["--help"] })).toEqual({
      code: 0,
      out: "install.sh [--dir DIRECTORY] [--version VERSION]\n",
      err: "",
    });
    expect(place.left).toEqual([]);
  });

  for (const [args, path] of [
    [[], "releases/latest/download"],
    [["--version", "1.2.3"], "releases/download/v1.2.3"],
    [["--version", "v1.2.3"], "releases/download/v1.2.3"],
  ] as const) {
    test(`${JSON.stringify(args)} downloads from ${path}, by https alone`, async () => {
      await using place = new Installation();
      const tools = join(place.path, "tools");
      mkdirSync(tools);
      writeFileSync(join(tools, "curl"), `#!/bin/sh\necho "$*" >>"${place.path}/curls"\nexit 22\n`, {
        mode: 0o755,
      });
      const environment = { PARALLEL_CLAUDE_DOWNLOADS: undefined };
      expect((await place.install({ args: [...args], path: tools, environment })).code).toBe(1);
      const asked = readFileSync(join(place.path, "curls"), "utf8");
      expect(asked).toContain(`--proto =https `);
      expect(asked).toContain(`https://github.com/OWNER/${name}/${path}/SHA256SUMS\n`);
    });
  }
});
