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
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { filesOf } from "../src/operations/clients/client-files.ts";
import { type ClientName, clientNames } from "../src/operations/clients/client-names.ts";
import { startsUs } from "../src/operations/clients/own-entry.ts";
import { lastingCommand } from "../src/platform/self.ts";
import { testNeeding } from "./facilities.ts";
import { configurationFolder, Home, program, run } from "./harness.ts";
import { expectMode } from "./modes.ts";
import { nativePath } from "./native-path.ts";
import { TerminalCommand } from "./pty-harness.ts";

/** Of each form one or more; the others are tried in one process. */
const places = {
  "claude-desktop": `${configurationFolder}/Claude/claude_desktop_config.json`,
  "claude-code": ".claude.json",
  cursor: ".cursor/mcp.json",
  vscode: `${configurationFolder}/Code/User/mcp.json`,
  codex: ".codex/config.toml",
  opencode: ".config/opencode/opencode.json",
} as const satisfies Partial<Record<ClientName, string>>;

type Tried = keyof typeof places;
const tried = clientNames.filter((name): name is Tried => Object.hasOwn(places, name));

function put(home: Home, client: Tried, text: string | Buffer): string {
  const path = home.file(places[client]);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const [command = "", ...args] = program();
const entry = { command, args };
/** A program that each system has. */
const shell = process.platform === "win32" ? "cmd" : "sh";
const source = join(import.meta.dir, "../src/main.ts");
const json = (value: unknown) => JSON.stringify(value);

function backupsOf(path: string): string[] {
  if (!existsSync(dirname(path))) return [];
  return readdirSync(dirname(path)).filter((name) => name.includes(".backup-"));
}

/** Lines of the first text that the second one no longer has. */
function lost(before: string, after: string): string[] {
  const kept = after.split("\n");
  return before.split("\n").filter((line) => !kept.includes(line));
}

const wantedKey: Record<Tried, string> = {
  "claude-desktop": "mcpServers",
  "claude-code": "mcpServers",
  cursor: "mcpServers",
  vscode: "servers",
  codex: "mcp_servers",
  opencode: "mcp",
};

describe("a client without a configuration gets one", () => {
  for (const client of tried) {
    test(client, async () => {
      await using home = new Home();
      const { code, out } = await run(home, ["install", "--client", client, "--yes", "--env", "A=b=c"]);
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("Done.") });
      const path = home.file(places[client]);
      const text = readFileSync(path, "utf8");
      const parsed: unknown = client === "codex" ? Bun.TOML.parse(text) : JSON.parse(text);
      expect(parsed).toMatchObject({
        [wantedKey[client]]: {
          "claude-code":
            client === "opencode"
              ? { type: "local", command: [command, ...args], environment: { A: "b=c" } }
              : { ...entry, env: { A: "b=c" } },
        },
      });
      expectMode(path, 0o600);
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
      expect(backupsOf(path)).toHaveLength(1);
      const { out } = await run(home, ["uninstall", "--client", client, "--yes"]);
      expect(out).toContain("nothing else is in it");
      expect(existsSync(path)).toBe(false);
      // The folders that were made for it have gone too, so that the client is not taken for one that is here.
      expect(JSON.parse((await run(home, ["install", "--json"])).out).clients).toContainEqual(
        expect.objectContaining({ client, state: "not-found" }),
      );
      // Nothing of anybody else's was ever in it, so that no copy stays either.
      expect(backupsOf(path)).toEqual([]);
    });
  }

  test("nor when the client has written it in its own way since", async () => {
    await using home = new Home();
    const path = home.file(places.cursor);
    await run(home, ["install", "--client", "cursor", "--yes"]);
    await run(home, ["install", "--client", "cursor", "--yes", "--env", "A=1"]);
    writeFileSync(path, json(JSON.parse(readFileSync(path, "utf8"))));
    await run(home, ["uninstall", "--client", "cursor", "--yes"]);
    expect(existsSync(home.file(".cursor"))).toBe(false);
  });

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
  const files: [string, Tried, string][] = [
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
      expectMode(path, 0o640);
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
    const old = `{\n  "mcpServers": {\n    "claude-code": {\n      "command": "/old/parallel-claude-code-mcp", // moved\n      "env": { "KEY": "1" },\n      "timeout": 60\n    }\n  }\n}\n`;
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
      '[mcp_servers.claude-code]\ncommand = "/old#1/parallel-claude-code-mcp" # moved\nargs = [\n  "x", # within\n]  # behind\nstartup_timeout_sec = 20\n\n[mcp_servers.claude-code.env]\nKEY = "1"\n\n[z]\na = 1\n',
    );
    expect((await run(home, ["install", "--client", "codex", "--yes", "--env", "MORE=2"])).err).toBe("");
    const renewed = readFileSync(toml, "utf8");
    expect(renewed).toContain(`command = ${json(entry.command)} # moved\n`);
    expect(renewed).toContain(`args = [${entry.args.map(json).join(", ")}]  # behind\n`);
    expect(Bun.TOML.parse(renewed)).toEqual({
      mcp_servers: { "claude-code": { ...entry, startup_timeout_sec: 20, env: { KEY: "1", MORE: "2" } } },
      z: { a: 1 },
    });
  });
});

