// Where `claude` is found on Windows: as its installers and package managers leave it.
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findClaude } from "../../src/claude/find.ts";
import { claudeOnWindows } from "../../src/claude/find-on-windows.ts";
import { placesOnWindows } from "../../src/claude/program-places.ts";
import { removePath } from "../../src/platform/removal.ts";
import { testNeeding } from "../facilities.ts";

function newFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "pccm-find-"));
  return { path, [Symbol.dispose]: () => removePath(path) };
}

function write(path: string, text = "MZ and more"): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

// As npm 10 writes it for a package whose command is a program.
const ofNpm = `@ECHO off\r
GOTO start\r
:find_dp0\r
SET dp0=%~dp0\r
EXIT /b\r
:start\r
SETLOCAL\r
CALL :find_dp0\r
"%dp0%\\node_modules\\@anthropic-ai\\claude-code\\bin\\claude.exe"   %*\r
`;

// What npm's package has as its program until its own script has run.
const placeholder = 'echo "Error: claude native binary not installed." >&2\nexit 1\n';

test("npm's batch file leads to the program in its package", () => {
  using folder = newFolder();
  write(join(folder.path, "claude.cmd"), ofNpm);
  const within = join(folder.path, "node_modules", "@anthropic-ai", "claude-code");
  const path = write(join(within, "bin", "claude.exe"));
  expect(claudeOnWindows(folder.path)).toEqual({ kind: "program", path });
});

test("where the script of npm's package did not run, the program is in the package of the platform", () => {
  using folder = newFolder();
  write(join(folder.path, "claude.cmd"), ofNpm);
  const within = join(folder.path, "node_modules", "@anthropic-ai", "claude-code");
  write(join(within, "bin", "claude.exe"), placeholder);
  const path = write(
    join(
      within,
      "node_modules",
      "@anthropic-ai",
      `claude-code-win32-${process.arch === "arm64" ? "arm64" : "x64"}`,
      "claude.exe",
    ),
  );
  expect(claudeOnWindows(folder.path)).toEqual({ kind: "program", path });
  removePath(path);
  expect(claudeOnWindows(folder.path)).toEqual({
    kind: "batch file",
    path: join(folder.path, "claude.cmd"),
  });
});

test("pnpm's batch file leads to the program too", () => {
  using folder = newFolder();
  write(join(folder.path, "claude.cmd"), '@SETLOCAL\r\n@"%~dp0\\global\\5\\pkg\\bin\\claude.exe" %*\r\n');
  const path = write(join(folder.path, "global", "5", "pkg", "bin", "claude.exe"));
  expect(claudeOnWindows(folder.path)).toEqual({ kind: "program", path });
});

test("the program wins over a batch file beside it", () => {
  using folder = newFolder();
  write(join(folder.path, "claude.cmd"), ofNpm);
  const path = write(join(folder.path, "claude.exe"));
  expect(claudeOnWindows(folder.path)).toEqual({ kind: "program", path });
});

test("Claude Desktop is not taken for Claude Code", () => {
  using folder = newFolder();
  write(join(folder.path, "AnthropicClaude", "claude.exe"));
  expect(claudeOnWindows(join(folder.path, "AnthropicClaude"))).toBeUndefined();
  // What a packaged application puts on the PATH has no bytes.
  write(join(folder.path, "WindowsApps", "claude.exe"), "");
  expect(claudeOnWindows(join(folder.path, "WindowsApps"))).toBeUndefined();
});

test("the places of installers on Windows, and of others where they are", () => {
  using home = newFolder();
  const at = (...names: string[]) => join(home.path, ...names);
  const environment = {
    APPDATA: at("Roaming"),
    LOCALAPPDATA: at("Local"),
    ProgramFiles: at("Programs"),
    ProgramData: at("Data"),
    NVM_SYMLINK: at("nvm"),
  };
  const usual = [
    ["Claude Code's own installer", at(".local", "bin")],
    ["npm", at("Roaming", "npm")],
    ["WinGet", at("Local", "Microsoft", "WinGet", "Links")],
    ["Bun", at(".bun", "bin")],
  ];
  const places = () => placesOnWindows(home.path, environment).map(({ who, directory }) => [who, directory]);
  expect(places()).toEqual(usual);
  const others = [
    ["npm", at("prefix")],
    ["WinGet", at("Local", "Microsoft", "WinGet", "Packages", "Anthropic.ClaudeCode_Source_8wekyb")],
    ["pnpm", at("Local", "pnpm")],
    ["Volta", at("Local", "Volta", "bin")],
    ["Scoop", at("scoop", "shims")],
    ["Chocolatey", at("Data", "chocolatey", "bin")],
    ["nvm", at("nvm")],
    ["fnm", at("Roaming", "fnm", "aliases", "default")],
    ["Node.js", at("Programs", "nodejs")],
  ];
  for (const [, directory = ""] of others) mkdirSync(directory, { recursive: true });
  write(at(".npmrc"), `prefix=${at("prefix")}\n`);
  expect(places()).toEqual([...usual, ...others]);
});

testNeeding("Windows")(
  "claude is found on the PATH and where npm puts it, and a batch file is refused",
  () => {
    using folder = newFolder();
    const npm = join(folder.path, "npm");
    const environment = { Path: "C:\\windows", APPDATA: folder.path, LOCALAPPDATA: folder.path };
    const batchFile = write(join(npm, "claude.cmd"), ofNpm);
    const none = findClaude(undefined, { environment });
    expect(none).toMatchObject({
      found: false,
      message: expect.stringContaining(`only ${batchFile} was found`),
    });
    const configured = findClaude(batchFile, { environment });
    expect(configured).toMatchObject({ found: false, message: expect.stringContaining("is a batch file") });
    const path = write(join(npm, "node_modules", "@anthropic-ai", "claude-code", "bin", "claude.exe"));
    expect(findClaude(undefined, { environment })).toEqual({ found: true, path, where: "where npm puts it" });
    const own = write(join(folder.path, "own", "claude.exe"));
    expect(
      findClaude(undefined, { environment: { ...environment, Path: `relative;${dirname(own)}` } }),
    ).toEqual({
      found: true,
      path: own,
      where: "on the PATH",
    });
  },
);
