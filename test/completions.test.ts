// Completions, in the real shells where they are installed.

import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scriptOf, shells } from "../src/doors/cli/completion/scripts.ts";
import { describeNeeding, testNeeding } from "./facilities.ts";
import { Home, run } from "./harness.ts";
import { pathWithCommands, putCommand, putProgram } from "./own-commands.ts";

test("bash's script has nothing that macOS's bash 3.2 lacks", () => {
  const script = scriptOf("bash");
  expect(script).not.toMatch(
    /\b(?:mapfile|readarray|coproc|local -[nA]|declare -[nA])\b|source <\(|&>>|\|&|;;&|\$\{\w+[,^@]/,
  );
  // What comes of names of files must not depend on it, and it is asked for before it is used.
  expect(script.match(/compopt/g)).toHaveLength(2);
  expect(script).toContain("type compopt >/dev/null 2>&1 && compopt");
});

testNeeding("sh")("the short name is completed only where it is ours, and not a C compiler", async () => {
  await using home = homeWithProgram();
  home.set({ PATH: pathWithCommands(home) });
  const isCompleted = async () => (await run(home, ["completions", "bash"])).out.includes(" pcc\n");
  expect(await isCompleted()).toBe(false);
  symlinkSync("parallel-claude-code-mcp", home.file("bin/pcc"));
  expect(await isCompleted()).toBe(true);
  rmSync(home.file("bin/pcc"));
  putCommand(home, "pcc", "exit 1");
  expect(await isCompleted()).toBe(false);
});

/** A home in which our program stands on the PATH under its name. */
function homeWithProgram(): Home {
  const home = new Home();
  putProgram(home);
  return home;
}

async function inShell(home: Home, command: string[]): Promise<string> {
  const child = Bun.spawn(command, {
    cwd: home.work,
    env: { ...home.environment, PATH: pathWithCommands(home) },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(err).toBe("");
  return out;
}

// Each shell completes its last word, and prints what it was offered, a word a line.
const asking = {
  bash: (words: string[]) => [
    "bash",
    "--norc",
    "-c",
    `eval "$(parallel-claude-code-mcp completions bash)"; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _parallel_claude; printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
    ...words,
  ],
  zsh: (words: string[]) => [
    "zsh",
    "-f",
    "-c",
    `compdef() { : }; compadd() { print -l -- $found }; _files() { print -l -- *(N) }; source <(parallel-claude-code-mcp completions zsh); words=("$@"); CURRENT=$#; _parallel_claude; true`,
    "zsh",
    ...words,
  ],
  fish: (words: string[]) => [
    "fish",
    "--no-config",
    "-c",
    `parallel-claude-code-mcp completions fish | source; complete -C "${words.join(" ")}" | string replace -r '\\t.*' ''`,
  ],
};

for (const shell of ["bash", "zsh", "fish"] as const) {
  const ask = asking[shell];
  describeNeeding(shell)(`in ${shell}`, () => {
    let home: Home;
    let batchId: string;
    beforeAll(async () => {
      home = homeWithProgram();
      batchId = /Batch (\w{8})/.exec((await run(home, ["run", "one", "two"])).err)?.[1] ?? "";
      writeFileSync(join(home.work, "tasks.md"), "- [ ] one\n");
      return async () => home[Symbol.asyncDispose]();
    });
    const offered = async (...words: string[]) =>
      (await inShell(home, ask(["parallel-claude-code-mcp", ...words]))).trim().split("\n");

    test("commands, flags and their values", async () => {
      expect((await offered("wa")).sort()).toEqual(["wait", "watch"]);
      expect(await offered("run", "--eff")).toEqual(["--effort"]);
      expect(await offered("run", "--permission-mode", "pl")).toEqual(["plan"]);
    });

    test("batches and their tasks", async () => {
      expect((await offered("show", "")).sort()).toEqual([batchId, "latest"].sort());
      expect(await offered("logs", batchId, "")).toEqual(["1", "2"]);
    });

    test("names of files, where a file is wanted", async () => {
      expect(await offered("run", "-f", "ta")).toEqual(["tasks.md"]);
    });
  });
}

testNeeding("bash")("names of files are offered by a bash without what 3.2 lacks", async () => {
  await using home = homeWithProgram();
  writeFileSync(`${home.work}/tasks of today.md`, "");
  const script = `enable -n mapfile readarray compopt; eval "$(parallel-claude-code-mcp completions bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _parallel_claude; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const words = ["parallel-claude-code-mcp", "run", "-f", "ta"];
  expect(await inShell(home, ["bash", "--norc", "-c", script, "bash", ...words])).toBe("tasks of today.md\n");
});

test("a look for batches makes no store, and a damaged one is passed over in silence", async () => {
  await using home = new Home();
  expect(await run(home, ["__complete", "show", ""])).toEqual({ code: 0, out: "", err: "" });
  expect(existsSync(home.state)).toBe(false);
  mkdirSync(home.state);
  writeFileSync(join(home.state, "store.sqlite"), "no database");
  expect(await run(home, ["__complete", "show", ""])).toEqual({ code: 0, out: "", err: "" });
});

test("every shell has a script, and another one is refused by name", async () => {
  await using home = new Home();
  for (const shell of shells) {
    const { code, out } = await run(home, ["completions", shell]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("__complete") });
  }
  expect(await run(home, ["completions", "bsh"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("bash, zsh"),
  });
  expect(await run(home, ["completions"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("SHELL is missing"),
  });
});

describe("open", () => {
  test("gives the page to the desktop's opener, and prints its path", async () => {
    await using home = homeWithProgram();
    const opened = home.file("opened");
    putCommand(home, "xdg-open", `printf '%s' "$1" > '${opened}'`);
    await run(home, ["run", "one"]);
    const command = (...flags: string[]) => [
      "sh",
      "-c",
      `DISPLAY=:0 parallel-claude-code-mcp open latest ${flags.join(" ")}`,
    ];
    const page = (await inShell(home, command("--print"))).trim();
    expect(page).toMatch(/report-\w{8}\.html$/);
    expect(existsSync(opened)).toBe(false);
    expect((await inShell(home, command())).trim()).toBe(page);
    expect(await Bun.file(opened).text()).toBe(page);
    expect(JSON.parse(await inShell(home, command("--json")))).toMatchObject({
      reportFile: page,
      opened: true,
    });
  });

  test("prints the path where there is no desktop, and says so", async () => {
    await using home = new Home();
    await run(home, ["run", "one"]);
    const { code, out, err } = await run(home, ["open", "latest"]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("report-") });
    expect(err).toContain("no desktop");
  });

  test("a page that is not there is told", async () => {
    await using home = new Home();
    await run(home, ["run", "one"]);
    const { out } = await run(home, ["open", "latest", "--print"]);
    await Bun.file(out.trim()).delete();
    expect(await run(home, ["open", "latest"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("does not exist"),
    });
  });
});