describe("a file that cannot be understood is not touched, and the fault is told with its place", () => {
  const files: [Tried, string | Buffer, string][] = [
    ["claude-desktop", '{\n  "mcpServers": {\n    "a": { "command": "x" \n  }\n', "line"],
    ["cursor", '{ "mcpServers": { "a" "b" } }', "line 1, column 23"],
    ["vscode", "[]", "no JSON object"],
    ["cursor", '{ "mcpServers": [] }', "`mcpServers` is no table"],
    ["cursor", '{ "mcpServers": { "claude-code": "x" } }', "is no table of a server"],
    ["cursor", '{ "mcpServers": {}, "mcpServers": { "a": {} } }', "cannot be edited safely"],
    ["cursor", Buffer.from('{ "name": "M\xfcller" }', "latin1"), "it is not text in UTF-8"],
    ["codex", 'model = "a"\n\n[mcp_servers.x\ncommand = 1\n', "line 3"],
    ["codex", 'mcp_servers = { claude-code = { command = "x" } }\n', "cannot be edited safely"],
    ["codex", 'mcp_servers.claude-code.command = "parallel-claude-code-mcp"\n', "cannot be edited safely"],
  ];
  for (const [client, text, expected] of files) {
    test(`${client}: ${json(text.toString("latin1"))}`, async () => {
      await using home = new Home();
      const path = put(home, client, text);
      const { code, out, err } = await run(home, ["install", "--client", client, "--yes"]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toContain(path);
      expect(err).toContain(expected);
      expect(readFileSync(path)).toEqual(Buffer.from(text));
      expect(backupsOf(path)).toEqual([]);
    });
  }

  test("a read-only file is told with how to mend that", async () => {
    await using home = new Home();
    const path = put(home, "cursor", "{}\n");
    chmodSync(path, 0o444);
    const { code, err } = await run(home, ["install", "--client", "cursor", "--yes"]);
    expect({ code, text: readFileSync(path, "utf8") }).toEqual({ code: 2, text: "{}\n" });
    expect(err).toContain(process.platform === "win32" ? `attrib -r ${path}` : `chmod u+w ${path}`);
  });

  test("a directory in the place of the file is told", async () => {
    await using home = new Home();
    mkdirSync(home.file(".cursor/mcp.json"), { recursive: true });
    const { code, err } = await run(home, ["install", "--client", "cursor", "--yes"]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("(it is not a file)") });
  });
});

testNeeding("symbolic links")("a link stays a link, and the file behind it is changed", async () => {
  await using home = new Home();
  mkdirSync(home.file(".cursor"));
  writeFileSync(home.file("dotfiles.json"), "{}\n");
  symlinkSync(home.file("dotfiles.json"), home.file(".cursor/mcp.json"));
  expect((await run(home, ["install", "--client", "cursor", "--yes"])).code).toBe(0);
  expect(lstatSync(home.file(".cursor/mcp.json")).isSymbolicLink()).toBe(true);
  expect(readFileSync(home.file("dotfiles.json"), "utf8")).toContain(json(command));
});

