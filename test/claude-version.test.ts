import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";

import { connectNew, databaseIn, fakeClaude, Home, run } from "./harness.ts";

const fake = fakeClaude;

/** A home whose `claude` is the fake, but answers the question for its version by this script. */
class OwnClaude extends Home {
  readonly claude = this.file("own-claude");
  readonly #log = this.file("asked");

  constructor(answer: string) {
    super();
    const version = `if [ "$1" = --version ]; then echo >>'${this.#log}'; ${answer}; exit; fi`;
    writeFileSync(this.claude, `#!/bin/sh\n${version}\nexec '${fake}' "$@"\n`);
    chmodSync(this.claude, 0o755);
    mkdirSync(this.file(".config/parallel-claude-code-mcp"), { recursive: true });
    this.use(this.claude);
  }

  use(claudePath: string): void {
    writeFileSync(this.file(".config/parallel-claude-code-mcp/config.json"), JSON.stringify({ claudePath }));
  }

  /** How often it was asked. */
  asked(): number {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8").length : 0;
  }
}

const answering = (version: string) => `echo "${version} (Claude Code)"`;

test("a claude that is too old is refused with what was found and what to do, and nothing has run", async () => {
  await using home = new OwnClaude(answering("2.1.196"));
  await using client = await connectNew(home);
  const { isError, text } = await client.call("spawn_claude_session", { task: "hello" });
  expect(isError).toBe(true);
  expect(text).toContain(`${home.claude} is Claude Code 2.1.196, and 2.1.197 or newer is required.`);
  expect(text).toContain(`Run \`${home.claude} update\``);
  expect(text).toContain("`npm install -g @anthropic-ai/claude-code`");
  expect([home.startsLog, home.state].map(existsSync)).toEqual([false, false]);
});

test("a too-old claude is reported with all other faults", async () => {
  await using home = new OwnClaude(answering("2.1.196"));
  const { code, err } = await run(home, ["run", "hello", "--working-directory", "/nowhere"]);
  expect(code).toBe(2);
  expect(err).toContain("2.1.197 or newer is required");
  expect(err).toContain("/nowhere does not exist");
});

test("a claude is asked for its version once, and again when its file has changed", async () => {
  await using home = new OwnClaude(answering("2.1.197"));
  for (const task of ["one", "two"]) expect(await run(home, ["run", task])).toMatchObject({ code: 0 });
  expect(home.asked()).toBe(1);
  utimesSync(home.claude, 1, 1);
  expect(await run(home, ["run", "three"])).toMatchObject({ code: 0 });
  expect(home.asked()).toBe(2);
});

test("a claude behind a link is the file that the link leads to", async () => {
  await using home = new OwnClaude(answering("2.1.197"));
  symlinkSync(home.claude, home.file("link"));
  home.use(home.file("link"));
  expect(await run(home, ["run", "one"])).toMatchObject({ code: 0 });
  home.use(home.claude);
  expect(await run(home, ["run", "two"])).toMatchObject({ code: 0 });
  expect(home.asked()).toBe(1);
});

test("a wrapper that started an old claude starts batches once it starts a newer one", async () => {
  await using home = new OwnClaude('cat "$HOME/version"');
  writeFileSync(home.file("version"), "2.1.197 (Claude Code)\n");
  expect(await run(home, ["run", "one"])).toMatchObject({ code: 0 });
  writeFileSync(home.file("version"), "2.1.100 (Claude Code)\n");
  utimesSync(home.claude, 1, 1);
  expect(await run(home, ["run", "two"])).toMatchObject({ code: 2 });
  writeFileSync(home.file("version"), "2.1.332 (Claude Code)\n");
  expect(await run(home, ["run", "three"])).toMatchObject({ code: 0 });
});

test("a wrapper that prints something else, or fails, starts batches all the same, and is asked again each time", async () => {
  for (const answer of ['echo "wrapper 1.0.3"', "exit 7"]) {
    await using home = new OwnClaude(answer);
    for (const task of ["one", "two"]) expect(await run(home, ["run", task])).toMatchObject({ code: 0 });
    expect(home.asked()).toBe(2);
  }
});

