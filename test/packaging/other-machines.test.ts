// The executables for other processors and for another C library, run on this machine as far as Debian's packages allow:
// for arm64 by qemu, for musl by its own loader. Debian has no libstdc++ for musl, so glibc's is used, with a shim.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../scripts/build.ts";
import { type Target, targets } from "../../scripts/release/targets.ts";
import { armLibraries, armMuslLoader, describeNeeding, libraryOfGlibc, muslLoader } from "../facilities.ts";
import { fakeDirectory } from "../harness.ts";

const root = join(import.meta.dir, "..", "..");

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pccm-machines-")));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function buildFor(name: Target["name"]): Promise<string> {
  const target = targets.find((one) => one.name === name);
  if (!target) throw new Error(`There is no target ${name}`);
  const program = join(folder, name);
  await build(program, target.compiler);
  return program;
}

/** Version, handshake, list of tools, and a batch of three; what was done, line by line. */
function tryProgram(program: string, environment: Record<string, string> = {}): string[] {
  const { stdout, stderr, exitCode } = Bun.spawnSync(
    [join(root, ".github/scripts/try-program.sh"), program, join(fakeDirectory, "claude")],
    { env: { ...process.env, FAKE_CLAUDE_BUN: process.execPath, ...environment } },
  );
  if (exitCode !== 0) throw new Error(`It ended with ${exitCode}: ${stdout}${stderr}`);
  return stdout.toString().trim().split("\n").slice(1);
}

const whole = ["handshake and list of tools", "a batch of three"];

describeNeeding(
  "Linux on x64",
  "qemu",
  "glibc for arm64",
  "Bun's runtime for arm64",
)("for arm64", () => {
  test("the executable shakes hands, lists its tools and runs a batch of three", async () => {
    const program = await buildFor("linux-arm64");
    const started = join(folder, "started-by-qemu");
    await Bun.write(started, `#!/bin/sh\nexec qemu-aarch64-static -L ${armLibraries} ${program} "$@"\n`);
    chmodSync(started, 0o755);
    expect(tryProgram(started)).toEqual(whole);
  }, 240_000);
});

/** A folder with what a program for musl needs beside musl: glibc's libstdc++ and libgcc_s, with a shim before them. */
function librariesFor(folder: string, { compiler, from, loader, glibc }: Musl): string {
  const libraries = join(folder, "libraries");
  mkdirSync(libraries, { recursive: true });
  const compile = (...words: string[]) => {
    const { success, stderr } = Bun.spawnSync([compiler, "-shared", "-fPIC", "-nostdlib", ...words]);
    if (!success) throw new Error(stderr.toString());
  };
  const stub = join(folder, "stub.so");
  // The shim takes the place of libstdc++, and brings the real one.
  compile("-x", "c", "/dev/null", "-Wl,-soname,libstdc++-real.so.6", "-o", stub);
  const shim = join(import.meta.dir, "musl-shim.c");
  const names = ["-Wl,--no-as-needed", "-Wl,-soname,libstdc++.so.6"];
  compile(...names, "-o", join(libraries, "libstdc++.so.6"), shim, stub);
  copyFileSync(from("libstdc++.so.6"), join(libraries, "libstdc++-real.so.6"));
  copyFileSync(from("libgcc_s.so.1"), join(libraries, "libgcc_s.so.1"));
  // They ask for glibc's loader. This one knows itself under any name only if it is the same file.
  symlinkSync(loader, join(libraries, glibc));
  return libraries;
}

interface Musl {
  compiler: string;
  /** Where a library of glibc's is, by its name. */
  from(name: string): string;
  loader: string;
  /** What glibc calls its own loader. */
  glibc: string;
}

describeNeeding(
  "Linux on x64",
  "musl",
  "a C compiler",
  "Bun's runtime for musl",
)("for musl", () => {
  test("the executable shakes hands, lists its tools and runs a batch of three", async () => {
    const program = await buildFor("linux-x64-musl");
    const libraries = librariesFor(join(folder, "musl"), {
      compiler: "cc",
      from: libraryOfGlibc,
      loader: muslLoader,
      glibc: "ld-linux-x86-64.so.2",
    });
    expect(tryProgram(program, { LD_LIBRARY_PATH: libraries })).toEqual(whole);
  }, 240_000);
});

describeNeeding(
  "Linux on x64",
  "qemu",
  "glibc for arm64",
  "libstdc++ for arm64",
  "a compiler for arm64",
  "Debian's musl for arm64",
  "Bun's runtime for arm64 and musl",
)("for arm64 and musl", () => {
  test("the executable shakes hands, lists its tools and runs a batch of three", async () => {
    const program = await buildFor("linux-arm64-musl");
    const below = join(folder, "arm-root");
    mkdirSync(join(below, "lib"), { recursive: true });
    const loader = join(below, "lib", "ld-musl-aarch64.so.1");
    copyFileSync(armMuslLoader, loader);
    const libraries = librariesFor(join(folder, "arm-musl"), {
      compiler: "aarch64-linux-gnu-gcc",
      from: (name) => join(armLibraries, "lib", name),
      loader,
      glibc: "ld-linux-aarch64.so.1",
    });
    const started = join(folder, "started-with-musl");
    const qemu = `qemu-aarch64-static -L ${below} -E LD_LIBRARY_PATH=${libraries}`;
    await Bun.write(started, `#!/bin/sh\nexec ${qemu} ${program} "$@"\n`);
    chmodSync(started, 0o755);
    expect(tryProgram(started)).toEqual(whole);
  }, 240_000);
});