testNeeding("symbolic links")("a link to a file that is not there yet stays a link, too", async () => {
  await using home = new Home();
  mkdirSync(home.file(".cursor"));
  symlinkSync("../dotfiles/cursor.json", home.file(".cursor/mcp.json"));
  expect((await run(home, ["install", "--client", "cursor", "--yes"])).code).toBe(0);
  expect(lstatSync(home.file(".cursor/mcp.json")).isSymbolicLink()).toBe(true);
  expect(readFileSync(home.file("dotfiles/cursor.json"), "utf8")).toContain(json(command));
});

testNeeding("a terminal of one's own")("a file that somebody else makes while we ask is kept", async () => {
  await using home = new Home();
  mkdirSync(home.file(".cursor"));
  await using asked = new TerminalCommand(home, ["install", "--client", "cursor"], { columns: 160 });
  await asked.shows("Change the file?");
  const path = put(home, "cursor", '{"theirs": true}');
  asked.type("y\r");
  expect(await asked.ended()).toBe(2);
  expect(asked.screen.text).toContain("was changed by another program in the meantime");
  expect(readFileSync(path, "utf8")).toBe('{"theirs": true}');
});

test("of another server's command, nothing is shown from its first option on", async () => {
  await using home = new Home();
  const other = { command: "npx", args: ["-y", "mcp-remote", "-H", "Authorization: Bearer sk-1"] };
  put(home, "cursor", json({ mcpServers: { "claude-code": other } }));
  const { out } = await run(home, ["install"]);
  expect(out).toContain("(`claude-code`: npx -y mcp-remote)");
  expect(out).not.toContain("sk-1");
});

testNeeding("a terminal of one's own")(
  "the change is shown and asked for in a terminal, and nothing happens without a yes",
  async () => {
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
  },
);

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
  put(home, "claude-desktop", '{"mcpServers":{"mine":{"command":"/elsewhere/parallel-claude-code-mcp"}}}');
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
    windsurf: "not-found",
    zed: "not-found",
    gemini: "not-found",
    opencode: "not-found",
    cline: "not-found",
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
    err: expect.stringContaining("did you mean `cursor`?"),
  });
  expect(existsSync(home.file(".cursor"))).toBe(false);
  expect((await run(home, [...args, "--command", shell, "--name", "mine"])).code).toBe(0);
  expect(JSON.parse(readFileSync(home.file(".cursor/mcp.json"), "utf8"))).toEqual({
    mcpServers: { mine: { command: Bun.which(shell) ?? "", args: [] } },
  });
});

/** As Anthropic's documentation has it, with more than we would write. */
const foreign = { command: "claude", args: ["mcp", "serve"], env: { A: "1" }, timeout: 9 };
const withForeign = (client: Tried): string =>
  client === "codex"
    ? '# Mine.\n[mcp_servers.claude-code]\ncommand = "claude" # theirs\nargs = ["mcp", "serve"]\ntimeout = 9\n\n[mcp_servers.claude-code.env]\nA = "1"\n\n[z]\na = 1\n'
    : `{\n  // Mine.\n  ${json(wantedKey[client])}: {\n    "claude-code": ${json(foreign)}, // theirs\n    "a": { "command": "x" }\n  }\n}\n`;
const serversIn = (client: Tried, path: string): Record<string, unknown> => {
  const text = readFileSync(path, "utf8");
  const whole: Record<string, Record<string, unknown>> = client === "codex"
    ? Bun.TOML.parse(text)
    : JSON.parse(text.replaceAll(/ \/\/.*$/gm, ""));
  return whole[wantedKey[client]] ?? {};
};

