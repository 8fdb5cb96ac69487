// What the documents say is so: links lead somewhere, commands and calls are accepted, and messages are ours.
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeBlocks } from "../scripts/docs/blocks.ts";
import { readmeFor } from "../scripts/release/readme.ts";
import { unknownOwner } from "../scripts/release/release.ts";
import { flagsOfCommand } from "../src/doors/commands/help.ts";
import { commands } from "../src/doors/commands.ts";
import { parseFlags } from "../src/doors/flags.ts";
import { product } from "../src/model/product.ts";
import { clientNames, clientOf } from "../src/operations/clients/clients.ts";
import { tools } from "../src/operations/tools.ts";
import { Home, run } from "./harness.ts";

const root = join(import.meta.dir, "..");
const documents = [...new Bun.Glob("**/*.md").scanSync({ cwd: root, dot: true })].filter(
  (path) => !/(^|\/)(node_modules|dist|\.cache|\.git)\//.test(path),
);
const readme = await Bun.file(join(root, "README.md")).text();

test("the README's generated parts are the same where the owner is known, as on GitHub", () => {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, "scripts/docs.ts", "--check"], {
    cwd: root,
    env: { ...process.env, GITHUB_REPOSITORY_OWNER: "somebody" },
  });
  expect({ exitCode, err: stderr.toString() }).toEqual({ exitCode: 0, err: "" });
});

describe("links", () => {
  for (const path of documents) {
    test(`those of ${path} lead somewhere`, async () => {
      const text = await Bun.file(join(root, path)).text();
      const dead: string[] = [];
      for (const address of linksIn(text)) {
        if (/^[a-z]+:/.test(address)) continue;
        const [file = "", anchor] = address.split("#");
        const target = file === "" ? path : join(dirname(path), decodeURIComponent(file));
        if (!existsSync(join(root, target))) dead.push(address);
        else if (anchor !== undefined && target.endsWith(".md")) {
          const there = await Bun.file(join(root, target)).text();
          if (!anchorsIn(there).includes(anchor)) dead.push(address);
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
    const whole = readmeFor(readme, "https://example.com/o/p", "v1.2.3");
    expect(whole).toContain(
      'srcset="https://example.com/o/p/raw/v1.2.3/.github/pictures/live-page-dark.png"',
    );
    expect(whole).toContain("](https://example.com/o/p/blob/v1.2.3/SECURITY.md)");
    expect(whole).toContain("](#recipes)");
    expect(readme).toContain("Not published yet");
    expect(whole).not.toContain("Not published yet");
    expect(codeBlocks(whole)).toEqual(
      codeBlocks(readme).map((block, index) => ({
        ...block,
        before: codeBlocks(whole)[index]?.before ?? "",
      })),
    );
    expect(linksIn(whole).filter((address) => !/^(https:|#)/.test(address))).toEqual([]);
  });
});

describe("the README's", () => {
  test("owner stands in generated parts alone, so that one constant changes it", () => {
    const written = readme.replace(/<!-- channels -->[\s\S]*?<!-- \/channels -->/, "");
    expect(written).not.toContain("OWNER");
    expect(written).not.toContain(`/${unknownOwner}/`);
  });

  test("command lines are taken by the parser", async () => {
    await using home = new Home();
    const lines = codeBlocks(readme)
      .filter(({ language }) => language === "sh")
      .flatMap(({ text }) => commandLines(text));
    expect(lines.length).toBeGreaterThan(15);
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
  });

  test("configurations of clients are what `install` writes, where it writes it", async () => {
    const blocks = codeBlocks(readme).filter(({ heading }) => heading === "Configure a client");
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
      expect(blocks.map(({ text }) => text)).toContain(written.trimEnd());
      const place = file.replace(home.path, "~");
      expect(readme).toMatch(
        new RegExp(`^\\| ${clientOf(name).title} \\|.* \`${RegExp.escape(place)}\` \\|`, "m"),
      );
    }
  });

  test("calls are taken by the tools that they name", () => {
    const calls = codeBlocks(readme).filter(
      ({ language, file, text }) => language === "json" && file === undefined && !/[sS]ervers"/.test(text),
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

  test("messages under “When something is wrong” stand in the source, word for word", async () => {
    const [, table = ""] = /<!-- symptoms[^\n]*\n([\s\S]*?)\n## /.exec(readme) ?? [];
    const cells = [...table.matchAll(/^\| (?:… )?(`` .+? ``|`[^`"]+`)(?: …)? \|/gm)];
    const messages = cells.map(([, cell = ""]) => cell.replace(/^`(?:` )?|(?: `)?`$/g, ""));
    expect(messages.length).toBeGreaterThan(14);
    const files = [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: root })];
    const source = (await Promise.all(files.map((file) => Bun.file(join(root, file)).text())))
      .join("\n")
      .replaceAll("\\`", "`");
    expect(messages.filter((message) => !source.includes(message))).toEqual([]);
  });

  test("two commands for a first look are the ones that exist", async () => {
    const { scripts }: { scripts: Record<string, string> } = await Bun.file(
      join(root, "package.json"),
    ).json();
    const named = [...readme.matchAll(/^npx -y bun@1\.4\.5 run (\w+)$/gm)].map(([, name = ""]) => name);
    expect(named).toEqual(["demo", "verify"]);
    for (const name of named) expect(scripts[name]).toBeString();
  });
});

function linksIn(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^()\s]+)\)|\s(?:src|srcset|href)="([^"\s]+)"/g)].map(
    ([, link, attribute]) => link ?? attribute ?? "",
  );
}

// As GitHub makes them: small letters, hyphens for blanks, and nothing else but letters, digits, - and _.
function anchorsIn(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, "");
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

// What is piped into the program is left away, what its quotes hold over several lines is not.
function commandLines(block: string): string[] {
  return [...block.matchAll(/(?:^|\| *|\n *)(parallel-claude-code-mcp (?:'[^']*'|"[^"]*"|[^\n'"])+)/g)].map(
    ([, line = ""]) => line,
  );
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
