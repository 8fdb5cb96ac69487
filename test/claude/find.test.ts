// Where `claude` is found when the PATH is a desktop application's, in a process of its own with a home of its own.
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeNeeding, testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";

const find = join(import.meta.dir, "../../src/claude/find.ts");

function program(path: string, text = "#!/bin/sh\n"): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

async function found(
  home: Home,
  more: Record<string, string> = {},
  options: { askShell?: boolean; shellMs?: number } = {},
): Promise<Record<string, unknown>> {
  const script = `import { findClaude } from ${JSON.stringify(find)}; console.log(JSON.stringify(findClaude(undefined, ${JSON.stringify(options)})));`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { HOME: home.path, PATH: "/usr/bin:/bin", SHELL: "/bin/false", ...more },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, complaint] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(complaint).toBe("");
  return JSON.parse(text);
}

const places: [place: string, who: string, variables?: Record<string, string>][] = [
  [".nvm/versions/node/v22.11.0/bin", "nvm"],
  ["elsewhere/versions/node/v18.0.0/bin", "nvm", { NVM_DIR: "elsewhere" }],
  [".local/share/mise/installs/node/24.1.0/bin", "mise"],
  [".local/share/mise/installs/npm-anthropic-ai-claude-code/2.1.332/bin", "mise"],
  [".local/share/fnm/aliases/default/bin", "fnm"],
  [".local/share/pnpm", "pnpm"],
  ["pnpm-home", "pnpm", { PNPM_HOME: "pnpm-home" }],
  [".yarn/bin", "yarn"],
  [".nix-profile/bin", "nix"],
  [".linuxbrew/bin", "Linuxbrew"],
  ["prefix/bin", "npm", { NPM_CONFIG_PREFIX: "prefix" }],
];

describeNeeding("Linux", "a machine without claude")("with the PATH of a desktop, claude is found", () => {
  test.each(places)("in ~/%s", async (place, who, variables = {}) => {
    await using home = new Home();
    const path = program(home.file(join(place, "claude")));
    const absolute = Object.entries(variables).map(([name, value]) => [name, home.file(value)]);
    expect(await found(home, Object.fromEntries(absolute))).toEqual({
      found: true,
      path,
      where: `where ${who} puts it`,
    });
  });

  test("of several versions, in the newest that has it", async () => {
    await using home = new Home();
    program(home.file(".nvm/versions/node/v9.9.0/bin/claude"));
    const newest = program(home.file(".nvm/versions/node/v20.1.0/bin/claude"));
    mkdirSync(home.file(".nvm/versions/node/v22.0.0/bin"), { recursive: true });
    expect(await found(home)).toMatchObject({ path: newest });
  });

  test("below the prefix that ~/.npmrc names", async () => {
    await using home = new Home();
    writeFileSync(home.file(".npmrc"), "; mine\nregistry=https://example.com\nprefix = ~/global\n");
    const path = program(home.file("global/bin/claude"));
    expect(await found(home)).toMatchObject({ path, where: "where npm puts it" });
  });

  testNeeding("bash")(
    "on the PATH that only an interactive shell sets, whatever it prints and asks",
    async () => {
      await using home = new Home();
      const path = program(home.file("tools/claude"));
      const lines = [
        "case $- in *i*) ;; *) return ;; esac",
        "echo Welcome; printf 'no newline'; read -r answer; sleep 1000 &",
        'PATH="$HOME/tools:$PATH"',
      ];
      writeFileSync(home.file(".bashrc"), `${lines.join("\n")}\n`);
      writeFileSync(home.file(".bash_profile"), '. "$HOME/.bashrc"\n');
      expect(await found(home, { SHELL: Bun.which("bash") ?? "" })).toEqual({
        found: true,
        path,
        where: "on the PATH of your login shell",
      });
    },
  );

  testNeeding("bash")("not in a shell that never comes to its prompt, which is ended", async () => {
    await using home = new Home();
    writeFileSync(home.file(".bash_profile"), "sleep 1000\n");
    const shell = Bun.which("bash") ?? "";
    const { found: isFound, message } = await found(home, { SHELL: shell }, { shellMs: 300 });
    expect(isFound).toBe(false);
    expect(message).toEndWith(
      `What is on the PATH of your login shell is not known: ${shell} did not say its PATH within 0.3 s.`,
    );
    await home.empty();
  });

  test("not by a SHELL that is not there, and the message says so", async () => {
    await using home = new Home();
    const { found: isFound, message } = await found(home, { SHELL: "/opt/gone/zsh" });
    expect(isFound).toBe(false);
    expect(message).toContain("SHELL is /opt/gone/zsh, which is not a program");
  });
});
