// What this user may not read or enter: it is passed over where it does not matter, and named with the reason elsewhere.
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { Home, program, run, useProgram } from "./harness.ts";

// Root may read everything, unless it gives that up.
const isRoot = process.getuid?.() === 0;
const withoutRights = isRoot ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : [];
const testOfRights = testNeeding(isRoot ? "setpriv" : "modes of files");

testOfRights("a directory of PATH that may not be entered stops no command", async () => {
  await using place = new Home();
  const closed = place.file("closed");
  mkdirSync(closed, { mode: 0o000 });
  await using home = new Home({ PATH: `${closed}:${place.environment["PATH"]}` });
  using _ = useProgram([...withoutRights, ...program()]);
  expect((await run(home, ["run", "x"])).err).toContain("succeeded");
  expect((await run(home, ["doctor"])).out).toContain("fixtures/claude");
});

testOfRights("a file of options that may not be read is named with that reason", async () => {
  await using home = new Home();
  const file = home.file("closed.json");
  writeFileSync(file, "{}", { mode: 0o000 });
  using _ = useProgram([...withoutRights, ...program()]);
  for (const option of ["--settings", "--output-schema", "--mcp-config"]) {
    const { err } = await run(home, ["run", "x", option, file]);
    expect(err).toContain(`${option} ${file} cannot be read (permission denied)`);
  }
  const { err } = await run(home, ["run", "x", "--env", file]);
  expect(err).toContain("--env was given as a file that cannot be read (permission denied)");
});

testNeeding("git", isRoot ? "setpriv" : "modes of files")(
  "a new file that may not be read is left out and named, also if others are too long to come back",
  async () => {
    await using home = new Home();
    const repository = home.file("repository");
    const git = (...words: string[]) =>
      Bun.spawnSync(["git", ...words], { cwd: repository }).stdout.toString();
    mkdirSync(repository);
    git("init", "-q");
    writeFileSync(join(repository, "fine.txt"), "fine");
    writeFileSync(join(repository, "closed.txt"), "closed", { mode: 0o000 });
    writeFileSync(join(repository, "long.txt"), "x".repeat(100));
    const script = `
      const { treeOfAllFiles } = await import("${import.meta.dir}/../src/git/working-tree.ts");
      const left = [];
      const whole = { mostBytes: 50, left: (says) => left.push(says) };
      const tree = await treeOfAllFiles({ directory: process.cwd() }, whole);
      console.log(JSON.stringify({ tree, left }));`;
    const words = [...withoutRights, process.execPath, "-e", script];
    const { stdout, stderr } = Bun.spawnSync(words, { cwd: repository, env: home.environment });
    expect(stderr.toString()).toBe("");
    const { tree, left } = JSON.parse(stdout.toString());
    expect(left).toEqual([
      expect.stringContaining("the longest is long.txt"),
      "Some files could not be read: closed.txt",
    ]);
    expect(git("ls-tree", "--name-only", tree)).toBe("fine.txt\n");
  },
);

test("a file of options that is too large to be read, or empty, is named with that reason", async () => {
  await using home = new Home();
  const [large, empty] = [home.file("large.json"), home.file("empty.json")];
  writeFileSync(large, JSON.stringify({ type: "object", description: "x".repeat(1_000_000) }));
  writeFileSync(empty, "");
  for (const option of ["--settings", "--output-schema"]) {
    const { err } = await run(home, ["run", "x", option, large]);
    expect(err).toContain(`${option} ${large} is larger than 1 MB`);
    expect((await run(home, ["run", "x", option, empty])).err).toContain(`${option} ${empty} is empty`);
  }
});