describe("another server that has the name", () => {
  for (const client of ["claude-desktop", "vscode", "codex"] as const) {
    test(`${client}: keeps it, and ours gets another one`, async () => {
      await using home = new Home();
      const text = withForeign(client);
      const path = put(home, client, text);
      const listed = await run(home, ["install", "--json"]);
      expect(JSON.parse(listed.out).clients).toContainEqual(
        expect.objectContaining({ client, state: "name-taken", detail: "`claude-code`: claude mcp serve" }),
      );
      expect((await run(home, ["install"])).out).toContain("another server has this name");
      const { out } = await run(home, ["install", "--client", client, "--yes"]);
      expect(out).toContain(
        "is another server (claude mcp serve), so this one is called `parallel-claude-code`",
      );
      expect(serversIn(client, path)).toMatchObject({
        "claude-code": foreign,
        "parallel-claude-code": entry,
      });
      const again = await run(home, ["install", "--client", client, "--yes"]);
      expect(again.out).toContain("The entry that starts this program is `parallel-claude-code`");
      const nothing = await run(home, ["uninstall", "--client", client, "--name", "claude-code", "--yes"]);
      expect(nothing).toMatchObject({ code: 2, err: expect.stringContaining("is not this program") });
      await run(home, ["uninstall", "--client", client, "--yes"]);
      expect(readFileSync(path, "utf8")).toBe(text);
      const gone = await run(home, ["uninstall", "--client", client, "--yes"]);
      expect(gone.out).toContain("Its `claude-code` is another server (claude mcp serve).");
      expect(readFileSync(path, "utf8")).toBe(text);
    });

    test(`${client}: --replace takes the name over, and uninstall brings it back to the byte`, async () => {
      await using home = new Home();
      const text = withForeign(client);
      const path = put(home, client, text);
      await run(home, ["install", "--client", client, "--yes"]);
      await run(home, ["uninstall", "--client", client, "--yes"]);
      const { out } = await run(home, ["install", "--client", client, "--replace", "--yes"]);
      expect(out).toContain("`uninstall` brings it back");
      const ours = serversIn(client, path)["claude-code"];
      expect(ours).toMatchObject(entry);
      expect(ours).not.toHaveProperty("timeout");
      await run(home, ["uninstall", "--client", client, "--yes"]);
      expect(readFileSync(path, "utf8")).toBe(text);
    });

    test(`${client}: it comes back also after more installations than copies are kept, and other changes`, async () => {
      await using home = new Home();
      const path = put(home, client, withForeign(client));
      await run(home, ["install", "--client", client, "--yes"]);
      await run(home, ["install", "--client", client, "--replace", "--yes"]);
      expect(Object.keys(serversIn(client, path))).not.toContain("parallel-claude-code");
      for (const value of ["1", "2", "3"])
        await run(home, ["install", "--client", client, "--yes", "--env", `B=${value}`]);
      expect(backupsOf(path)).toHaveLength(2);
      writeFileSync(path, `${readFileSync(path, "utf8")}${client === "codex" ? "# more" : " // more"}\n`);
      await run(home, ["uninstall", "--client", client, "--yes"]);
      expect(serversIn(client, path)["claude-code"]).toEqual(foreign);
      expect(readFileSync(path, "utf8")).toContain("more");
    });
  }

  test("both names taken: nothing is done, and the ways out are told", async () => {
    await using home = new Home();
    const text = json({ mcpServers: { "claude-code": foreign, "parallel-claude-code": foreign } });
    const path = put(home, "cursor", text);
    const { code, err } = await run(home, ["install", "--client", "cursor", "--yes"]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/--name.*--replace/s) });
    const named = await run(home, [
      "install",
      "--client",
      "cursor",
      "--name",
      "parallel-claude-code",
      "--yes",
    ]);
    expect(named).toMatchObject({ code: 2, err: expect.stringContaining("is another server") });
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("an entry of ours is updated in place, whatever it is called and however it is run", async () => {
    const n = "parallel-claude-code-mcp";
    const ours: [string, ...string[]][] = [
      [n],
      ["/opt/bin/claude-code-parallel-mcp-server"],
      ["C:\\Tools\\parallel-claude-code-mcp.exe"],
      ["npx", "-y", n],
      ["npx", "--yes", `${n}@latest`],
      ["npx", "-p", n, "claude-code-parallel-mcp-server"],
      ["cmd", "/c", "npx", "-y", "claude-code-parallel-mcp-server"],
      ["bunx", `${n}@0.1.0`],
      ["/usr/bin/bun", "x", n],
      ["npm", "exec", "--", n],
      ["node", `/usr/lib/node_modules/${n}/launcher.js`],
      ["bun", "run", `/src/${n}/src/main.ts`],
      [`/opt/${n}-linux-x64`],
    ];
    const others: [string, ...string[]][] = [
      ["claude", "mcp", "serve"],
      ["npx", "-y", "files", `/src/${n}`],
      ["npx", "-y", `${n}-helper`],
      ["node", "server.js", n],
      [`my-${n}`],
      [n.slice(0, -4)],
    ];
    const entryOf = ([command, ...args]: [string, ...string[]]) => ({ command, args });
    for (const words of ours)
      expect({ words, ours: startsUs(entryOf(words)) }).toEqual({ words, ours: true });
    for (const words of others)
      expect({ words, ours: startsUs(entryOf(words)) }).toEqual({ words, ours: false });
    expect(startsUs({ url: "http://127.0.0.1/mcp" })).toBe(false);
    await using home = new Home();
    const path = put(
      home,
      "cursor",
      json({ mcpServers: { x: { command: "x" }, mine: entryOf(["npx", "-y", n]) } }),
    );
    const { out } = await run(home, ["install", "--client", "cursor", "--yes"]);
    expect(out).toContain("The entry that starts this program is `mine`");
    expect(serversIn("cursor", path)).toEqual({ x: { command: "x" }, mine: entry });
    await run(home, ["uninstall", "--client", "cursor", "--yes"]);
    expect(serversIn("cursor", path)).toEqual({ x: { command: "x" } });
  });

  test("what was installed with --command is removed with it", async () => {
    await using home = new Home();
    const path = put(home, "cursor", '{"mcpServers":{"a":{"command":"x"}}}');
    const args = ["--client", "cursor", "--yes", "--name", "mine"];
    await run(home, ["install", ...args, "--command", shell]);
    expect(await run(home, ["uninstall", ...args])).toMatchObject({
      code: 2,
      err: expect.stringContaining("repeat that option"),
    });
    await run(home, ["uninstall", ...args, "--command", shell]);
    expect(Object.keys(serversIn("cursor", path))).toEqual(["a"]);
  });
});

