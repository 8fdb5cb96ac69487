// A start loads no more than it needs: what it may load is declared in `scripts/starts.ts`.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { loadedAtStarts, type StartName, starts } from "../scripts/starts.ts";
import { hiddenCommands } from "../src/engine/runner/hidden-commands.ts";
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

/** Writes down how many schemas were made, and whether zod was to compile any. */
const watcher = `
import { writeFileSync } from "node:fs";
import { globalConfig } from ${JSON.stringify(Bun.resolveSync("zod/v4/core", import.meta.dir))};
let jitless;
const seen = { schemas: 0, compiled: 0 };
Object.defineProperty(globalConfig, "jitless", {
  get: () => {
    seen.schemas++;
    if (jitless !== true) seen.compiled++;
    return jitless;
  },
  set: (value) => { jitless = value; },
});
process.on("exit", () => writeFileSync(process.env["RECORD"], JSON.stringify(seen)));
`;

for (const { args, input = "" } of [
  { args: [], input: askedForTools },
  { args: ["list"] },
  { args: ["run", "--dry-run", "hello"] },
  { args: [hiddenCommands.starter, "no-such-state", "aaaaaaaa"] },
  { args: [hiddenCommands.keeper, "no-such-state"] },
  { args: [hiddenCommands.runner, "no-such-state", "aaaaaaaa"] },
]) {
  test(`a process that runs \`${args.join(" ")}\` interprets all its schemas`, async () => {
    await using home = new Home();
    await Bun.write(home.file("watcher.ts"), watcher);
    const child = Bun.spawn(
      [
        process.execPath,
        "--preload",
        home.file("watcher.ts"),
        join(import.meta.dir, "../src/main.ts"),
        ...args,
      ],
      {
        cwd: home.work,
        env: { ...home.environment, RECORD: home.file("record.json") },
        stdin: Buffer.from(input),
        stdout: "ignore",
        // Some of these have nothing to do, and say so.
        stderr: "ignore",
      },
    );
    await child.exited;
    const seen = await Bun.file(home.file("record.json")).json();
    expect(seen).toEqual({ schemas: expect.any(Number), compiled: 0 });
    expect(seen.schemas).toBeGreaterThan(0);
  });
}
