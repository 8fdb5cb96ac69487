// A start loads no more than it needs: what it may load is declared in `scripts/starts.ts`.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { loadedAtStarts, type StartName, starts } from "../scripts/starts.ts";
import { Home } from "./harness.ts";

const loaded = await loadedAtStarts();

for (const [name, start] of Object.entries(starts)) {
  const { files, packages } = loaded[name as StartName];
  const mayLoad = (file: string) =>
    file === "../package.json" || start.loads.some((part) => file === part || file.startsWith(`${part}/`));

  test(`${start.name.replaceAll("`", "")} loads only what is declared for it`, () => {
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => !mayLoad(file))).toEqual([]);
    expect(packages).toEqual(start.packages.toSorted());
  });

  test(`nothing is declared in vain for ${start.name.replaceAll("`", "")}`, () => {
    const needless = start.loads.filter(
      (part) => !files.some((file) => file === part || file.startsWith(`${part}/`)),
    );
    expect(needless).toEqual([]);
  });
}

/** Writes down each file of ours that the process loads. */
const recorder = `
import { appendFileSync, readFileSync } from "node:fs";
Bun.plugin({
  name: "recorder",
  setup: (build) => {
    build.onLoad({ filter: /[\\\\/]src[\\\\/].*\\.ts$/ }, ({ path }) => {
      appendFileSync(process.env["RECORD"], path + "\\n");
      return { contents: readFileSync(path, "utf8"), loader: "ts" };
    });
  },
});
`;

const askedForTools = `${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })}\n`;
const runs: { name: StartName; args: string[]; input?: string; says: string }[] = [
  { name: "version", args: ["--version"], says: "0." },
  { name: "help", args: ["help", "run"], says: "Usage: " },
  { name: "help", args: ["--help"], says: "Usage: " },
  { name: "completion", args: ["__complete", "run", "--eff"], says: "--effort" },
  { name: "server", args: [], input: askedForTools, says: '"spawn_claude_session"' },
];

for (const { name, args, input = "", says } of runs) {
  test(`a process that runs \`${args.join(" ")}\` loads nothing else`, async () => {
    await using home = new Home();
    const source = join(import.meta.dir, "..", "src");
    await Bun.write(home.file("recorder.ts"), recorder);
    const child = Bun.spawn(
      [process.execPath, "--preload", home.file("recorder.ts"), join(source, "main.ts"), ...args],
      {
        cwd: home.work,
        env: { ...home.environment, RECORD: home.file("record.txt") },
        stdin: Buffer.from(input),
        stderr: "inherit",
      },
    );
    expect(await child.stdout.text()).toContain(says);
    const record = await Bun.file(home.file("record.txt")).text();
    const files = record
      .trim()
      .split("\n")
      .map((path) => path.slice(source.length + 1).replaceAll("\\", "/"));
    // A macro, of which only the text is left in a bundle.
    const known = new Set([...loaded[name].files, "platform/printed.ts"]);
    expect(files).toContain("main.ts");
    expect(files.filter((file) => !known.has(file))).toEqual([]);
  });
}