describe("Claude Code's other places", () => {
  const inRepository = async (home: Home, entries: object): Promise<string> => {
    mkdirSync(join(home.work, ".git"));
    return put(home, "claude-code", json({ projects: { [home.work]: { mcpServers: entries, x: 1 } }, y: 2 }));
  };
  const standing = async (home: Home) => {
    const { clients } = JSON.parse((await run(home, ["install", "--json"])).out);
    return clients.find(({ client }: { client: string }) => client === "claude-code");
  };

  test("what `claude mcp add` put into the local scope is listed, updated there, and removed from there", async () => {
    await using home = new Home();
    const path = await inRepository(home, {
      par: { type: "stdio", command: "parallel-claude-code-mcp", args: [] },
    });
    expect(await standing(home)).toMatchObject({
      state: "installed-otherwise",
      scope: "local",
      name: "par",
      detail: "called par, in this project only, as parallel-claude-code-mcp",
    });
    const { out } = await run(home, ["install", "--client", "claude-code", "--yes"]);
    expect(out).toContain(`is for the project ${home.work} only`);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      projects: { [home.work]: { mcpServers: { par: { type: "stdio", ...entry } }, x: 1 } },
      y: 2,
    });
    expect(await standing(home)).toMatchObject({ state: "installed", scope: "local" });
    await run(home, ["uninstall", "--client", "claude-code", "--yes"]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      projects: { [home.work]: { mcpServers: {}, x: 1 } },
      y: 2,
    });
    expect(await standing(home)).toMatchObject({ state: "not-installed" });
  });

  test("a name makes an entry for all projects beside it", async () => {
    await using home = new Home();
    const path = await inRepository(home, { par: { command: "parallel-claude-code-mcp" } });
    await run(home, ["install", "--client", "claude-code", "--name", "all", "--yes"]);
    expect(serversIn("claude-code", path)).toMatchObject({ all: entry });
    expect(await standing(home)).toMatchObject({ state: "installed", scope: "user", name: "all" });
  });

  test(".mcp.json, which a project shares, is read and left as it is", async () => {
    await using home = new Home();
    put(home, "claude-code", "{}");
    const shared = join(home.work, ".mcp.json");
    const text = json({ mcpServers: { ours: { command: "npx", args: ["-y", "parallel-claude-code-mcp"] } } });
    writeFileSync(shared, text);
    expect(await standing(home)).toMatchObject({
      state: "installed-otherwise",
      scope: "project",
      file: shared,
    });
    for (const command of ["install", "uninstall"]) {
      const { out } = await run(home, [command, "--client", "claude-code", "--yes"]);
      expect(out).toContain(
        `${shared}, which all who work on this project share, starts this program as \`ours\``,
      );
    }
    expect(readFileSync(shared, "utf8")).toBe(text);
    expect(readFileSync(home.file(places["claude-code"]), "utf8")).toBe("{}");
  });

  test("a .mcp.json that cannot be read stands in nobody's way, and is not waited for", async () => {
    await using home = new Home();
    put(home, "claude-code", "{}");
    const shared = join(home.work, ".mcp.json");
    writeFileSync(shared, "{ broken");
    expect(await standing(home)).toMatchObject({ state: "not-installed" });
    expect((await run(home, ["install", "--client", "claude-code", "--yes"])).code).toBe(0);
    rmSync(shared);
    if (process.platform === "win32") return;
    Bun.spawnSync(["mkfifo", shared]);
    expect(await standing(home)).toMatchObject({ state: "installed", scope: "user" });
    expect((await run(home, ["uninstall", "--client", "claude-code", "--yes"])).code).toBe(0);
  });
});

