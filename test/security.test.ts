// What SECURITY.md promises and no other test holds; and that the document names only what is there.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { connectNew, Home, run } from "./harness.ts";

const root = join(import.meta.dir, "..");

function entriesBelow(directory: string): { path: string; isDirectory: boolean }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) => ({
    path: join(entry.parentPath, entry.name),
    isDirectory: entry.isDirectory(),
  }));
}

test("credentials of the environment are in no file that we write, and reach the session", async () => {
  const secret = "sk-ant-never-written-down";
  const proxy = `http://user:${secret}@127.0.0.1:9`;
  await using home = new Home({ ANTHROPIC_API_KEY: secret, HTTPS_PROXY: proxy });
  const { code } = await run(home, ["run", "[[tool name=Bash input=ls output=x]]", "[[error status=500]]"]);
  expect(code).toBe(1);
  // Until then, files of the store come and go.
  await home.empty();
  const files = [home.state, home.output].flatMap(entriesBelow).filter(({ isDirectory }) => !isDirectory);
  expect(files.length).toBeGreaterThan(5);
  const holding = files.filter(({ path }) => readFileSync(path, "latin1").includes(secret));
  expect(holding.map(({ path }) => path)).toEqual([]);
  expect((await run(home, ["run", "[[env name=ANTHROPIC_API_KEY]]"])).out).toContain(secret);
});

testNeeding("a system other than Windows")(
  "what a batch leaves in the state directory is its user's alone, whatever the umask is",
  async () => {
    const before = process.umask(0);
    try {
      await using home = new Home();
      expect((await run(home, ["run", "one", "[[error status=400]]"])).code).toBe(1);
      await home.empty();
      const entries = entriesBelow(home.state);
      const directories = entries.filter(({ isDirectory }) => isDirectory);
      expect(directories.map(({ path }) => statSync(path).mode & 0o077)).toEqual(directories.map(() => 0));
      const transcripts = entries.filter(({ path }) => path.endsWith(".ndjson"));
      expect(transcripts.map(({ path }) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
    } finally {
      process.umask(before);
    }
  },
);

testNeeding("symbolic links")(
  "a link inside the allowed roots that leads out of them is refused",
  async () => {
    await using place = new Home();
    await using home = new Home({ PARALLEL_CLAUDE_ALLOWED_ROOTS: place.path });
    mkdirSync(place.file("real"));
    symlinkSync("/usr", place.file("out"));
    // Nothing is there yet, until a session makes it.
    symlinkSync(`${place.path}-later`, place.file("later"));
    await using client = await connectNew(home);
    const ask = (options: object) => client.call("spawn_claude_session", { task: "x", ...options });
    expect((await ask({ workingDirectory: place.file("real") })).data).toMatchObject({ state: "finished" });
    for (const options of [
      { workingDirectory: place.file("out") },
      { workingDirectory: place.file("real"), addDirectories: [place.file("out/lib")] },
      { workingDirectory: place.file("real"), outputDirectory: place.file("out/share") },
      { workingDirectory: place.file("real"), outputDirectory: place.file("later/results") },
    ])
      expect((await ask(options)).text).toContain("outside the allowed roots");
  },
);

describe("documents name files that are there, and tests by their titles:", () => {
  const least: Record<string, [files: number, titles: number]> = {
    "README.md": [4, 5],
    "SECURITY.md": [15, 10],
    "docs/alternatives.md": [0, 1],
    "docs/limits.md": [5, 0],
    "ARCHITECTURE.md": [3, 0],
    "CONTRIBUTING.md": [3, 0],
  };
  for (const path of [
    "README.md",
    "SECURITY.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    ...new Bun.Glob("docs/*.md").scanSync({ cwd: root }),
  ]) {
    test(path, () => {
      const text = readFileSync(join(root, path), "utf8").replace(/\n *(?!\n)/g, " ");
      const [leastFiles, leastTitles] = least[path] ?? [0, 0];
      const files = [...text.matchAll(/`((?:src|test|scripts|\.github)\/[\w./-]*)`/g)].map(
        ([, file = ""]) => file,
      );
      expect(files.length).toBeGreaterThanOrEqual(leastFiles);
      expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
      const cited = [...text.matchAll(/`(test\/[\w./-]+\.ts)`: “([^”]+)”/g)];
      expect(cited.length).toBeGreaterThanOrEqual(leastTitles);
      const lacking = cited.filter(
        ([, file = "", title = ""]) => !readFileSync(join(root, file), "utf8").includes(title),
      );
      expect(lacking.map(([match]) => match)).toEqual([]);
    });
  }
});
