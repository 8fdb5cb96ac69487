// `install` and `uninstall`, on configurations as people have them.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type ClientName, clientNames, filesOf } from "../src/operations/clients/clients.ts";
import { lastingCommand } from "../src/platform/self.ts";
import { Home, program, run } from "./harness.ts";
import { TerminalCommand } from "./pty-harness.ts";

const places: Record<ClientName, string> = {
  "claude-desktop": ".config/Claude/claude_desktop_config.json",
  "claude-code": ".claude.json",
  cursor: ".cursor/mcp.json",
  vscode: ".config/Code/User/mcp.json",
  codex: ".codex/config.toml",
};

function put(home: Home, client: ClientName, text: string): string {
  const path = home.file(places[client]);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const [command = "", ...args] = program();
const entry = { command, args };
const source = join(import.meta.dir, "../src/main.ts");
const json = (value: unknown) => JSON.stringify(value);

function backupsOf(path: string): string[] {
  return readdirSync(dirname(path)).filter((name) => name.includes(".backup-"));
}

/** Lines of the first text that the second one no longer has. */
function lost(before: string, after: string): string[] {
  const kept = after.split("\n");
  return before.split("\n").filter((line) => !kept.includes(line));
}

const wantedKey: Record<ClientName, string> = {
  "claude-desktop": "mcpServers",
  "claude-code": "mcpServers",
  cursor: "mcpServers",
  vscode: "servers",
  codex: "mcp_servers",
};

describe("a client without a configuration gets one", () => {
  for (const client of clientNames) {
    test(client, async () => {
      await using home = new Home();
      const { code, out } = await run(home, ["install", "--client", client, "--yes", "--env", "A=b=c"]);
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("Done.") });
      const path = home.file(places[client]);
      const text = readFileSync(path, "utf8");
      const parsed: unknown = client === "codex" ? Bun.TOML.parse(text) : JSON.parse(text);
      expect(parsed).toMatchObject({
        [wantedKey[client]]: { "claude-code": { ...entry, env: { A: "b=c" } } },
      });
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(backupsOf(path)).toEqual([]);
      const again = await run(home, ["install", "--client", client, "--yes"]);
      expect(again).toMatchObject({ code: 0, out: expect.stringContaining("Already up to date") });
      expect(readFileSync(path, "utf8")).toBe(text);
    });

    test(`${client}, and has none when it is taken out again`, async () => {
      await using home = new Home();
      const path = home.file(places[client]);
      await run(home, ["install", "--client", client, "--yes", "--env", "A=1"]);
      await run(home, ["install", "--client", client, "--yes", "--env", "B=2"]);
      const text = readFileSync(path, "utf8");
      const { out } = await run(home, ["uninstall", "--client", client, "--yes"]);
      expect(out).toContain("it was created for this server");
      expect(existsSync(path)).toBe(false);
      // What was in it is kept all the same, as at every change.
      expect(backupsOf(path).map((copy) => readFileSync(join(dirname(path), copy), "utf8"))).toContain(text);
    });
  }

  test("and keeps it, when somebody has written into it since", async () => {
    await using home = new Home();
    const path = home.file(places.cursor);
    await run(home, ["install", "--client", "cursor", "--yes"]);
    writeFileSync(path, readFileSync(path, "utf8").replace(/\}\s*$/, ', "mine": 1}\n'));
    await run(home, ["uninstall", "--client", "cursor", "--yes"]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ mine: 1 });
  });
});

const commented = `{
\t// Mine, do not touch.
\t"globalShortcut": "Ctrl+Space", /* odd */
\t"mcpServers": {
\t\t"files": {"command": "npx", "args": ["-y", "files",]}, // one line
\t\t"other": {
\t\t\t"command": "other"
\t\t}, // trailing comma
\t},
\t"last": [1, 2 , 3]
}
`;

