// How this program comes into the configuration of a client, and out of it again, in this process.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { product } from "../../src/model/product.ts";
import { applyChange } from "../../src/operations/clients/apply-change.ts";
import { entryIn } from "../../src/operations/clients/change.ts";
import { filesOf } from "../../src/operations/clients/client-files.ts";
import { clientNames } from "../../src/operations/clients/client-names.ts";
import { planInstall, planUninstall } from "../../src/operations/clients/install.ts";
import { commandText } from "../../src/operations/clients/own-entry.ts";
import { standings } from "../../src/operations/clients/standings.ts";
import { homeDirectory } from "../../src/platform/paths.ts";
import { lastingCommand } from "../../src/platform/self.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";
import { nativePath } from "../native-path.ts";

const [command = "", ...args] = lastingCommand(product.name);
const own = { command, args };
const client = "claude-code" as const;
const other = { command: "claude", args: ["mcp", "serve", "--token", "secret"] };

/** The file of Claude Code, with these servers. */
function file(inside: Inside, servers: object = {}, more: object = {}): string {
  return inside.write(
    "claude/.claude.json",
    `${JSON.stringify({ ...more, mcpServers: servers }, null, 2)}\n`,
  );
}

const serversIn = (path: string) => JSON.parse(readFileSync(path, "utf8")).mcpServers;
const copiesOf = (path: string) => readdirSync(dirname(path)).filter((name) => name.includes(".backup-"));

