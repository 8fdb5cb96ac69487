// What `release:facts` reads from executables, and the signature that we put under one.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../scripts/build.ts";
import { readBunSection } from "../../scripts/release/facts/bun-section.ts";
import { readElf } from "../../scripts/release/facts/elf.ts";
import { distributionsWith } from "../../scripts/release/facts/glibc.ts";
import { factsOf } from "../../scripts/release/facts/judge.ts";
import { readPe } from "../../scripts/release/facts/pe.ts";
import { mostOwnBytes, sizeOfEmptyProgram } from "../../scripts/release/facts/size.ts";
import { type Target, targets } from "../../scripts/release/targets.ts";
import { targetOfThisMachine } from "../../scripts/release/this-machine.ts";
import { describeNeeding, testNeeding } from "../facilities.ts";
import { bunSection, darwin, machO, pe } from "./made-up-binaries.ts";

setDefaultTimeout(120_000);

const here = await targetOfThisMachine();
const library = ["x86_64", "aarch64"]
  .map((cpu) => `/lib/${cpu}-linux-gnu/libm.so.6`)
  .find((path) => existsSync(path));
const program = bunSection(["/$bunfs/root/a.js", "/$bunfs/root/b.js"]);

describeNeeding("Bun's compiler")("an executable for this machine", () => {
  const directory = mkdtempSync(join(tmpdir(), "pccm-facts-"));
  const outfile = join(directory, "empty");
  let file: Buffer;
  beforeAll(async () => {
    const source = join(directory, "empty.ts");
    await Bun.write(source, "");
    const command = [process.execPath, "build", "--compile", source, "--outfile", outfile];
    const { exitCode } = Bun.spawnSync(command, { cwd: directory });
    expect(exitCode).toBe(0);
    file = readFileSync(process.platform === "win32" ? `${outfile}.exe` : outfile);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test("has the right format and processor, and Bun's section is whole", () => {
    const facts = factsOf(ours(), file);
    expect(facts.filter(({ name }) => name === "format" || name === "program")).toEqual([
      { name: "format", value: expect.stringMatching(new RegExp(`, 64 bit, ${process.arch}$`)) },
      { name: "program", value: "1 modules in 0.00 MB" },
    ]);
    const other = process.arch === "x64" ? "arm64" : "x64";
    expect(factsOf({ ...ours(), cpu: other }, file)[0]?.wrong).toBe(`the target is ${other}`);
  });

  test("is told to be wrong for any other system", () => {
    for (const target of targets.filter(({ os }) => os !== process.platform)) {
      expect(factsOf(target, file)).toEqual([
        { name: "format", value: expect.any(String), wrong: expect.stringMatching(`${target.os} takes`) },
      ]);
    }
  });

  test("is told to be wrong when its end is missing", () => {
    expect(factsOf(ours(), file.subarray(0, file.length / 2)).some(({ wrong }) => wrong !== undefined)).toBe(
      true,
    );
    expect(factsOf(ours(), file.subarray(0, 40))).toEqual([
      { name: "format", value: "cannot be read", wrong: "it is cut off" },
    ]);
  });

  testNeeding("Linux", "readelf")("is read as readelf reads it", () => {
    const readelf = (...flags: string[]) =>
      Bun.spawnSync(["readelf", "-W", ...flags, outfile]).stdout.toString();
    const facts = readElf(file);
    expect(readelf("-l")).toContain(`[Requesting program interpreter: ${facts.interpreter}]`);
    const libraries = [...readelf("-d").matchAll(/Shared library: \[(.*)\]/g)].map(([, name]) => name ?? "");
    expect(facts.libraries).toEqual(libraries);
    const versions = [...readelf("-V").matchAll(/Name: GLIBC_(\S+)/g)].map(([, version]) => version ?? "");
    expect(facts.glibc).toBe(versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1));
    expect(facts.stackIsData).toBe(/GNU_STACK.* RW /.test(readelf("-l")));
  });
});

testNeeding("Bun's compiler")("our executable is hardly larger than an empty program", async () => {
  const directory = mkdtempSync(join(tmpdir(), "pccm-size-"));
  try {
    const compiled = process.env["TEST_EXECUTABLE"];
    const outfile = compiled ?? join(directory, "program.exe");
    if (compiled === undefined) await build(outfile);
    const own = Bun.file(outfile).size - (await sizeOfEmptyProgram());
    expect(own).toBeGreaterThan(1_000_000);
    expect(own).toBeLessThanOrEqual(mostOwnBytes);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

testNeeding("Linux", "glibc")("a system library is read as one: any address, and no section of Bun's", () => {
  expect(readElf(readFileSync(library ?? ""))).toMatchObject({
    positionIndependent: true,
    stackIsData: true,
    bun: undefined,
  });
});

test("a glibc stands for the oldest releases that have it", () => {
  expect(distributionsWith("2.17")).toBe("RHEL 7, Debian 8, Ubuntu 14.04");
  expect(distributionsWith("2.29")).toBe("RHEL 9, Debian 11, Ubuntu 20.04");
  expect(distributionsWith("2.40")).toBe("Debian 13");
  expect(distributionsWith("3.0")).toBe("no distribution that we know of");
});

test("an executable that asks for more than is promised is told to be wrong", () => {
  const system = (macos: number) =>
    factsOf(darwin("arm64"), machO(100, { macos })).find(({ name }) => name === "system");
  expect(system(0x000c_0300)).toEqual({ name: "system", value: "macOS 12.3 or newer" });
  expect(system(0x000d_0000)).toEqual({ name: "system", value: "macOS 13.0 or newer" });
  expect(system(0x000d_0200)?.wrong).toBe("13 is promised");
  expect(system(0x000e_0000)?.wrong).toBe("13 is promised");
});

describe("a Windows executable", () => {
  test("tells its processor, subsystem, protection, certificate and properties", () => {
    expect(readPe(pe({ product: "Made up", bun: program }))).toEqual({
      machine: "x64",
      subsystem: "console",
      positionIndependent: true,
      stackIsData: true,
      certified: false,
      version: { ProductName: "Made up", ProductVersion: "1.2.3", CompanyName: "Somebody" },
      bun: program,
    });
  });

  test("is wrong when it would open a window", () => {
    const facts = factsOf(windows(), pe({ product: "Made up", bun: program, subsystem: 2 }));
    expect(facts.filter((fact) => fact.wrong !== undefined).map(({ name }) => name)).toEqual(["subsystem"]);
  });
});

describe("the section of Bun's", () => {
  test("is whole with all modules, their table and the last line", () => {
    expect(readBunSection(program)).toEqual({ modules: 2, bytes: 138 });
  });

  test("is not whole when a byte of its frame has changed, or the end is missing", () => {
    const changed = Buffer.from(program);
    changed.writeUInt8(0, program.length - 3);
    expect(() => readBunSection(changed)).toThrow("the program in it is cut off");
    expect(() => readBunSection(program.subarray(0, -1))).toThrow("the program in it is cut off");
    expect(() => readBunSection(bunSection(["elsewhere/a.js"]))).toThrow(
      'a module is called "elsewhere/a.js"',
    );
  });
});

function ours(): Target {
  if (!here) throw new Error(`There is no target for ${process.platform} on ${process.arch}`);
  return here;
}

function windows(): Target {
  const trial = { how: "built, not run", what: "nothing" } as const;
  return { name: "windows-x64", compiler: "bun-windows-x64", os: "win32", cpu: "x64", trial };
}