describe("what else the file says stays as it is", () => {
  const files: [string, ClientName, string][] = [
    ["comments, tabs and trailing commas", "claude-desktop", commented],
    [
      "Windows line ends and no line end at the end",
      "vscode",
      commented.trimEnd().replaceAll("\n", "\r\n").replace("mcpServers", "servers"),
    ],
    ["a byte order mark", "cursor", `\uFEFF${commented}`],
    ["one line", "claude-code", '{"numStartups":3,"mcpServers":{"a":{"command":"x"}},"z":1}'],
    ["no servers", "claude-code", '{\n    "numStartups": 3,\n    "projects": {}\n}'],
    ["an empty table of servers", "cursor", '{\n  "mcpServers": {}\n}\n'],
    ["only comments in the table", "cursor", '{\n  "mcpServers": {\n    // none yet\n  }\n}\n'],
    ["an empty file", "cursor", ""],
    [
      "a table of one line in a longer file",
      "cursor",
      '{\n  "mcpServers": { "a": { "command": "x" } },\n  "b": 1\n}\n',
    ],
    [
      "TOML with comments, a list over lines, and texts that look like headings",
      "codex",
      '# Mine.\nmodel = "gpt" # the best\nnotes = """\n[mcp_servers.fake]\n"""\n\n[mcp_servers.other]\ncommand = "x"\nargs = [\n  "a", # first\n]\n\n# About the profile.\n[profiles.fast]\nmodel = "small"\n',
    ],
    ["TOML with Windows line ends", "codex", 'model = "a"\r\n\r\n[tools]\r\nweb = true\r\n'],
    ["TOML without a line end at the end", "codex", 'model = "a"'],
  ];
  for (const [what, client, text] of files) {
    test(what, async () => {
      await using home = new Home();
      const path = put(home, client, text);
      chmodSync(path, 0o640);
      const installed = await run(home, ["install", "--client", client, "--yes"]);
      expect(installed).toMatchObject({ code: 0, err: "" });
      const after = readFileSync(path, "utf8");
      const isInline = text.startsWith('{"') || text.includes('{ "a"') || text.includes('Servers": {}');
      if (!isInline) expect(lost(text, after).filter((line) => !/[}\]"0-9]$/.test(line))).toEqual([]);
      expect(after.includes("\r\n")).toBe(text.includes("\r\n"));
      if (text.includes("\r\n")) expect(after.replaceAll("\r\n", "")).not.toContain("\n");
      expect(statSync(path).mode & 0o777).toBe(0o640);
      const [backup = ""] = backupsOf(path);
      expect(readFileSync(join(dirname(path), backup), "utf8")).toBe(text);
      expect((await run(home, ["install", "--client", client, "--yes"])).out).toContain("Already up to date");
      expect(await run(home, ["uninstall", "--client", client, "--yes"])).toMatchObject({ code: 0, err: "" });
      expect(readFileSync(path, "utf8")).toBe(text);
      // Without the copy, what is left says the same.
      await run(home, ["install", "--client", client, "--yes"]);
      for (const copy of backupsOf(path)) rmSync(join(dirname(path), copy));
      await run(home, ["uninstall", "--client", client, "--yes"]);
      // Of a file that said nothing, and of which nothing was kept, it cannot be told that it was there.
      const restored = existsSync(path) ? readFileSync(path, "utf8") : "";
      expect(restored).not.toContain(json(command));
      const words = (file: string) =>
        file
          .replaceAll(/\s+/g, "")
          .replaceAll(/"(mcpServers|servers)":\{\},?/g, "")
          .replaceAll(/,(?=[}\]/])/g, "")
          .replace(/^\{\}$/, "")
          .replace(/,(?=})/, "");
      expect(words(restored)).toBe(words(text));
    });
  }

  test("the lines of the other servers do not change by a character", async () => {
    await using home = new Home();
    const path = put(home, "claude-desktop", commented);
    await run(home, ["install", "--client", "claude-desktop", "--yes"]);
    expect(lost(commented, readFileSync(path, "utf8"))).toEqual([]);
    await run(home, ["uninstall", "--client", "claude-desktop", "--yes"]);
    expect(readFileSync(path, "utf8")).toBe(commented);
  });

  test("an entry that was renewed within one line leaves no space behind", async () => {
    await using home = new Home();
    const text = '{"mcpServers":{"a":{"command":"x"}}}';
    const path = put(home, "cursor", text);
    for (const variable of ["A=1", "A=2"])
      await run(home, ["install", "--client", "cursor", "--yes", "--env", variable]);
    await run(home, ["uninstall", "--client", "cursor", "--yes"]);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("what somebody changed after the installation stays when it is taken out again", async () => {
    await using home = new Home();
    const path = put(home, "cursor", '{"mcpServers":{"a":{"command":"x"}}}');
    await run(home, ["install", "--client", "cursor", "--yes", "--env", "A=1"]);
    writeFileSync(path, readFileSync(path, "utf8").replace('"x"', '"y"'));
    await run(home, ["uninstall", "--client", "cursor", "--yes"]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ mcpServers: { a: { command: "y" } } });
  });

  test("of several kept copies that would do, the newest is given back", async () => {
    await using home = new Home();
    const path = put(home, "cursor", "\n");
    await run(home, ["install", "--client", "cursor", "--yes"]);
    const [copy = ""] = backupsOf(path);
    const kept = join(dirname(path), copy);
    writeFileSync(`${kept}-9`, "\n\n");
    writeFileSync(`${kept}-10`, "");
    await run(home, ["uninstall", "--client", "cursor", "--yes"]);
    expect(readFileSync(path, "utf8")).toBe("");
  });

  test("an entry of ours keeps what was added to it, and only what is ours is renewed", async () => {
    await using home = new Home();
    const old = `{\n  "mcpServers": {\n    "claude-code": {\n      "command": "/old/place", // moved\n      "env": { "KEY": "1" },\n      "timeout": 60\n    }\n  }\n}\n`;
    const path = put(home, "cursor", old);
    await run(home, ["install", "--client", "cursor", "--yes", "--env", "MORE=2"]);
    const after = readFileSync(path, "utf8");
    expect(after).toContain("// moved");
    expect(JSON.parse(after.replace("// moved", ""))).toEqual({
      mcpServers: { "claude-code": { ...entry, env: { KEY: "1", MORE: "2" }, timeout: 60 } },
    });
    const toml = put(
      home,
      "codex",
      '[mcp_servers.claude-code]\ncommand = "/old" # moved\nargs = [\n  "x",\n]\nstartup_timeout_sec = 20\n\n[mcp_servers.claude-code.env]\nKEY = "1"\n\n[z]\na = 1\n',
    );
    expect((await run(home, ["install", "--client", "codex", "--yes", "--env", "MORE=2"])).err).toBe("");
    expect(Bun.TOML.parse(readFileSync(toml, "utf8"))).toEqual({
      mcp_servers: { "claude-code": { ...entry, startup_timeout_sec: 20, env: { KEY: "1", MORE: "2" } } },
      z: { a: 1 },
    });
  });
});