describe("installing", () => {
  testNeeding("modes of files")(
    "makes the file of a client that has none, for its user alone, and uninstalling leaves nothing of it",
    async () => {
      using inside = new Inside();
      const context = inside.context();
      const path = inside.file("claude/.claude.json");
      const change = planInstall(context, { client });
      expect(change).toMatchObject({ name: "claude-code", before: undefined, notes: [] });
      expect(change.diff).toContain(`+     "claude-code": {`);
      expect(await applyChange(change)).toBeUndefined();
      expect(serversIn(path)).toEqual({ "claude-code": { type: "stdio", ...own } });
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(planInstall(context, { client })).toMatchObject({ diff: "", notes: [] });
      const back = planUninstall(context, { client });
      expect(back.after).toBeUndefined();
      await applyChange(back);
      expect(existsSync(path)).toBe(false);
    },
  );

  testNeeding("modes of files")(
    "keeps a copy of a file that is there, its rights, and gives it back to the byte",
    async () => {
      using inside = new Inside();
      const context = inside.context();
      const path = file(inside, { a: other }, { theme: "dark" });
      chmodSync(path, 0o640);
      const before = readFileSync(path, "utf8");
      const copy = await applyChange(planInstall(context, { client, env: ["A=1", "B=x=y"] }));
      expect(readFileSync(copy ?? "", "utf8")).toBe(before);
      expect(copy).toMatch(/\.claude\.json\.backup-\d{8}-\d{6}$/);
      expect(serversIn(path)).toEqual({
        a: other,
        "claude-code": { type: "stdio", ...own, env: { A: "1", B: "x=y" } },
      });
      expect(statSync(path).mode & 0o777).toBe(0o640);
      await applyChange(planUninstall(context, { client }));
      expect(readFileSync(path, "utf8")).toBe(before);
    },
  );

  test("keeps two copies: the newest, and the newest without our entry", async () => {
    using inside = new Inside();
    const context = inside.context();
    const path = file(inside, { a: other });
    const before = readFileSync(path, "utf8");
    const copies: (string | undefined)[] = [];
    for (const env of ["A=1", "A=2", "A=3", "A=4"])
      copies.push(await applyChange(planInstall(context, { client, env: [env] })));
    const kept = copiesOf(path).map((name) => join(dirname(path), name));
    expect(kept.sort()).toEqual([copies[0] ?? "", copies[3] ?? ""].sort());
    expect(readFileSync(copies[0] ?? "", "utf8")).toBe(before);
    expect(serversIn(copies[3] ?? "")["claude-code"].env).toEqual({ A: "3" });
  });

  test("takes another name where the usual one is another server's, and the usual one with --replace", async () => {
    using inside = new Inside();
    const context = inside.context();
    const path = file(inside, { "claude-code": other });
    const beside = planInstall(context, { client });
    expect(beside).toMatchObject({
      name: "parallel-claude-code",
      notes: [
        `\`claude-code\` in ${path} is another server (claude mcp serve), so this one is called \`parallel-claude-code\`. To replace the other one, use --replace.`,
      ],
    });
    await applyChange(beside);
    expect(planInstall(context, { client }).notes).toEqual([
      "The entry that starts this program is `parallel-claude-code`.",
    ]);
    const takeover = planInstall(context, { client, replace: true });
    expect(takeover.notes).toEqual([
      "This replaces another server of the name `claude-code`. `uninstall` brings it back from the copy.",
    ]);
    await applyChange(takeover);
    expect(serversIn(path)).toEqual({ "claude-code": { type: "stdio", ...own } });
    await applyChange(planUninstall(context, { client }));
    expect(serversIn(path)["claude-code"]).toEqual(other);
  });

  test("with --replace of a name that is ours changes nothing, and of one that is free installs", () => {
    using inside = new Inside();
    const context = inside.context();
    file(inside, { "claude-code": own });
    expect(planInstall(context, { client, replace: true })).toMatchObject({ diff: "", notes: [] });
    expect(planInstall(context, { client, replace: true, name: "mine" })).toMatchObject({
      name: "mine",
      notes: [],
    });
  });

  test("under another name that is another server's replaces that one alone", async () => {
    using inside = new Inside();
    const context = inside.context();
    const path = file(inside, { mine: other, "parallel-claude-code": own });
    await applyChange(planInstall(context, { client, name: "mine", replace: true }));
    expect(serversIn(path)).toEqual({ mine: { type: "stdio", ...own }, "parallel-claude-code": own });
  });

  test("is refused where a given name, or both names, are other servers'", () => {
    using inside = new Inside();
    const context = inside.context();
    const path = file(inside, { "claude-code": other, mine: { url: "https://x" }, odd: {} });
    const refused = (name: string, what: string) =>
      `\`${name}\` in ${path} is another server (${what}), and nothing was done. Choose another name with --name, or replace that server with --replace.`;
    expect(() => planInstall(context, { client, name: "mine" })).toThrow(
      refused("mine", "a server at a URL"),
    );
    expect(() => planInstall(context, { client, name: "odd" })).toThrow(refused("odd", "of an unknown kind"));
    file(inside, { "claude-code": other, "parallel-claude-code": other });
    expect(() => planInstall(context, { client })).toThrow(refused("claude-code", "claude mcp serve"));
  });

  test("updates the entry that starts this program otherwise, and keeps what else it says", async () => {
    using inside = new Inside();
    const context = inside.context();
    const path = file(inside, {
      mine: { command: "npx", args: ["-y", product.name], env: { A: "1" }, timeout: 5 },
    });
    const change = planInstall(context, { client, env: ["B=2"] });
    expect(change).toMatchObject({
      name: "mine",
      notes: ["The entry that starts this program is `mine`."],
    });
    await applyChange(change);
    expect(serversIn(path)).toEqual({ mine: { ...own, env: { A: "1", B: "2" }, timeout: 5 } });
    expect(planInstall(context, { client, name: "second" })).toMatchObject({ name: "second", notes: [] });
  });

  testNeeding("programs that are scripts")("takes another program by its path or its name", async () => {
    using inside = new Inside();
    const context = inside.context();
    const program = inside.script("work/program", "true");
    const commandOf = async (written: string) => {
      await applyChange(planInstall(context, { client, command: written, name: "x" }));
      return serversIn(inside.file("claude/.claude.json")).x;
    };
    expect(await commandOf(program)).toEqual({ type: "stdio", command: program, args: [] });
    expect(planInstall(context, { client, command: "./program", name: "x" }).diff).toBe("");
    await applyChange(planUninstall(context, { client, name: "x", command: "./program" }));
    expect(await commandOf("sh")).toMatchObject({ command: Bun.which("sh") });
    for (const written of ["nowhere-to-be-found", "./nothing", inside.work])
      expect(() => planInstall(context, { client, command: written })).toThrow(
        `--command was given as ${JSON.stringify(written)}, which is not a program that can be run. Nothing was done.`,
      );
  });

  test("repeats no value of a variable that is none", () => {
    using inside = new Inside();
    expect(() => planInstall(inside.context(), { client, env: ["A=1", "B", "1C=secret", "_D="] })).toThrow(
      '--env needs KEY=VALUE, and was given "B", "1C". Nothing was done.',
    );
  });

  test("is refused for what is no file, cannot be understood, is read-only, or has changed meanwhile", async () => {
    using inside = new Inside();
    const context = inside.context();
    const path = inside.write("claude/.claude.json", "{ broken");
    expect(() => planInstall(context, { client })).toThrow(
      `The configuration of Claude Code cannot be changed: ${path} (line 1, column 3: invalid symbol). Nothing was done. Fix the file, or edit it yourself.`,
    );
    inside.write("claude/.claude.json", '{"mcpServers": []}');
    expect(() => planInstall(context, { client })).toThrow("`mcpServers` is no table of servers");
    inside.write("claude/.claude.json", '{"mcpServers": {"claude-code": 3}}');
    expect(() => planInstall(context, { client })).toThrow(
      "`mcpServers.claude-code` is no table of a server",
    );
    file(inside);
    const change = planInstall(context, { client });
    file(inside, { a: other });
    await expect(applyChange(change)).rejects.toThrow(
      `${path} was changed by another program in the meantime. Nothing was done. Try again.`,
    );
    using another = new Inside();
    mkdirSync(another.file("claude/.claude.json"), { recursive: true });
    expect(() => planInstall(another.context(), { client })).toThrow("(it is not a file). Nothing was done.");
  });

  test("for one project only is told so, and what a project shares is left alone", async () => {
    using inside = new Inside();
    const context = inside.context();
    const path = inside.write(
      "claude/.claude.json",
      JSON.stringify({ projects: { [inside.work]: { mcpServers: { mine: { command: product.name } } } } }),
    );
    const change = planInstall(context, { client });
    expect(change.notes).toEqual([
      `The entry \`mine\` is for the project ${inside.work} only. To add one for all projects, give it a --name.`,
    ]);
    await applyChange(change);
    expect(JSON.parse(readFileSync(path, "utf8")).projects[inside.work].mcpServers.mine).toEqual(own);
    using shared = new Inside();
    const project = shared.write(
      ".mcp.json",
      JSON.stringify({ mcpServers: { ours: { command: product.name } } }),
    );
    const note = (advice: string) => [
      `${project}, which all who work on this project share, starts this program as \`ours\`. Nothing was changed. ${advice}.`,
    ];
    expect(planInstall(shared.context(), { client })).toMatchObject({
      diff: "",
      notes: note("To add it for yourself as well, give it a --name"),
    });
    expect(planUninstall(shared.context(), { client })).toMatchObject({
      diff: "",
      notes: note("To remove it there, add `--scope project`"),
    });
    // Codex does not look there.
    expect(planUninstall(shared.context(), { client: "codex" }).notes[0]).toStartWith("Nothing to remove");
  });
});

