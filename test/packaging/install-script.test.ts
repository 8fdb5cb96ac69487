// install.sh as users run it: real shells, a real server on loopback, and pretend programs in the archives.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { release } from "../../scripts/release/release.ts";
import { describeNeedingAtOnce, type FacilityName, testNeeding } from "../facilities.ts";
import { HalfServer } from "./half-server.ts";
import { Installation, pretend, says, script } from "./install-harness.ts";

const { name, secondName, shortName } = release;

const shells: [FacilityName, ...string[]][] = [
  ["sh"],
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "sh"],
  ["mksh"],
  ["ksh"],
  ["zsh", "--emulate", "sh"],
];

const signals = [
  ["SIGTERM", 143],
  ["SIGINT", 130],
  ["SIGHUP", 129],
] as const;

for (const shell of shells) {
  const label = shell.join(" ");
  describeNeedingAtOnce(shell[0])(label, () => {
    test("a fresh installation answers to both names, and leaves nothing else", async () => {
      await using place = new Installation();
      await place.offer("1.2.3");
      const { code, out, err } = await place.install({ shell });
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain(
        `${name} 1.2.3 is installed: ${place.program}, also as ${secondName} and ${shortName}.`,
      );
      expect(says(place.program, "--version")).toBe("1.2.3");
      expect(says(join(place.directory, shortName), "list")).toBe("1.2.3 ran with list");
      expect(says(join(place.directory, secondName), "list")).toBe("1.2.3 ran with list");
      expect(place.left).toEqual([
        ".local",
        ".local/bin",
        ...[secondName, name, shortName].map((one) => `.local/bin/${one}`),
      ]);
    });

    test("piped into the shell, it takes its options behind -s --", async () => {
      await using place = new Installation();
      await place.offer("1.2.3");
      const directory = join(place.home, "elsewhere");
      const { code, err } = await place.install({
        shell,
        piped: readFileSync(script, "utf8"),
        args: ["--dir", directory],
      });
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(place.left).toEqual([
        "elsewhere",
        ...[secondName, name, shortName].map((one) => `elsewhere/${one}`),
      ]);
    });

    test("a wrong checksum leaves the earlier version, and nothing else", async () => {
      await using place = new Installation();
      await place.offer("1.0.0");
      await place.install();
      const before = place.left;
      await place.offer("2.0.0");
      place.files.set(
        "SHA256SUMS",
        String(place.files.get("SHA256SUMS")).replace(/^[0-9a-f]{8}/gm, "00000000"),
      );
      const { code, err } = await place.install({ shell });
      expect(code).toBe(1);
      expect(err).toMatch(
        /has the checksum [0-9a-f]{64} and should have 0{8}[0-9a-f]{56}: .*nothing was installed/,
      );
      expect(says(place.program, "--version")).toBe("1.0.0");
      expect(place.left).toEqual(before);
    });

    for (const [signal, status] of label === "sh" ? signals : signals.slice(0, 1)) {
      test(`${signal} during the download ends it at once, and leaves nothing`, async () => {
        await using place = new Installation();
        await place.offer("2.0.0");
        using half = new HalfServer({ sums: String(place.files.get("SHA256SUMS")), after: "wait" });
        const child = place.start({ shell, environment: { PARALLEL_CLAUDE_DOWNLOADS: half.url } });
        await half.sent.promise;
        child.kill(signal);
        expect(await child.exited).toBe(status);
        // The download has ended too, not only the shell.
        await half.left.promise;
        expect(place.left).toEqual([]);
      });
    }
  });
}

test("an upgrade leaves a program that runs alone, and the next start is the new one", async () => {
  await using place = new Installation();
  await place.offer("2.0.0");
  mkdirSync(place.directory, { recursive: true });
  copyFileSync(Bun.which("cat") ?? "", place.program);
  chmodSync(place.program, 0o755);
  const earlier = Bun.spawn([place.program], { stdin: "pipe", stdout: "pipe" });
  const { code } = await place.install();
  expect(code).toBe(0);
  expect(says(place.program, "--version")).toBe("2.0.0");
  earlier.stdin.write("still here");
  earlier.stdin.end();
  expect(await earlier.stdout.text()).toBe("still here");
});

test("an upgrade replaces a link of another channel, not what it leads to", async () => {
  await using place = new Installation();
  await place.offer("2.0.0");
  mkdirSync(place.directory, { recursive: true });
  const other = join(place.path, "other");
  writeFileSync(other, pretend("1.0.0"), { mode: 0o755 });
  symlinkSync(other, place.program);
  symlinkSync(other, join(place.directory, secondName));
  expect((await place.install()).code).toBe(0);
  expect(says(other, "--version")).toBe("1.0.0");
  expect(lstatSync(place.program).isFile()).toBe(true);
  expect(readlinkSync(join(place.directory, secondName))).toBe(name);
});