test("failed tasks are not run again with a claude that has become too old", async () => {
  await using home = new OwnClaude('cat "$HOME/version"');
  writeFileSync(home.file("version"), "2.1.197 (Claude Code)\n");
  expect(await run(home, ["run", "[[error status=400]]"])).toMatchObject({ code: 1 });
  writeFileSync(home.file("version"), "2.1.100 (Claude Code)\n");
  utimesSync(home.claude, 1, 1);
  const { code, err } = await run(home, ["retry", "latest"]);
  expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("is Claude Code 2.1.100") });
});

test("answers that a newer program remembered in a form of its own stop no batch", async () => {
  await using home = new OwnClaude(answering("2.1.197"));
  expect(await run(home, ["run", "one"])).toMatchObject({ code: 0 });
  {
    using database = databaseIn(home.state);
    database.run("UPDATE facts SET value = '{\"form\":2}' WHERE name = 'claude-versions'");
  }
  expect(await run(home, ["run", "two"])).toMatchObject({ code: 0 });
});

test("doctor says the version, and what it lacks", async () => {
  await using newest = new OwnClaude(answering("99.0.0"));
  expect((await run(newest, ["doctor"])).out).toMatch(/^ok +version +99\.0\.0$/m);
  await using oldest = new OwnClaude(answering("2.1.197"));
  expect((await run(oldest, ["doctor"])).out).toMatch(
    /^ok +version +2\.1\.197\. It lacks .+ \(since 2\.1\.\d+\)/m,
  );
});

test("doctor remarks on a version that it cannot read, and finds no fault in it", async () => {
  await using home = new OwnClaude('echo "wrapper 1.0.3"');
  const { code, out } = await run(home, ["doctor"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^ok +version +Unknown: .*prints "wrapper 1\.0\.3"/m);
});

test("a claude that did not answer once is asked again, and refused if it is too old", async () => {
  await using home = new OwnClaude(
    `if [ ! -e "$HOME/slow" ]; then touch "$HOME/slow"; exit 1; fi; ${answering("2.1.100")}`,
  );
  expect(await run(home, ["run", "one"])).toMatchObject({ code: 0 });
  expect(await run(home, ["run", "two"])).toMatchObject({ code: 2 });
});

test("`restricted` is refused by no remembered answer: a wrapper may start a newer version by now", async () => {
  await using home = new OwnClaude('cat "$HOME/version"');
  writeFileSync(home.file("version"), "2.1.200 (Claude Code)\n");
  expect(await run(home, ["run", "one"])).toMatchObject({ code: 0 });
  writeFileSync(home.file("version"), "2.1.332 (Claude Code)\n");
  const { err } = await run(home, ["run", "two", "--restricted"]);
  expect(err).not.toContain("restricted requires");
  expect(home.asked()).toBe(2);
});

test("an answer that is too old for this program, remembered by an earlier one, is asked for again", async () => {
  await using home = new OwnClaude(answering("2.1.332"));
  expect(await run(home, ["run", "one"])).toMatchObject({ code: 0 });
  {
    using database = databaseIn(home.state);
    database.run(
      "UPDATE facts SET value = replace(value, '2.1.332', '2.1.100') WHERE name = 'claude-versions'",
    );
  }
  expect(await run(home, ["run", "two"])).toMatchObject({ code: 0 });
  expect(home.asked()).toBe(2);
});

test("failed tasks are not run again with a claude that is not there any more", async () => {
  await using home = new OwnClaude(answering("2.1.332"));
  expect(await run(home, ["run", "[[error status=400]]"])).toMatchObject({ code: 1 });
  rmSync(home.claude);
  const { code, err } = await run(home, ["retry", "latest"]);
  expect({ code, err }).toMatchObject({
    code: 2,
    err: expect.stringContaining(`${home.claude}, the claude of this batch, is not there`),
  });
});