describe("uninstalling", () => {
  const removed = (inside: Inside, input: { name?: string; command?: string } = {}) =>
    planUninstall(inside.context(), { client, ...input });

  test("says what there is to remove, and what else starts this program", () => {
    using inside = new Inside();
    const path = inside.file("claude/.claude.json");
    expect(removed(inside)).toMatchObject({
      diff: "",
      notes: [`Nothing to remove: ${path} does not exist.`],
    });
    file(inside, { a: other });
    expect(removed(inside).notes).toEqual([`Nothing to remove: ${path} has no entry of this program.`]);
    expect(removed(inside, { name: "b" })).toMatchObject({
      name: "b",
      notes: [`Nothing to remove: ${path} has no entry \`b\`.`],
    });
    expect(() => removed(inside, { name: "a" })).toThrow(
      `\`a\` in ${path} starts claude mcp serve, which is not this program. Nothing was done. If you installed it with --command, repeat that option.`,
    );
    file(inside, { "claude-code": other });
    expect(removed(inside).notes).toEqual([
      `Nothing to remove: ${path} has no entry of this program. Its \`claude-code\` is another server (claude mcp serve).`,
    ]);
    file(inside, { a: own, b: own, c: own, "claude-code": own });
    expect(removed(inside)).toMatchObject({
      name: "claude-code",
      notes: ["Other entries start this program too: `a`, `b`, `c`. Name one with --name."],
    });
    expect(removed(inside, { name: "b" })).toMatchObject({ name: "b", notes: [] });
  });

  test("of an entry among others leaves these", async () => {
    using inside = new Inside();
    const path = file(inside, { "claude-code": own, a: other });
    expect(await applyChange(removed(inside))).toBeString();
    expect(serversIn(path)).toEqual({ a: other });
  });
});