test("a program that has the short name already keeps it, and the user hears of it", async () => {
  await using place = new Installation();
  await place.offer("1.0.0");
  mkdirSync(place.directory, { recursive: true });
  const short = join(place.directory, shortName);
  const isTold = async (other: string, path?: string) => {
    const { code, out } = await place.install(path === undefined ? {} : { path });
    expect(code).toBe(0);
    expect(out).toContain(`also as ${secondName}.\nThe short name ${shortName} was not installed`);
    expect(out).toContain(`because another program has it: ${other}\n`);
    expect(/^To remove it: (.*)$/m.exec(out)?.[1]).not.toContain(short);
  };
  writeFileSync(short, "a compiler", { mode: 0o755 });
  await isTold(short);
  expect(readFileSync(short, "utf8")).toBe("a compiler");
  // A link of somebody's to nowhere is not ours to replace either.
  rmSync(short);
  symlinkSync("/nowhere/pcc", short);
  await isTold(short);
  expect(readlinkSync(short)).toBe("/nowhere/pcc");
  // Elsewhere on the PATH: a link of ours could come before it.
  rmSync(short);
  const elsewhere = join(place.path, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, shortName), "#!/bin/sh\n", { mode: 0o755 });
  await isTold(join(elsewhere, shortName), elsewhere);
  expect(place.left).not.toContain(`.local/bin/${shortName}`);
  // Without it, the next upgrade adds the name, and the one after that keeps it.
  for (const version of ["1.1.0", "1.2.0"]) {
    await place.offer(version);
    const { out } = await place.install({ path: place.directory });
    expect(out).toContain(`also as ${secondName} and ${shortName}.`);
    expect(says(short, "--version")).toBe(version);
  }
});

test("the program can be run by others, and is the user's own", async () => {
  await using place = new Installation();
  await place.offer("1.0.0");
  await place.install();
  const { mode, uid } = statSync(place.program);
  expect({ mode: mode & 0o755, uid }).toEqual({ mode: 0o755, uid: process.getuid?.() ?? 0 });
});

describe.concurrent("a download that fails leaves nothing", () => {
  test("SHA256SUMS without the archive", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    place.files.set("SHA256SUMS", `${"0".repeat(64)}  ${name}-linux-x64.tar.gz.sig\n`);
    const { code, err } = await place.install();
    expect(code).toBe(1);
    expect(err).toContain(`does not name ${name}-linux-x64.tar.gz; nothing was installed.`);
    expect(place.left).toEqual([]);
  });

  for (const missing of ["SHA256SUMS", `${name}-linux-x64.tar.gz`]) {
    for (const [tool, without] of [
      ["curl", "wget"],
      ["wget", "curl"],
    ] as const) {
      test(`no ${missing} on the server, by ${tool}`, async () => {
        await using place = new Installation();
        await place.offer("1.0.0");
        place.files.delete(missing);
        const { code, err } = await place.install({ without: [without] });
        expect(code).toBe(1);
        expect(err).toMatch(new RegExp(`/${missing} could not be downloaded; nothing was installed`));
        expect(place.left).toEqual([]);
      });
    }
  }

  test("a server that ends in the middle: the earlier version goes on", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    await place.install();
    const before = place.left;
    using half = new HalfServer({ sums: String(place.files.get("SHA256SUMS")), after: "end" });
    const { code, err } = await place.install({ environment: { PARALLEL_CLAUDE_DOWNLOADS: half.url } });
    expect(code).toBe(1);
    expect(err).toContain("could not be downloaded; nothing was installed");
    expect(says(place.program, "--version")).toBe("1.0.0");
    expect(place.left).toEqual(before);
  });

  test("a program that does not run here", async () => {
    await using place = new Installation();
    await place.offer("1.0.0", "#!/nowhere/interpreter\n");
    const { code, err } = await place.install();
    expect(code).toBe(1);
    expect(err).toMatch(/the program does not run on this system; it needs .*; nothing was installed/);
    expect(place.left).toEqual([]);
  });

  test("another version than the one that was asked for", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const { code, err } = await place.install({ args: ["--version", "v1.1.0"] });
    expect(code).toBe(1);
    expect(err).toContain("has version 1.0.0, not 1.1.0; nothing was installed");
    expect(place.left).toEqual([]);
  });

  test("neither curl nor wget", async () => {
    await using place = new Installation();
    const { code, err } = await place.install({ without: ["curl", "wget"] });
    expect({ code, err }).toEqual({
      code: 1,
      err: "install.sh: neither curl nor wget is here to download with.\n",
    });
    expect(place.left).toEqual([]);
  });

  test("neither sha256sum nor shasum", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const { code, err } = await place.install({ without: ["sha256sum", "shasum"] });
    expect(code).toBe(1);
    expect(err).toContain("neither sha256sum nor shasum is here to check the download with");
    expect(place.left).toEqual([]);
  });
});

test("a script that was cut off anywhere installs nothing and leaves nothing", async () => {
  await using place = new Installation();
  await place.offer("1.0.0");
  const whole = readFileSync(script, "utf8").trimEnd();
  const cuts = Array.from({ length: whole.length - 1 }, (_, at) => at + 1).filter(
    (at) => at % 193 === 0 || at > whole.length - 25,
  );
  for (const at of cuts) {
    await place.install({ piped: whole.slice(0, at) });
    expect({ at, left: place.left, asked: place.asked }).toEqual({ at, left: [], asked: [] });
  }
  expect((await place.install({ piped: whole })).code).toBe(0);
});

testNeeding("shellcheck")("shellcheck finds nothing", () => {
  expect(Bun.spawnSync(["shellcheck", script]).stdout.toString()).toBe("");
});
