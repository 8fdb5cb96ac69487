// What tests need that a machine may not have. Each is declared once: how to tell whether it is there, and how CI gets
// it on Debian. A test that is skipped says what it needs in its title, and `bun run verify` counts by that.
import { dlopen } from "bun:ffi";
import { describe, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumPath } from "./browser/chromium.ts";

/** Something that a test needs. */
export interface Facility {
  readonly isThere: () => boolean;
  /** Debian's packages that bring it; of several, the first that can be installed. */
  readonly debian?: readonly string[];
  /** Gets it where no package of Debian does. */
  readonly get?: () => Promise<unknown>;
}

const placesOfGlibc = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64"];

/** Where a `claude` is found by everybody, whatever the PATH. */
const placesForAllUsers = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

const program = (name: string, debian: string = name): Facility => ({
  isThere: () => Bun.which(name) !== null,
  debian: [debian],
});

// Where Bun keeps its runtimes for other systems, which it fetches from npm when it first compiles for them.
const runtimeOf = (target: string): string =>
  join(
    process.env["BUN_INSTALL_CACHE_DIR"] ?? join(homedir(), ".bun", "install", "cache"),
    `${target}-v${Bun.version}`,
  );

/** Bun's runtime for macOS. */
export const macRuntime = runtimeOf("bun-darwin-aarch64");

/** Bun's runtime for Windows: a whole `bun.exe`. */
export const windowsRuntime = runtimeOf("bun-windows-x64-baseline");

/** What starts programs of Windows; undefined where it is not installed. Debian does not put it on PATH. */
export function winePath(): string | undefined {
  const usual = "/usr/lib/wine/wine64";
  return existsSync(usual) ? usual : (Bun.which("wine64") ?? undefined);
}

/** The server of OpenSSH; undefined where it is not installed. */
export function sshdPath(): string | undefined {
  const usual = "/usr/sbin/sshd";
  return existsSync(usual) ? usual : (Bun.which("sshd") ?? undefined);
}

/** Bun's runtimes for other processors, and for another C library. */
const armRuntime = runtimeOf("bun-linux-aarch64");
const muslRuntime = runtimeOf("bun-linux-x64-musl-baseline");
const armMuslRuntime = runtimeOf("bun-linux-aarch64-musl");

/** Debian's glibc for arm64, below which qemu finds what a program asks for. */
export const armLibraries = "/usr/aarch64-linux-gnu";

/** What starts programs for musl. */
export const muslLoader = "/lib/ld-musl-x86_64.so.1";

/** The same for arm64, out of Debian's package for that processor, which is kept beside Bun's runtimes. */
const armMusl = runtimeOf("musl-arm64-for-bun");
export const armMuslLoader = join(armMusl, "lib", "aarch64-linux-musl", "libc.so");

/** A library of this machine, by its name. */
export function libraryOfGlibc(name: string): string {
  const places = [...placesOfGlibc, "/usr/lib/x86_64-linux-gnu"].map((place) => join(place, name));
  return places.find((path) => existsSync(path)) ?? name;
}

