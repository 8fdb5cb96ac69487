// Every platform that is released, once: compiler, archive, npm package, formula, bundle and installer derive from it.

/** A platform that gets an executable. */
export interface Target {
  /** Its name in every file and package. */
  name: string;
  /** What `bun build --target` calls it. */
  compiler: string;
  os: "linux" | "darwin" | "win32";
  cpu: "x64" | "arm64";
  libc?: "glibc" | "musl";
  trial: Trial;
}

/** How far a platform has been tried, from most to least. */
export interface Trial {
  /**
   * `tested in CI`: all tests run there, and must pass. `tried under Wine`, `tried in CI`: some do, and must pass. `built,
   * not run`: nothing that must pass runs there before the program itself is published.
   */
  how: "tested in CI" | "tried in CI" | "tried under Wine" | "built, not run";
  /** What exactly, after the word above. */
  what: string;
  /** GitHub's runner on which all tests run. */
  runner?: string;
}

const mac = "its calls and folders are imitated on Linux; tests run in CI, but stop nothing yet";

// A processor of x64 gets the baseline runtime: the other ends with an illegal instruction where AVX2 is lacking.
export const targets: readonly Target[] = [
  {
    name: "linux-x64",
    compiler: "bun-linux-x64-baseline",
    os: "linux",
    cpu: "x64",
    libc: "glibc",
    trial: { how: "tested in CI", what: "all tests", runner: "ubuntu-24.04" },
  },
  {
    name: "linux-arm64",
    compiler: "bun-linux-arm64",
    os: "linux",
    cpu: "arm64",
    libc: "glibc",
    trial: {
      how: "tested in CI",
      what: "all tests",
      runner: "ubuntu-24.04-arm",
    },
  },
  {
    name: "linux-x64-musl",
    compiler: "bun-linux-x64-musl-baseline",
    os: "linux",
    cpu: "x64",
    libc: "musl",
    trial: { how: "tried in CI", what: "a batch with musl on Debian, and on Alpine" },
  },
  {
    name: "linux-arm64-musl",
    compiler: "bun-linux-arm64-musl",
    os: "linux",
    cpu: "arm64",
    libc: "musl",
    trial: { how: "tried in CI", what: "a batch with musl on Debian, and on Alpine" },
  },
  {
    name: "darwin-x64",
    compiler: "bun-darwin-x64-baseline",
    os: "darwin",
    cpu: "x64",
    trial: { how: "built, not run", what: mac, runner: "macos-15-intel" },
  },
  {
    name: "darwin-arm64",
    compiler: "bun-darwin-arm64",
    os: "darwin",
    cpu: "arm64",
    trial: { how: "built, not run", what: mac, runner: "macos-15" },
  },
  {
    name: "windows-x64",
    compiler: "bun-windows-x64-baseline",
    os: "win32",
    cpu: "x64",
    trial: {
      how: "tried under Wine",
      what: "most tests, and the program from its first call to its last; tests run on Windows in CI, but stop nothing yet",
      runner: "windows-2025",
    },
  },
  {
    name: "windows-arm64",
    compiler: "bun-windows-arm64",
    os: "win32",
    cpu: "arm64",
    trial: { how: "built, not run", what: "a release runs a batch on Windows first" },
  },
];

/** What a name of a program ends in on this platform. */
export const suffixOf = ({ os }: Target): string => (os === "win32" ? ".exe" : "");

/** The oldest supported systems. `release:facts` checks the executables against them; for Windows, only Bun's manual says. */
export const oldest = { glibc: "2.17", macos: "13", windows: "10 version 1809" } as const;

/** What an executable requires of a system, apart from its processor. */
export function needsOf({ os, libc }: Target): string {
  if (os === "win32") return `Windows ${oldest.windows} or newer`;
  if (os === "darwin") return `macOS ${oldest.macos} or newer`;
  return libc === "musl" ? "libstdc++ (on Alpine: apk add libstdc++)" : `glibc ${oldest.glibc} or newer`;
}