describe("a file that cannot be understood is not touched, and the fault is told with its place", () => {
  const files: [ClientName, string, string][] = [
    ["claude-desktop", '{\n  "mcpServers": {\n    "a": { "command": "x" \n  }\n', "line"],
    ["cursor", '{ "mcpServers": { "a" "b" } }', "line 1, column 23"],
    ["vscode", "[]", "no JSON object"],
    ["cursor", '{ "mcpServers": [] }', "`mcpServers` is no table"],
    ["cursor", '{ "mcpServers": { "claude-code": "x" } }', "is no table of a server"],
    ["cursor", '{ "mcpServers": {}, "mcpServers": { "a": {} } }', "cannot be edited safely"],
    ["codex", 'model = "a"\n\n[mcp_servers.x\ncommand = 1\n', "line 3"],
    ["codex", 'mcp_servers = { claude-code = { command = "x" } }\n', "cannot be edited safely"],
    ["codex", 'mcp_servers.claude-code.command = "x"\n', "cannot be edited safely"],
  ];
  for (const [client, text, expected] of files) {
    test(`${client}: ${json(text)}`, async () => {
      await using home = new Home();
      const path = put(home, client, text);
      const { code, out, err } = await run(home, ["install", "--client", client, "--yes"]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toContain(path);
      expect(err).toContain(expected);
      expect(readFileSync(path, "utf8")).toBe(text);
      expect(backupsOf(path)).toEqual([]);
    });
  }

  test("a read-only file is told with how to mend that", async () => {
    await using home = new Home();
    const path = put(home, "cursor", "{}\n");
    chmodSync(path, 0o444);
    const { code, err } = await run(home, ["install", "--client", "cursor", "--yes"]);
    expect({ code, text: readFileSync(path, "utf8") }).toEqual({ code: 2, text: "{}\n" });
    expect(err).toContain("chmod u+w");
  });

  test("a directory in the place of the file is told", async () => {
    await using home = new Home();
    mkdirSync(home.file(".cursor/mcp.json"), { recursive: true });
    const { code, err } = await run(home, ["install", "--client", "cursor", "--yes"]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("is no file") });
  });
});

test("a link stays a link, and the file behind it is changed", async () => {
  await using home = new Home();
  mkdirSync(home.file(".cursor"));
  writeFileSync(home.file("dotfiles.json"), "{}\n");
  symlinkSync(home.file("dotfiles.json"), home.file(".cursor/mcp.json"));
  expect((await run(home, ["install", "--client", "cursor", "--yes"])).code).toBe(0);
  expect(lstatSync(home.file(".cursor/mcp.json")).isSymbolicLink()).toBe(true);
  expect(readFileSync(home.file("dotfiles.json"), "utf8")).toContain(json(command));
});

test("the change is shown and asked for in a terminal, and nothing happens without a yes", async () => {
  await using home = new Home();
  const path = put(home, "cursor", '{\n  "mcpServers": {}\n}\n');
  await using no = new TerminalCommand(home, ["install", "--client", "cursor"], { columns: 160 });
  await no.shows("Change the file?");
  expect(no.screen.text).toContain('+     "claude-code": {');
  no.type("n\r");
  expect(await no.ended()).toBe(0);
  expect(readFileSync(path, "utf8")).not.toContain("claude-code");
  await using yes = new TerminalCommand(home, ["install", "--client", "cursor"], { columns: 160 });
  await yes.shows("Change the file?");
  yes.type("y\r");
  expect(await yes.ended()).toBe(0);
  expect(readFileSync(path, "utf8")).toContain("claude-code");
});