const declared = {
  "a browser": {
    isThere: () => chromiumPath() !== undefined,
    debian: ["chromium-headless-shell", "chromium"],
  },
  "a disk to mount": { isThere: canMount },
  "a disk that stalls": { isThere: canStall, debian: ["bindfs"] },
  "a machine without claude": {
    isThere: () => !placesForAllUsers.some((directory) => existsSync(`${directory}/claude`)),
  },
  "namespaces of one's own": { isThere: canUnshare, debian: ["util-linux"] },
  "Bun's runtime for macOS": {
    isThere: () => existsSync(macRuntime),
    get: () => fetchRuntime("bun-darwin-arm64"),
  },
  "Bun's runtime for Windows": {
    isThere: () => existsSync(windowsRuntime),
    get: () => fetchRuntime("bun-windows-x64-baseline"),
  },
  "Bun's runtime for arm64": {
    isThere: () => existsSync(armRuntime),
    get: () => fetchRuntime("bun-linux-arm64"),
  },
  "Bun's runtime for musl": {
    isThere: () => existsSync(muslRuntime),
    get: () => fetchRuntime("bun-linux-x64-musl-baseline"),
  },
  "Bun's runtime for arm64 and musl": {
    isThere: () => existsSync(armMuslRuntime),
    get: () => fetchRuntime("bun-linux-arm64-musl"),
  },
  "Debian's musl for arm64": { isThere: () => existsSync(armMuslLoader), get: fetchArmMusl },
  "a compiler for arm64": program("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
  "libstdc++ for arm64": {
    isThere: () => existsSync(join(armLibraries, "lib", "libstdc++.so.6")),
    debian: ["libstdc++6-arm64-cross"],
  },
  qemu: program("qemu-aarch64-static", "qemu-user-static"),
  "glibc for arm64": {
    isThere: () => existsSync(join(armLibraries, "lib", "libc.so.6")),
    debian: ["libc6-arm64-cross"],
  },
  musl: { isThere: () => existsSync(muslLoader), debian: ["musl"] },
  "Linux on x64": { isThere: () => process.platform === "linux" && process.arch === "x64" },
  Wine: { isThere: () => winePath() !== undefined, debian: ["wine64"] },
  "a compiler for Windows": program("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"),
  Linux: { isThere: () => process.platform === "linux" },
  Windows: { isThere: () => process.platform === "win32" },
  // Wine has no junctions and no Ctrl-Break.
  "Windows itself": { isThere: () => process.platform === "win32" && !isWine() },
  glibc: { isThere: () => placesOfGlibc.some((directory) => existsSync(`${directory}/libm.so.6`)) },
  "a system other than Windows": { isThere: () => process.platform !== "win32" },
  "a C compiler": { isThere: canCompile, debian: ["g++"] },
  // Under Wine, Bun waits for ever for the answer of a port where nobody listens.
  "connections that are refused": { isThere: () => !isWine() },
  // Under Wine it cannot write what it has compiled.
  "Bun's compiler": { isThere: () => !isWine() },
  "a terminal of one's own": { isThere: () => process.platform !== "win32" },
  "files that can be removed while open": { isThere: () => process.platform !== "win32" },
  // Windows makes a process in two steps. Killed between them, its maker leaves one that never runs, and never ends.
  "processes that are made at once": { isThere: () => process.platform !== "win32" },
  "paths that begin with a slash": { isThere: () => process.platform !== "win32" },
  "modes of files": { isThere: () => process.platform !== "win32" },
  "programs that are scripts": { isThere: () => process.platform !== "win32" },
  "signals that can be heard": { isThere: () => process.platform !== "win32" },
  "the rights of root": { isThere: () => process.getuid?.() === 0 },
  "symbolic links": { isThere: canLink },
  bash: program("bash"),
  busybox: program("busybox"),
  dash: program("dash"),
  fish: program("fish"),
  git: program("git"),
  jq: program("jq"),
  ksh: program("ksh"),
  mksh: program("mksh"),
  npm: program("npm"),
  openssl: program("openssl"),
  parallel: program("parallel"),
  readelf: program("readelf", "binutils"),
  redis: program("redis-server"),
  ruby: program("ruby"),
  perl: program("perl"),
  setpriv: program("setpriv", "util-linux"),
  setsid: program("setsid", "util-linux"),
  sh: program("sh", "dash"),
  shasum: program("shasum", "perl"),
  shellcheck: program("shellcheck"),
  slurm: {
    isThere: () => ["slurmctld", "slurmd", "munged", "sbatch"].every((name) => Bun.which(name) !== null),
    debian: ["slurm-wlm"],
  },
  sqlite3: program("sqlite3"),
  // Debian does not put its server on everybody's PATH.
  sshd: {
    isThere: () => sshdPath() !== undefined && Bun.which("ssh") !== null && Bun.which("ssh-keygen") !== null,
    debian: ["openssh-server"],
  },
  "systemd-analyze": program("systemd-analyze", "systemd"),
  tar: program("tar"),
  unzip: program("unzip"),
  wget: program("wget"),
  zsh: program("zsh"),
} satisfies Record<string, Facility>;

export type FacilityName = keyof typeof declared;

/** All of them, by name. */
export const facilities: Readonly<Record<FacilityName, Facility>> = declared;

/** A test that runs only where all of these are there; its title says what it needs. */
export function testNeeding(...names: FacilityName[]) {
  return (title: string, body: () => void | Promise<void>, timeoutMs?: number): void =>
    void test.skipIf(lacks(names))(`${title} ${needsMark(names)}`, body, timeoutMs);
}

/** A group of tests that runs only where all of these are there; its title says what it needs. */
export function describeNeeding(...names: FacilityName[]) {
  return (title: string, body: () => void): void =>
    void describe.skipIf(lacks(names))(`${title} ${needsMark(names)}`, body);
}

/** The same for a group whose tests run at once. */
export function describeNeedingAtOnce(...names: FacilityName[]) {
  return (title: string, body: () => void): void =>
    void describe.skipIf(lacks(names)).concurrent(`${title} ${needsMark(names)}`, body);
}

function lacks(names: readonly FacilityName[]): boolean {
  return names.some((name) => !facilities[name].isThere());
}

/** How a title says it, for `verify`. */
export function needsMark(names: readonly string[]): string {
  return `[needs ${names.join(" and ")}]`;
}

// Only its library has this.
function isWine(): boolean {
  try {
    dlopen("ntdll.dll", { wine_get_version: { args: [], returns: "cstring" } }).close();
    return true;
  } catch {
    return false;
  }
}

// Only root may, and not in every container.
function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "pccm-mount-"));
  const command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory];
  const can = Bun.which("mount") !== null && Bun.spawnSync(command).success;
  if (can) Bun.spawnSync(["umount", directory]);
  rmdirSync(directory);
  return can;
}

