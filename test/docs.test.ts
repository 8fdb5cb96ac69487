// What the documents say is so: links lead somewhere, commands and calls are accepted, and messages are ours.
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeBlocks } from "../scripts/docs/blocks.ts";
import { readmeFor } from "../scripts/release/readme.ts";
import { unknownOwner } from "../scripts/release/release.ts";
import { oldest } from "../scripts/release/targets.ts";
import { oldestVersion } from "../src/claude/versions.ts";
import { commands } from "../src/doors/cli/all-commands.ts";
import { flagsOfCommand } from "../src/doors/cli/input/command-flags.ts";
import { parseFlags } from "../src/doors/cli/input/flags.ts";
import { product } from "../src/model/product.ts";
import { clientOf } from "../src/operations/clients/client-files.ts";
import { clientNames } from "../src/operations/clients/client-names.ts";
import { tools } from "../src/operations/tools.ts";
import { testNeeding } from "./facilities.ts";
import { Home, run } from "./harness.ts";
import { wornWords } from "./worn-words.ts";

const root = join(import.meta.dir, "..");
const documents = [...new Bun.Glob("**/*.md").scanSync({ cwd: root, dot: true })].filter(
  (path) => !/(^|\/)(node_modules|dist|\.cache|\.git)\//.test(path),
);
const readme = await textOf("README.md");
const { scripts }: { scripts: Record<string, string> } = await Bun.file(join(root, "package.json")).json();

/** What users read: all of it is looked at, wherever in it something stands. */
const guides = ["README.md", ...new Bun.Glob("docs/*.md").scanSync({ cwd: root })].sort();
const texts = await Promise.all(guides.map(textOf));
const blocks = texts.flatMap((text, index) =>
  codeBlocks(text).map((block) => ({ path: guides[index] ?? "", ...block })),
);
const prose = texts.map(withoutBlocks).join("\n");

test("generated parts are the same where the owner is known, as on GitHub", () => {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, "scripts/docs.ts", "--check"], {
    cwd: root,
    env: { ...process.env, GITHUB_REPOSITORY_OWNER: "somebody" },
  });
  expect({ exitCode, err: stderr.toString() }).toEqual({ exitCode: 0, err: "" });
});

test("the README can be read in one sitting", () => {
  expect(readme.split("\n").length).toBeLessThanOrEqual(240);
});