test("uninstalling what is not there does nothing, and makes no file", async () => {
  await using home = new Home();
  expect(await run(home, ["uninstall", "--client", "vscode", "--yes"])).toMatchObject({
    code: 0,
    out: `Nothing to remove: ${home.file(places.vscode)} does not exist.\n`,
  });
  expect(existsSync(home.file(`${configurationFolder}/Code`))).toBe(false);
  const path = put(home, "cursor", "{}");
  expect((await run(home, ["uninstall", "--client", "cursor", "--yes"])).out).toBe(
    `Nothing to remove: ${path} has no entry of this program.\n`,
  );
  expect(backupsOf(path)).toEqual([]);
});

test("what a package runner has fetched is started by that runner, for its cache does not last", () => {
  const [bun = ""] = lastingCommand("p", source, "/usr/bin/bun");
  const inBunCache = "/tmp/bunx-1000-p@latest/node_modules/p/dist/main.js";
  expect(lastingCommand("p", inBunCache, "/usr/bin/bun")).toEqual([bun, "x", "p"]);
  const inNpmCache = "/home/me/.npm/_npx/0a1b/node_modules/p-linux-x64/bin/p";
  expect(lastingCommand("p", "/$bunfs/root/p", inNpmCache)).toEqual([
    // There, it is a batch file.
    ...(process.platform === "win32" ? ["cmd", "/c"] : []),
    "npx",
    "-y",
    "p",
  ]);
  const fetchedBun = "/home/me/.npm/_npx/0a1b/node_modules/bun/bin/bun.exe";
  expect(lastingCommand("p", source, fetchedBun)).not.toContain("npx");
});

test("each system has its places, and variables that clients obey move them", () => {
  const mac = filesOf("darwin", {});
  expect(mac["claude-desktop"]).toEndWith(
    nativePath("/Library/Application Support/Claude/claude_desktop_config.json"),
  );
  expect(mac.vscode).toEndWith(nativePath("/Library/Application Support/Code/User/mcp.json"));
  const windows = filesOf("win32", { APPDATA: "/roaming" });
  expect(windows["claude-desktop"]).toBe(nativePath("/roaming/Claude/claude_desktop_config.json"));
  expect(windows.vscode).toBe(nativePath("/roaming/Code/User/mcp.json"));
  const linux = filesOf("linux", {
    XDG_CONFIG_HOME: "/config",
    CLAUDE_CONFIG_DIR: "/claude",
    CODEX_HOME: "/codex",
  });
  expect(linux).toMatchObject({
    "claude-desktop": nativePath("/config/Claude/claude_desktop_config.json"),
    "claude-code": nativePath("/claude/.claude.json"),
    codex: nativePath("/codex/config.toml"),
  });
});
