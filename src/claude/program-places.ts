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
  if (process.platform === "win32") {
    const npm = environment["APPDATA"] ?? join(home, "AppData", "Roaming");
    return [
      { who: "Claude Code's own installer", directory: join(home, ".local", "bin") },
      { who: "npm", directory: join(npm, "npm") },
      { who: "Bun", directory: join(home, ".bun", "bin") },
    ];
  }
  return [
    ...usual.map(([who, directory]) => ({ who, directory: join(home, directory) })),
    ...["/opt/homebrew/bin", "/usr/local/bin"].map((directory) => ({ who: "Homebrew or npm", directory })),
    ...["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map((directory) => ({ who: "the system", directory })),
    ...managed(home, environment).filter(({ directory }) => isDirectory(directory)),
  ];
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