describe("links", () => {
  for (const path of documents) {
    test(`those of ${path} lead somewhere`, async () => {
      const text = await textOf(path);
      const dead: string[] = [];
      for (const address of linksIn(text)) {
        if (/^[a-z]+:/.test(address)) continue;
        const [file = "", anchor] = address.split("#");
        const target = file === "" ? path : join(dirname(path), decodeURIComponent(file));
        if (!existsSync(join(root, target))) dead.push(address);
        else if (anchor !== undefined && target.endsWith(".md")) {
          if (!anchorsIn(await textOf(target)).includes(anchor)) dead.push(address);
        }
      }
      expect(dead).toEqual([]);
    });
  }

  test("the pictures are small enough for a page that is read on the way", () => {
    const pictures = [...readme.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, path = ""]) =>
      join(root, path),
    );
    expect(pictures.length).toBe(2);
    for (const path of pictures) expect(statSync(path).size).toBeLessThan(300_000);
  });

  test("outside of the repository the README's links are whole, and its code is as it was", () => {
    const whole = readmeFor(readme, "somebody", "v1.2.3");
    const repository = "https://github.com/somebody/parallel-claude-code-mcp";
    expect(whole).toContain(`srcset="${repository}/raw/v1.2.3/.github/pictures/live-page-dark.png"`);
    expect(whole).toContain(`](${repository}/blob/v1.2.3/SECURITY.md)`);
    expect(whole).toContain(`](${repository}/blob/v1.2.3/docs/install.md#configure-a-client)`);
    expect(linksIn(whole).filter((address) => !/^(https:|#)/.test(address))).toEqual([]);
    const own = (text: string) =>
      codeBlocks(text).flatMap(({ heading, text }) => (heading === "Install" ? [] : [text]));
    expect(own(whole)).toEqual(own(readme));
  });

  test("where it is published, the README begins with what works there, and names its owner", () => {
    const whole = readmeFor(readme, "somebody", "v1.2.3");
    expect(whole).not.toContain("no release yet");
    expect(whole).not.toContain(unknownOwner);
    expect(whole).toContain("brew install somebody/tap/parallel-claude-code-mcp");
    expect(whole.indexOf("From a release")).toBeLessThan(whole.indexOf("From source"));
  });
});

describe("of the documents that users read,", () => {
  test("the owner stands in generated parts alone, so that a release fills it in", () => {
    for (const text of texts) {
      const written = text.replace(/<!-- (installation|downloads) -->[\s\S]*?<!-- \/\1 -->/g, "");
      expect(written).not.toContain(unknownOwner);
    }
  });

  test("what the program needs is what is supported", async () => {
    const install = await textOf("docs/install.md");
    expect(readme).toContain(`Claude Code, ${oldestVersion} or newer`);
    expect(install).toContain(`**Claude Code** ${oldestVersion} or newer`);
    const { macos, windows, glibc } = oldest;
    expect(install).toContain(`macOS ${macos}, Windows ${windows}, or Linux with glibc ${glibc} or musl`);
  });

  test("no word is worn out", async () => {
    // Left away are code, and titles of tests.
    const others = [
      "ARCHITECTURE",
      "SECURITY",
      "CHANGELOG",
      "CONTRIBUTING",
      ".github/pull_request_template",
    ].map((name) => `${name}.md`);
    const issues = [...new Bun.Glob(".github/ISSUE_TEMPLATE/*.yml").scanSync({ cwd: root, dot: true })];
    expect(issues.length).toBeGreaterThan(1);
    for (const path of [...guides, ...others, ...issues]) {
      const words = withoutBlocks(await textOf(path)).replace(/`[^`\n]*`|“[^”]*”/g, "");
      expect({ path, found: words.match(wornWords) ?? [] }).toEqual({ path, found: [] });
    }
  });

  test("every block of code is of a kind that is looked at here or in a test of its own", () => {
    // Files of recipes and for clusters are written where they are followed; text is what a command of a recipe prints, or its view.
    const kinds = blocks.map(({ path, language, file }) => (file === undefined ? language : `${path}: file`));
    expect([...new Set(kinds)].sort()).toEqual(
      [
        "crontab",
        "docs/clusters.md: file",
        "docs/fleet.md: file",
        "docs/recipes.md: file",
        "json",
        "powershell",
        "sh",
        "text",
        "toml",
        // In a test of its own: docs-observability.test.ts.
        "yaml",
      ].sort(),
    );
  });

  testNeeding("sh")("command lines are taken by the parser", async () => {
    await using home = new Home();
    // Those for clusters are typed by a test of their own.
    const shell = blocks
      .filter(
        ({ path, language }) => language === "sh" && !["docs/clusters.md", "docs/fleet.md"].includes(path),
      )
      .map(({ text }) => text);
    const lines = shell.flatMap(commandLines);
    // A mention of the program outside of these lines would be a command that is not looked at. Left away are
    // comments, and lines of programs that move, check or add it.
    const mentions = shell
      .flatMap((text) => text.replace(/(?:^| {2,})#.*$/gm, "").split("\n"))
      .filter(
        (line) => !/^(?:claude|codesign|gh| +--signer|curl|tar|brew|npm|npx|mkdir|cp|sqlite3) ?/.test(line),
      )
      .flatMap((line) => line.match(new RegExp(`\\b${product.name}\\b`, "g")) ?? []);
    expect(lines.length).toBe(mentions.length);
    expect(lines.length).toBeGreaterThan(30);
    await areTaken(home, lines);
  });

  testNeeding("sh")("commands within sentences are taken by the parser, too", async () => {
    await using home = new Home();
    const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
    const names = new Set<string>(commands.map(({ name }) => name));
    const lines = spans
      .map((span) => span.replace(new RegExp(`^${product.name} `), ""))
      .filter((line) => names.has(/^(\S+) \S/.exec(line)?.[1] ?? "") && !/[…|[\]]/.test(line))
      // Where an option is only named, its value is left away.
      .map((line) => `${product.name} ${line.replace(/ --http$/, " --http 8080")}`);
    expect(lines.length).toBeGreaterThan(10);
    await areTaken(home, lines);
  });

  testNeeding("programs that are scripts")(
    "configurations of clients are what `install` writes, where it writes it",
    async () => {
      const install = await textOf("docs/install.md");
      const shown = codeBlocks(install).filter(({ heading }) => heading === "By hand");
      for (const name of clientNames) {
        await using home = new Home();
        const command = home.file(product.name);
        await Bun.write(command, "#!/bin/sh\n");
        chmodSync(command, 0o755);
        const { code, out } = await run(home, [
          "install",
          "--client",
          name,
          "--command",
          command,
          "--yes",
          "--json",
        ]);
        expect(code).toBe(0);
        const { file }: { file: string } = JSON.parse(out);
        const written = (await Bun.file(file).text()).replaceAll(command, `/path/to/${product.name}`);
        expect(shown.map(({ text }) => text)).toContain(written.trimEnd());
        const place = file.replace(home.path, "~");
        expect(install).toMatch(
          new RegExp(`^\\| ${clientOf(name).title} \\|.* \`${RegExp.escape(place)}\` \\|`, "m"),
        );
        if (name !== "claude-desktop") continue;
        const [inReadme] = codeBlocks(readme).filter(({ text }) => text.includes("mcpServers"));
        expect(JSON.parse(inReadme?.text ?? "")).toEqual(JSON.parse(written));
      }
    },
  );

  test("calls are taken by the tools that they name", () => {
    const calls = blocks.filter(
      ({ language, file, text }) =>
        language === "json" && file === undefined && !/(?:[sS]ervers|"mcp)"/.test(text),
    );
    expect(calls.length).toBeGreaterThan(3);
    for (const { text, before } of calls) {
      const named = [...before.matchAll(/`(\w+)`/g)].map(([, name]) => name).reverse();
      const tool = tools.find(
        ({ name }) => name === named.find((one) => tools.some((known) => known.name === one)),
      );
      expect(tool).toBeDefined();
      expect(tool?.input.safeParse(JSON.parse(text)).error).toBeUndefined();
    }
  });

  test("messages in docs/troubleshooting.md stand in the source, word for word", async () => {
    const troubleshooting = await textOf("docs/troubleshooting.md");
    const [, tables = ""] =
      /<!-- symptoms[^\n]*\n([\s\S]*?)\n<!-- \/symptoms -->/.exec(troubleshooting) ?? [];
    const cells = [...tables.matchAll(/^\| (.+?) \|/gm)].map(([, cell = ""]) => cell);
    const spans = cells.flatMap((cell) => cell.match(/`` .+? ``|`[^`"]+`/g) ?? []);
    const messages = spans.map((span) => span.replace(/^`(?:` )?|(?: `)?`$/g, ""));
    expect(messages.length).toBeGreaterThan(30);
    const files = [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: root })];
    const source = (await Promise.all(files.map(textOf))).join("\n").replaceAll("\\`", "`");
    expect(messages.filter((message) => !source.includes(message))).toEqual([]);
  });

  test("variables of `notifyCommand` are those that it gets", async () => {
    const named = (text: string) => [...new Set(text.match(/\bBATCH_[A-Z_]+\b/g))].sort();
    const { prose } = await sectionOf("docs/command-line.md", "When a background batch ends");
    expect(named(prose)).toEqual(named(await textOf("src/engine/output/notify.ts")));
  });

  test("scripts to run in a clone are in package.json, those for a first look and for the tests among them", async () => {
    const named = [...texts.join("\n").matchAll(/\bnpx -y bun@1\.4\.5 run (\w+)/g)].map(
      ([, name = ""]) => name,
    );
    for (const name of named) expect(scripts[name]).toBeString();
    const { text } = await sectionOf("README.md", "Development");
    const [, test = ""] = /^env -i .* (npx .*)$/m.exec(await textOf(".ci/run")) ?? [];
    expect(codeBlocks(text).map(({ text }) => text)).toEqual(["npx -y bun@1.4.5 run demo", test]);
  });
});