// The compiler for C alone comes without the headers of the C library; the one for C++ brings both.
function canCompile(): boolean {
  const command = ["cc", "-fsyntax-only", "-x", "c", "-include", "stdio.h", "/dev/null"];
  return Bun.which("cc") !== null && Bun.spawnSync(command).success;
}

// A file system in a process, which can be stopped. Only root may, where the kernel has FUSE.
function canStall(): boolean {
  return Bun.which("bindfs") !== null && existsSync("/dev/fuse") && canMount();
}

// On Windows not everybody may, and Wine makes none although it says so.
function canLink(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "pccm-link-"));
  try {
    symlinkSync(directory, join(directory, "link"));
    return lstatSync(join(directory, "link")).isSymbolicLink();
  } catch {
    return false;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

// As a container has them. Root may, unless it is in one itself that forbids it.
function canUnshare(): boolean {
  const command = ["unshare", "--pid", "--uts", "--fork", "--mount-proc", "hostname", "container"];
  return Bun.which("unshare") !== null && Bun.spawnSync(command).success;
}

// Compiling anything for a system is the one way of getting its runtime.
async function fetchRuntime(target: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pccm-runtime-"));
  try {
    await Bun.write(join(folder, "empty.ts"), "");
    await Bun.spawn(
      [process.execPath, "build", "--compile", `--target=${target}`, "--outfile=empty", "empty.ts"],
      { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "ignore", timeout: 300_000 },
    ).exited;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// The package is for another processor, so it is unpacked instead of installed, with lists of apt's of its own.
async function fetchArmMusl(): Promise<void> {
  if (process.platform !== "linux" || process.arch !== "x64" || Bun.which("apt-get") === null) return;
  const folder = mkdtempSync(join(tmpdir(), "pccm-musl-"));
  const run = (...command: string[]) =>
    Bun.spawn(command, {
      cwd: folder,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      timeout: 300_000,
    }).exited;
  try {
    for (const each of ["lists/partial", "cache/archives/partial"])
      mkdirSync(join(folder, each), { recursive: true });
    await Bun.write(join(folder, "status"), "");
    const options = [
      `Dir::State::lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      `Dir::State::status=${folder}/status`,
      "APT::Architecture=arm64",
      "APT::Architectures=arm64",
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
    await run("apt-get", "-qq", ...options, "update");
    await run("apt-get", "-qq", ...options, "download", "musl");
    const [found] = new Bun.Glob("musl_*.deb").scanSync({ cwd: folder });
    if (found !== undefined) await run("dpkg-deb", "-x", found, armMusl);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
