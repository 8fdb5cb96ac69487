// Where installers and version managers put `claude` and `node`. A desktop application's PATH lacks all of them.
import type { Environment } from "../platform/environment.ts";
import { isDirectory, readHead } from "../platform/files.ts";
import { foldersIn } from "../platform/folders.ts";
import { homeDirectory, isAbsolute, join } from "../platform/paths.ts";

/** A directory, and which tool puts programs there. */
export interface Place {
  directory: string;
  /** In words that follow "where": `nvm puts it`. */
  who: string;
}

/** Most versions of one manager to check, newest first. */
const mostVersions = 20;

/** Checked even if they do not exist. */
const usual = [
  ["Claude Code's own installer", ".local/bin"],
  ["Claude Code's own installer", ".claude/local"],
  ["Bun", ".bun/bin"],
  ["npm", ".npm-global/bin"],
  ["Volta", ".volta/bin"],
  ["asdf", ".asdf/shims"],
  ["mise", ".local/share/mise/shims"],
] as const;

/** All places, the likeliest first. */
export function programPlaces(environment: Environment = process.env): Place[] {
  const home = homeDirectory();
  if (process.platform === "win32") return placesOnWindows(home, environment);
  return [
    ...usual.map(([who, directory]) => ({ who, directory: join(home, directory) })),
    ...["/opt/homebrew/bin", "/usr/local/bin"].map((directory) => ({ who: "Homebrew or npm", directory })),
    ...["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map((directory) => ({ who: "the system", directory })),
    ...managed(home, environment).filter(({ directory }) => isDirectory(directory)),
  ];
}

/** The places on Windows: those of installers always, others only where they are. */
export function placesOnWindows(home: string, environment: Environment): Place[] {
  const { NPM_CONFIG_PREFIX, PNPM_HOME, NVM_SYMLINK, VOLTA_HOME } = environment;
  const roaming = environment["APPDATA"] ?? join(home, "AppData", "Roaming");
  const local = environment["LOCALAPPDATA"] ?? join(home, "AppData", "Local");
  const programs = environment["ProgramFiles"] ?? "C:\\Program Files";
  const winget = join(local, "Microsoft", "WinGet");
  const packages = join(winget, "Packages");
  const at = (who: string, ...directories: (string | undefined)[]): Place[] =>
    directories.flatMap((directory) => (directory === undefined ? [] : [{ who, directory }]));
  const always = [
    ...at("Claude Code's own installer", join(home, ".local", "bin")),
    ...at("npm", join(roaming, "npm")),
    ...at("WinGet", join(winget, "Links")),
    ...at("Bun", join(home, ".bun", "bin")),
  ];
  const others = [
    ...at("npm", NPM_CONFIG_PREFIX, npmPrefix(home, environment)),
    // WinGet may fail to link what it has unpacked.
    ...foldersIn(packages)
      .filter((name) => name.startsWith("Anthropic.ClaudeCode_"))
      .flatMap((name) => at("WinGet", join(packages, name))),
    ...at("WinGet", join(programs, "WinGet", "Links")),
    ...at("pnpm", PNPM_HOME, join(local, "pnpm")),
    ...at("Volta", join(VOLTA_HOME ?? join(local, "Volta"), "bin")),
    ...at("Scoop", join(home, "scoop", "shims")),
    ...at("Chocolatey", join(environment["ProgramData"] ?? "C:\\ProgramData", "chocolatey", "bin")),
    ...at("nvm", NVM_SYMLINK),
    ...at("fnm", join(roaming, "fnm", "aliases", "default")),
    ...at("Node.js", join(programs, "nodejs")),
  ];
  return [...always, ...others.filter(({ directory }) => isAbsolute(directory) && isDirectory(directory))];
}

// Only existing directories, because each adds an entry to the PATH of sessions.
function managed(home: string, environment: Environment): Place[] {
  const place = (who: string, ...directories: (string | undefined)[]): Place[] =>
    directories.flatMap((directory) =>
      directory !== undefined && isAbsolute(directory) ? [{ who, directory }] : [],
    );
  const versions = (who: string, root: string, within = "bin"): Place[] =>
    newestFirst(foldersIn(root)).map((version) => ({ who, directory: join(root, version, within) }));
  const { NVM_DIR, PNPM_HOME, N_PREFIX, NPM_CONFIG_PREFIX, FNM_DIR, MISE_DATA_DIR, USER } = environment;
  const prefix = npmPrefix(home, environment);
  const mise = join(MISE_DATA_DIR ?? join(home, ".local/share/mise"), "installs");
  return [
    ...place("npm", ...[NPM_CONFIG_PREFIX, prefix].map((at) => at && join(at, "bin"))),
    ...versions("nvm", join(NVM_DIR ?? join(home, ".nvm"), "versions/node")),
    ...foldersIn(mise)
      .filter((tool) => tool === "node" || tool.includes("claude"))
      .flatMap((tool) => versions("mise", join(mise, tool))),
    ...place("fnm", join(FNM_DIR ?? join(home, ".local/share/fnm"), "aliases/default/bin")),
    ...versions("fnm", join(FNM_DIR ?? join(home, ".local/share/fnm"), "node-versions"), "installation/bin"),
    ...place("n", N_PREFIX && join(N_PREFIX, "bin"), join(home, "n/bin")),
    ...place("nodenv", join(home, ".nodenv/shims")),
    ...place("pnpm", PNPM_HOME, join(home, ".local/share/pnpm"), join(home, "Library/pnpm")),
    ...place("yarn", join(home, ".yarn/bin"), join(home, ".config/yarn/global/node_modules/.bin")),
    ...place("nix", join(home, ".nix-profile/bin"), join(home, ".local/state/nix/profile/bin")),
    ...place("nix", USER && join("/etc/profiles/per-user", USER, "bin")),
    ...place("nix", "/nix/var/nix/profiles/default/bin", "/run/current-system/sw/bin"),
    ...place("Linuxbrew", "/home/linuxbrew/.linuxbrew/bin", join(home, ".linuxbrew/bin")),
    ...place("MacPorts", "/opt/local/bin"),
    ...place("snap", "/snap/bin"),
  ];
}

function newestFirst(versions: string[]): string[] {
  const order = new Intl.Collator("en", { numeric: true });
  return versions.sort((a, b) => order.compare(b, a)).slice(0, mostVersions);
}

/** Longer files are not npm's settings, in bytes. */
const mostNpmrc = 10_000;

// npm's own setting for where `npm install -g` puts programs.
function npmPrefix(home: string, environment: Environment): string | undefined {
  const line = /^\s*prefix\s*=\s*(.+?)\s*$/m.exec(
    readHead(join(home, ".npmrc"), mostNpmrc, { followsLinks: true }) ?? "",
  );
  const text = line?.[1]?.replace(/^(["'])(.*)\1$/, "$2");
  return text
    ?.replace(/^~(?=\/|$)/, home)
    .replace(/\$\{(\w+)\}/g, (whole, name: string) =>
      name === "HOME" ? home : (environment[name] ?? whole),
    );
}