function textOf(path: string): Promise<string> {
  return Bun.file(join(root, path)).text();
}

function withoutBlocks(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, "");
}

async function sectionOf(path: string, heading: string): Promise<{ text: string; prose: string }> {
  const begin = `\n## ${heading}\n`;
  const [, rest = ""] = (await textOf(path)).split(begin);
  const [text = ""] = rest.split("\n## ");
  return { text, prose: withoutBlocks(text) };
}

async function areTaken(home: Home, lines: readonly string[]): Promise<void> {
  const refused: unknown[] = [];
  for (const line of lines) {
    const [name, ...argv] = await wordsOf(home, line);
    const command = commands.find((one) => one.name === name);
    const parsed = command && parseFlags(flagsOfCommand(command), argv);
    if (!command || !parsed?.ok) refused.push({ line, parsed });
    else if (!command.positionals.some(({ many }) => many))
      expect(parsed.value.positionals.length).toBeLessThanOrEqual(command.positionals.length);
  }
  expect(refused).toEqual([]);
}

function linksIn(markdown: string): string[] {
  const prose = withoutBlocks(markdown).replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^()\s]+)\)|\s(?:src|srcset|href)="([^"\s]+)"/g)].map(
    ([, link, attribute]) => link ?? attribute ?? "",
  );
}

// As GitHub makes them: small letters, hyphens for blanks, and nothing else but letters, digits, - and _.
function anchorsIn(markdown: string): string[] {
  const prose = withoutBlocks(markdown);
  const seen = new Map<string, number>();
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => {
    const plain = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

// What is piped into the program is left away, what its quotes hold over several lines, and a line that goes on, is not.
function commandLines(block: string): string[] {
  return [
    ...block.matchAll(/(?:^|\| *|\n *)(parallel-claude-code-mcp (?:'[^']*'|"[^"]*"|\\\n|[^\n'"])+)/g),
  ].map(([, line = ""]) => line);
}

// As the shell parts them: a program of that name writes down what it was given.
async function wordsOf(home: Home, line: string): Promise<string[]> {
  const program = home.file(product.name);
  await Bun.write(program, `#!/bin/sh\nprintf '%s\\0' "$@" > "$HOME/words"\n`);
  chmodSync(program, 0o755);
  const environment = { ...home.environment, PATH: `${home.path}:${process.env["PATH"] ?? ""}` };
  const { exitCode, stderr } = Bun.spawnSync(["sh", "-ec", line], { cwd: home.work, env: environment });
  expect({ line, exitCode, stderr: stderr.toString() }).toEqual({ line, exitCode: 0, stderr: "" });
  return (await Bun.file(home.file("words")).text()).split("\0").slice(0, -1);
}
