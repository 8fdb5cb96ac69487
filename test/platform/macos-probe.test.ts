// The probe of macOS, against the imitation on Linux: its checks must be right before a Mac runs them.
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { assumptions } from "../../scripts/macos/assumptions.ts";
import { layoutProgram } from "../../scripts/macos/layout-program.ts";
import { probe } from "../../scripts/macos/probe.ts";
import { constantHeaders, constants, structures } from "../../src/platform/processes/macos-structures.ts";
import { testNeeding } from "../facilities.ts";
import { filesBelow } from "../files-below.ts";
import { FakeMac } from "./imitation/fake-mac.ts";

setDefaultTimeout(120_000);

const root = join(import.meta.dir, "..", "..");

testNeeding("Linux", "a C compiler")(
  "every assumption that needs no program of macOS holds for the imitation",
  async () => {
    using mac = new FakeMac();
    const findings = await probe(mac, { isMac: false, patienceMs: 60_000 });
    expect(findings.filter(({ holds }) => !holds)).toEqual([]);
    expect(findings.length).toBe(assumptions.filter(({ onlyOnMac }) => !onlyOnMac).length);
    expect(findings.length).toBeGreaterThan(20);
  },
);

testNeeding("Linux", "a C compiler")(
  "where the calls disagree with what is, the probe says which assumptions are wrong",
  async () => {
    using mac = new FakeMac();
    // A system with us alone, whose parent and start are others.
    mac.record({ pid: process.pid, parent: 1, user: 0 });
    const wrong = (await probe(mac, { isMac: false, patienceMs: 100 }))
      .filter(({ holds }) => !holds)
      .map(({ assumes }) => assumes);
    expect(wrong).toContain(
      "`proc_pidinfo` gives our parent, and for a new child a start between a minute ago and now.",
    );
    expect(wrong).toContain("Processes of other users stand in the table, with parent and start.");
    expect(wrong).toContain("A process whose parent ended keeps its group and session.");
  },
);

/** Headers of Apple's names, with the structures of the imitation and these constants. */
function headersIn(folder: string, values: Record<string, number>): void {
  const names = new Set([...structures.map(({ header }) => header), ...constantHeaders]);
  const defines = Object.entries(values).map(([name, value]) => `#undef ${name}\n#define ${name} ${value}\n`);
  const text = `#pragma once\n#include "${join(import.meta.dir, "imitation", "structures.h")}"\n${defines.join("")}`;
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

async function layoutSays(values: Record<string, number>): Promise<{ code: number; lines: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "pccm-layout-"));
  try {
    headersIn(folder, values);
    await Bun.write(join(folder, "layout.c"), layoutProgram());
    const compiler = [
      "cc",
      "-Wall",
      "-Werror",
      "-I",
      folder,
      "-o",
      join(folder, "layout"),
      join(folder, "layout.c"),
    ];
    const compiled = Bun.spawnSync(compiler);
    expect(compiled.stderr.toString()).toBe("");
    const { exitCode, stdout } = Bun.spawnSync([join(folder, "layout")]);
    return { code: exitCode, lines: stdout.toString().trim().split("\n") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

testNeeding("Linux", "a C compiler")(
  "the program in C confirms every size, offset and constant",
  async () => {
    const { code, lines } = await layoutSays(constants);
    expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
    expect(lines.length).toBeGreaterThan(40);
    expect(code).toBe(0);
  },
);

testNeeding("Linux", "a C compiler")(
  "the program in C names what is otherwise, and what the headers do not say",
  async () => {
    const { SZOMB: _, ...known } = constants;
    const { code, lines } = await layoutSays({ ...known, KERN_PROCARGS2: 50 });
    expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([
      "no KERN_PROCARGS2 is 50 instead of 49",
      "?? SZOMB",
    ]);
    expect(code).toBe(1);
  },
);

test("every file that an assumption names is there", () => {
  const files = assumptions.flatMap(({ reliedOn }) => reliedOn);
  const lacking = files.filter(
    (path) => !existsSync(join(root, path.startsWith("src/") ? path : `src/platform/${path}`)),
  );
  expect(lacking).toEqual([]);
});

testNeeding("paths that begin with a slash")(
  "every file that does something else on macOS relies on an assumption",
  async () => {
    const named = new Set(
      assumptions.flatMap(({ reliedOn }) =>
        reliedOn.map((path) => (path.startsWith("src/") ? path : `src/platform/${path}`)),
      ),
    );
    const files = filesBelow(join(root, "src"), ".ts").map((path) => `src/${path}`);
    const texts = await Promise.all(files.map((path) => Bun.file(join(root, path)).text()));
    const ofMac = files.filter((path, at) => /"darwin"|\/macos[^/]*\.ts$/.test(`${texts[at]}/${path}`));
    expect(ofMac.length).toBeGreaterThan(10);
    expect(ofMac.filter((path) => !named.has(path))).toEqual([]);
  },
);