test("without a terminal nothing is changed unless --yes is given, and a dry run never changes anything", async () => {
  await using home = new Home();
  const { code, err } = await run(home, ["install", "--client", "cursor"]);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("--yes") });
  const dry = await run(home, ["install", "--client", "cursor", "--dry-run", "--yes"]);
  expect({ code: dry.code, out: dry.out }).toEqual({ code: 0, out: expect.stringContaining("+ {") });
  const asJson = await run(home, ["install", "--client", "cursor", "--json"]);
  expect(JSON.parse(asJson.out)).toMatchObject({ changes: true, applied: false });
  expect(existsSync(home.file(".cursor"))).toBe(false);
});

test("without --client, every client is listed with how it stands", async () => {
  await using home = new Home();
  put(home, "cursor", "{}");
  put(home, "codex", "[broken");
  put(home, "claude-desktop", '{"mcpServers":{"claude-code":{"command":"/elsewhere"}}}');
  await run(home, ["install", "--client", "claude-code", "--yes"]);
  const { code, out } = await run(home, ["install", "--json"]);
  expect(code).toBe(0);
  const listed: { clients: { client: string; state: string }[] } = JSON.parse(out);
  expect(Object.fromEntries(listed.clients.map(({ client, state }) => [client, state]))).toEqual({
    "claude-desktop": "installed-otherwise",
    "claude-code": "installed",
    cursor: "not-installed",
    vscode: "not-found",
    codex: "unreadable",
  });
  expect((await run(home, ["install"])).out).toContain("not on this machine");
  expect((await run(home, ["uninstall"])).out).toContain("`uninstall --client CLIENT` shows the change");
});

test("another program, another name and bad values", async () => {
  await using home = new Home();
  const args = ["install", "--client", "cursor", "--yes"];
  expect(await run(home, [...args, "--command", "/nowhere/at/all"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("not a program that can be run"),
  });
  expect(await run(home, [...args, "--env", "secret"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("KEY=VALUE"),
  });
  expect(await run(home, [...args, "--name", "a b"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("--name"),
  });
  expect(await run(home, ["install", "--client", "curser"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("did you mean cursor?"),
  });
  expect(existsSync(home.file(".cursor"))).toBe(false);
  expect((await run(home, [...args, "--command", "sh", "--name", "mine"])).code).toBe(0);
  expect(JSON.parse(readFileSync(home.file(".cursor/mcp.json"), "utf8"))).toEqual({
    mcpServers: { mine: { command: Bun.which("sh") ?? "", args: [] } },
  });
});

test("uninstalling what is not there does nothing, and makes no file", async () => {
  await using home = new Home();
  expect(await run(home, ["uninstall", "--client", "vscode", "--yes"])).toMatchObject({
    code: 0,
    out: expect.stringContaining("Already up to date"),
  });
  expect(existsSync(home.file(".config/Code"))).toBe(false);
});

test("what a package runner has fetched is started by that runner, for its cache does not last", () => {
  const [bun = ""] = lastingCommand("p", source, "/usr/bin/bun");
  const inBunCache = "/tmp/bunx-1000-p@latest/node_modules/p/dist/main.js";
  expect(lastingCommand("p", inBunCache, "/usr/bin/bun")).toEqual([bun, "x", "p"]);
  const inNpmCache = "/home/me/.npm/_npx/0a1b/node_modules/p-linux-x64/bin/p";
  expect(lastingCommand("p", "/$bunfs/root/p", inNpmCache)).toEqual(["npx", "-y", "p"]);
  const fetchedBun = "/home/me/.npm/_npx/0a1b/node_modules/bun/bin/bun.exe";
  expect(lastingCommand("p", source, fetchedBun)).not.toContain("npx");
});

test("each system has its places, and variables that clients obey move them", () => {
  const mac = filesOf("darwin", {});
  expect(mac["claude-desktop"]).toEndWith("/Library/Application Support/Claude/claude_desktop_config.json");
  expect(mac.vscode).toEndWith("/Library/Application Support/Code/User/mcp.json");
  const windows = filesOf("win32", { APPDATA: "/roaming" });
  expect(windows["claude-desktop"]).toBe("/roaming/Claude/claude_desktop_config.json");
  expect(windows.vscode).toBe("/roaming/Code/User/mcp.json");
  const linux = filesOf("linux", {
    XDG_CONFIG_HOME: "/config",
    CLAUDE_CONFIG_DIR: "/claude",
    CODEX_HOME: "/codex",
  });
  expect(linux).toMatchObject({
    "claude-desktop": "/config/Claude/claude_desktop_config.json",
    "claude-code": "/claude/.claude.json",
    codex: "/codex/config.toml",
  });
});