describe("Codex", () => {
  test("has its entry as tables of TOML, and remarks stay", async () => {
    using inside = new Inside();
    const context = inside.context();
    const path = inside.write("codex/config.toml", 'model = "x" # mine\n');
    await applyChange(planInstall(context, { client: "codex", env: ["A=1"] }));
    const text = readFileSync(path, "utf8");
    expect(text).toStartWith('model = "x" # mine\n\n[mcp_servers.claude-code]\ncommand = ');
    expect(Bun.TOML.parse(text)).toEqual({
      model: "x",
      mcp_servers: { "claude-code": { ...own, env: { A: "1" } } },
    });
    // An entry with its variables in itself keeps them there.
    writeFileSync(
      path,
      '[mcp_servers.mine]\ncommand = "npx"\nargs = ["-y", "parallel-claude-code-mcp"]\nenv = { B = "2" }\n',
    );
    await applyChange(planInstall(context, { client: "codex", env: ["A=1"] }));
    expect(readFileSync(path, "utf8")).toEndWith('env = { B = "2", A = "1" }\n');
    writeFileSync(path, 'model = "y"\n\n[mcp_servers.other]\ncommand = "z"\n');
    await applyChange(planInstall(context, { client: "codex" }));
    writeFileSync(path, `${readFileSync(path, "utf8")}# end\n`);
    await applyChange(planUninstall(context, { client: "codex" }));
    expect(readFileSync(path, "utf8")).toBe('model = "y"\n\n[mcp_servers.other]\ncommand = "z"\n\n# end\n');
  });

  test("is refused where its servers are written in a way that cannot be edited", () => {
    using inside = new Inside();
    inside.write("codex/config.toml", 'mcp_servers = { a = { command = "z" } }\n');
    expect(() => planInstall(inside.context(), { client: "codex" })).toThrow(
      "`mcp_servers` is written in a way that cannot be edited safely",
    );
  });
});

test("what an entry starts is shown without what may be secret", () => {
  const cases: [entry: Record<string, unknown>, shown: string][] = [
    [{ command: "a", args: ["b", "c", "d", "e"] }, "a b c d"],
    [{ command: "a", args: ["--key", "secret"] }, "a"],
    [{ command: "a", args: ["b", "KEY=secret", "c"] }, "a b"],
    [{ command: "a" }, "a"],
    [{ url: "https://secret" }, "a server at a URL"],
    [{}, "of an unknown kind"],
  ];
  for (const [entry, shown] of cases) expect(commandText(entry)).toBe(shown);
});

