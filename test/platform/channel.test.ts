// How this program was installed, by where it is; and what to type for its newest version.
import { expect, test } from "bun:test";
import { updateOf } from "../../src/doors/cli/commands/self-update.ts";
import { type Channel, channelOf } from "../../src/platform/channel.ts";

const name = "parallel-claude-code-mcp";
const inPackage = `node_modules/${name}-linux-x64/bin/${name}`;

test.each<[path: string, channel: Channel, command: string | undefined]>([
  ["/opt/homebrew/Cellar/parallel-claude-code-mcp/0.2.0/bin/x", { kind: "brew" }, `brew upgrade ${name}`],
  [`/home/linuxbrew/.linuxbrew/Cellar/${name}/0.2.0/bin/x`, { kind: "brew" }, `brew upgrade ${name}`],
  [`/home/me/.npm/_npx/0a1b/${inPackage}`, { kind: "npx" }, `npx -y ${name}@latest --version`],
  [`/tmp/bunx-1000-${name}@latest/${inPackage}`, { kind: "bunx" }, `bunx ${name}@latest --version`],
  [`/home/linuxbrew/.linuxbrew/lib/${inPackage}`, { kind: "npm" }, `npm install -g ${name}@latest`],
  [`/opt/homebrew/Cellar/node/24.1.0/lib/${inPackage}`, { kind: "npm" }, `npm install -g ${name}@latest`],
  [`/usr/local/lib/node_modules/${name}/${inPackage}`, { kind: "npm" }, `npm install -g ${name}@latest`],
  [
    `C:\\Users\\me\\AppData\\Roaming\\npm\\node_modules\\${name}\\node_modules\\x\\bin\\x.exe`,
    { kind: "npm" },
    `npm install -g ${name}@latest`,
  ],
  [
    `C:\\Users\\me\\AppData\\Local\\nvm\\v24.1.0\\node_modules\\${name}\\bin\\x.exe`,
    { kind: "npm" },
    `npm install -g ${name}@latest`,
  ],
  [`/home/me/.bun/install/global/${inPackage}`, { kind: "bun" }, `bun add -g ${name}@latest`],
  [
    `/home/me/.local/share/pnpm/global/5/.pnpm/x/${inPackage}`,
    { kind: "pnpm" },
    `pnpm add -g ${name}@latest`,
  ],
  [`/home/me/.config/yarn/global/${inPackage}`, { kind: "yarn" }, `yarn global add ${name}@latest`],
  [
    `/home/me/shop/${inPackage}`,
    { kind: "project", directory: "/home/me/shop" },
    `npm install ${name}@latest`,
  ],
  [
    "/Users/me/Library/Application Support/Claude/Claude Extensions/x/server/x",
    { kind: "bundle" },
    undefined,
  ],
  [
    "/home/me/.local/bin/x",
    { kind: "executable", path: "/home/me/.local/bin/x" },
    expect.stringMatching(/^curl -fsSL .*install\.sh \| sh$/),
  ],
])("%s", (executable, channel, command) => {
  const found = channelOf({ executable, main: "/$bunfs/root/x", isCompiled: true });
  expect(found).toEqual(channel);
  expect(updateOf(found, false).commands[0]).toEqual(command as string);
});

test("from source", () => {
  const main = "/home/me/clone/src/main.ts";
  const found = channelOf({ executable: "/home/me/.bun/bin/bun", main, isCompiled: false });
  expect(found).toEqual({ kind: "source", directory: "/home/me/clone" });
  expect(updateOf(found, false).commands).toEqual(["git pull", "bun install"]);
  expect(updateOf({ kind: "executable", path: "x.exe" }, true).commands[0]).toEndWith("install.ps1 | iex");
});