test("how every client stands", () => {
  using inside = new Inside();
  const stands = (name?: string) =>
    Object.fromEntries(standings(inside.context(), name).map(({ client, ...more }) => [client, more]));
  inside.write("claude/other.txt", "");
  expect(stands()[client]).toMatchObject({ title: "Claude Code", state: "not-found" });
  expect(stands()["codex"]).toMatchObject({ state: "not-found" });
  mkdirSync(inside.file("codex"));
  expect(stands()["codex"]).toEqual({
    title: "Codex",
    file: inside.file("codex/config.toml"),
    state: "not-installed",
  });
  const path = file(inside, { "claude-code": other });
  expect(stands()[client]).toMatchObject({ state: "name-taken", detail: "`claude-code`: claude mcp serve" });
  expect(stands("x")[client]).toMatchObject({ state: "not-installed" });
  file(inside, { "claude-code": own, b: { command: "npx", args: [product.name] } });
  expect(stands()[client]).toEqual({
    title: "Claude Code",
    file: path,
    state: "installed",
    name: "claude-code",
    scope: "user",
  });
  expect(stands("b")[client]).toMatchObject({
    state: "installed-otherwise",
    name: "b",
    detail: `called b, as npx ${product.name}`,
  });
  inside.write(".mcp.json", JSON.stringify({ mcpServers: { "claude-code": own } }));
  file(inside);
  expect(stands()[client]).toMatchObject({
    state: "installed",
    scope: "project",
    detail: "in this project only",
  });
  inside.write("claude/.claude.json", "{");
  expect(stands()[client]).toMatchObject({ state: "unreadable", detail: expect.stringContaining("line 1") });
});

test("where each client keeps its servers, by system", () => {
  const ofCline = "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json";
  const home = homeDirectory();
  expect(filesOf("linux", { XDG_CONFIG_HOME: "/c" })).toEqual({
    "claude-desktop": nativePath("/c/Claude/claude_desktop_config.json"),
    "claude-code": join(home, ".claude.json"),
    cursor: join(home, ".cursor/mcp.json"),
    vscode: nativePath("/c/Code/User/mcp.json"),
    codex: join(home, ".codex/config.toml"),
    windsurf: join(home, ".codeium/windsurf/mcp_config.json"),
    zed: nativePath("/c/zed/settings.json"),
    gemini: join(home, ".gemini/settings.json"),
    opencode: nativePath("/c/opencode/opencode.json"),
    cline: nativePath(`/c/${ofCline}`),
  });
  const mac = filesOf("darwin", { CLAUDE_CONFIG_DIR: "/a", CODEX_HOME: "/b" });
  expect(mac).toMatchObject({
    "claude-desktop": join(home, "Library/Application Support/Claude/claude_desktop_config.json"),
    "claude-code": nativePath("/a/.claude.json"),
    codex: nativePath("/b/config.toml"),
    // These two have the place of Linux there.
    zed: join(home, ".config/zed/settings.json"),
    opencode: join(home, ".config/opencode/opencode.json"),
    cline: join(home, "Library/Application Support", ofCline),
  });
  const windows = filesOf("win32", { APPDATA: "/roaming" });
  expect(windows).toMatchObject({
    zed: nativePath("/roaming/Zed/settings.json"),
    opencode: join(home, ".config/opencode/opencode.json"),
    cline: nativePath(`/roaming/${ofCline}`),
  });
  // An empty variable is none.
  expect(filesOf("linux", { CLAUDE_CONFIG_DIR: "", CODEX_HOME: "" })).toMatchObject({
    "claude-code": join(home, ".claude.json"),
    codex: join(home, ".codex/config.toml"),
  });
});

test("every client gets an entry in its own form, takes a change of it, and loses it again", async () => {
  using inside = new Inside();
  const context = inside.context();
  for (const name of clientNames) {
    const asked = { client: name, name: "ours" } as const;
    await applyChange(planInstall(context, { ...asked, env: ["A=1"] }));
    const { client: found, before = "" } = planInstall(context, asked);
    const entry = entryIn(found, before, "ours");
    const { command: words, args: more, env = entry?.["environment"] } = entry ?? {};
    expect({ name, words: Array.isArray(words) ? words : [words, ...(more as string[])], env }).toEqual({
      name,
      words: [command, ...args],
      env: { A: "1" },
    });
    expect(planInstall(context, asked)).toMatchObject({ diff: "" });
    await applyChange(planInstall(context, { ...asked, env: ["B=2"] }));
    expect(planInstall(context, asked).before).toContain("B");
    await applyChange(planUninstall(context, asked));
    expect(existsSync(found.file)).toBe(false);
  }
});

test("a file that may have two names keeps the one that it has", async () => {
  using inside = new Inside();
  const path = inside.write("config/opencode/opencode.jsonc", '{\n  // Mine.\n  "theme": "x"\n}\n');
  await applyChange(planInstall(inside.context(), { client: "opencode" }));
  expect(readFileSync(path, "utf8")).toContain("// Mine.");
  expect(standings(inside.context()).find(({ client: name }) => name === "opencode")).toMatchObject({
    state: "installed",
    file: path,
  });
});

describe("in a project", () => {
  const scope = "project" as const;

  test("the entry names the program without its path, in the file that all share, and goes again", async () => {
    using inside = new Inside();
    mkdirSync(join(inside.work, ".git"));
    const below = join(inside.work, "a", "b");
    mkdirSync(below, { recursive: true });
    const context = { ...inside.context(), workingDirectory: below };
    const places = {
      "claude-code": ".mcp.json",
      cursor: ".cursor/mcp.json",
      vscode: ".vscode/mcp.json",
      gemini: ".gemini/settings.json",
      opencode: "opencode.json",
      zed: ".zed/settings.json",
    } as const;
    for (const [name, path] of Object.entries(places)) {
      const asked = { client: name as keyof typeof places, scope };
      const change = planInstall(context, { ...asked, env: ["A=1"] });
      expect(change.client.file).toBe(join(inside.work, path));
      expect(change.notes).toEqual([
        `All who work on this project can read the values of --env in ${change.client.file}.`,
      ]);
      expect(change.after).toContain(`"${product.name}"`);
      expect(change.after).not.toContain(command);
      await applyChange(change);
      expect(standings(context).find((one) => one.client === name)).toMatchObject({
        file: change.client.file,
        scope,
        detail: expect.stringContaining("in this project only"),
      });
      // Without the scope, what others share is left alone.
      expect(planUninstall(context, { client: asked.client })).toMatchObject({ diff: "" });
      await applyChange(planUninstall(context, asked));
    }
    expect(readdirSync(inside.work).toSorted()).toEqual([".git", "a"]);
  });

  test("no copy with the secrets of others comes into it, and none that it brought along is restored", async () => {
    using inside = new Inside();
    const context = inside.context();
    const before = `${JSON.stringify({ mcpServers: { theirs: other } }, null, 2)}\n`;
    const planted = JSON.stringify({ mcpServers: { "claude-code": { command: "evil" } } });
    const file = inside.write("work/.mcp.json", before);
    inside.write("work/.mcp.json.backup-29990101-000000", planted);
    await applyChange(planInstall(context, { client, scope }));
    expect(copiesOf(file)).toEqual([".mcp.json.backup-29990101-000000"]);
    await applyChange(planUninstall(context, { client, scope }));
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  testNeeding("symbolic links")("a link that leads out of it is not followed", () => {
    using inside = new Inside();
    const file = inside.write("elsewhere/mcp.json", "{}");
    symlinkSync(dirname(file), join(inside.work, ".cursor"));
    expect(() => planInstall(inside.context(), { client: "cursor", scope })).toThrow(
      "leads out of the project, to ",
    );
  });

  test("is refused for a client that looks at none", () => {
    using inside = new Inside();
    expect(() => planInstall(inside.context(), { client: "windsurf", scope })).toThrow(
      "Windsurf reads no file in a project, and nothing was done. Leave out --scope, or choose a client that does: claude-code, cursor, vscode, zed, gemini, opencode.",
    );
  });
});
