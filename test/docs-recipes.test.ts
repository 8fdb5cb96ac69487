// Each recipe of docs/recipes.md, as it is typed: real commands of a shell, and real calls, with the fake `claude`. What is
// looked at is what a recipe starts: which tasks, with which options, and which files come of them.
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CodeBlock, codeBlocks } from "../scripts/docs/blocks.ts";
import { product } from "../src/model/product.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, fakeDirectory, filesIn, Home, program, run } from "./harness.ts";

const root = join(import.meta.dir, "..");
const document = await Bun.file(join(root, "docs", "recipes.md")).text();
const recipes = [...Map.groupBy(codeBlocks(document), ({ heading }) => heading)];

/** A session that a recipe has started: its prompt, and the options that somebody chose. */
interface Started {
  prompt: string;
  options: string[];
  /** Below the home; nothing: where the recipe is typed. */
  directory?: string;
}

interface Recipe {
  /** What is on the machine of whoever follows it. */
  prepare?: (home: Home) => Promise<void>;
  /** The sessions, in the order of their prompts. */
  starts: Started[];
  /** What the shell's own commands say, beside our progress lines, and what else has come of it. */
  leaves(home: Home, said: { code: number; out: string; err: string }): Promise<void>;
}

/** Files of a project in which the type checker finds this and that. */
const typeErrors: Record<string, string> = {
  "tsconfig.json": '{"compilerOptions": {"strict": true, "types": []}, "include": ["src"]}',
  // Each of the first two has an explanation on lines of its own, which names types and no file.
  "src/a.ts": `type Order = { a: { b: { c: string } } };
export const one: Order = { a: { b: { c: 1 } } } as { a: { b: { c: number } } };
export const two: (order: Order) => string = (order: { a: { b: { c: number } } }) => String(order);
export const three: number = "3";
`,
  "src/app/(shop)/page.ts": 'export const four: number = "4";\n',
  "src/with a blank.ts": "export const five: string = 5;\n",
  "src/fine.ts": "export const six = 6;\n",
};

const recipesByHeading: Record<string, Recipe> = {
  "Review 200 files": {
    prepare: async (home) => {
      await Bun.write(join(home.path, "shop", "src", "cart", "cart.ts"), "export {};\n");
      for (const file of ["src/a.ts", "src/a.test.ts", "src/cart/b.ts", "src/style.css", "test/c.ts"])
        await Bun.write(join(home.work, file), "export {};\n");
    },
    starts: ["src/a.ts", "src/cart/b.ts"].map((file) => ({
      prompt: `Review ${file} for bugs`,
      options: ["--max-budget-usd=1", "--tools=Read,Grep,Glob"],
    })),
    leaves: async (home, { out }) => {
      const shown =
        recipes.flatMap(([, blocks]) => blocks).find(({ language }) => language === "text")?.text ?? "";
      expect(withoutParticulars(out)).toBe(withoutParticulars(shown));
      expect(kindsOf(filesIn(home.output))).toEqual({ ...reports, result: 2 });
    },
  },
  "Try five first": {
    prepare: async (home) => {
      for (const number of [1, 2, 3, 4, 5, 6, 7])
        await Bun.write(join(home.work, `src/${number}.ts`), "export {};\n");
      Bun.spawnSync(["sh", "-c", "git init --quiet && git add src"], {
        cwd: home.work,
        env: home.environment,
      });
    },
    starts: [1, 2, 3, 4, 5, 6, 7].map((number) => ({
      prompt: `Review src/${number}.ts for bugs`,
      options: ["--allowedTools=Read,Grep,Glob"],
    })),
    leaves: async (home, { out, err }) => {
      expect(err).toMatch(
        /Paused after the sample: 5 of 7 tasks done, 2 waiting\. The other 2 tasks will probably cost \S+ \(\S+ to \S+\), take .+, and use .+ tokens, going by 5 tasks\./,
      );
      expect(out).toContain("The other 2 tasks run now.");
      expect(kindsOf(filesIn(home.output))).toEqual({ ...reports, result: 7 });
    },
  },
  "Fix what the type checker finds": {
    prepare: async (home) => {
      for (const [file, text] of Object.entries(typeErrors)) await Bun.write(join(home.work, file), text);
      // The real type checker says it in its own words.
      await put(home, "npx", `shift; exec '${join(root, "node_modules/.bin/tsc")}' "$@"`);
      Bun.spawnSync(["git", "init", "--quiet"], { cwd: home.work, env: home.environment });
    },
    starts: ["src/a.ts", "src/app/(shop)/page.ts", "src/with a blank.ts"].map((file) => ({
      prompt: `Fix the type errors of ${file}, change no other file, and check it with: npx tsc --noEmit`,
      options: ["--allowedTools=Bash(npx tsc:*)", "--permission-mode=acceptEdits"],
    })),
    leaves: async (home, { out, err }) => {
      const { stdout } = Bun.spawnSync(
        [join(root, "node_modules/.bin/tsc"), "--noEmit", "--pretty", "false"],
        { cwd: home.work },
      );
      // The input is as bad as it can be: several errors of one file, and lines that only explain.
      expect(stdout.toString().match(/^src\/a\.ts\(/gm)?.length).toBe(3);
      expect(stdout.toString().match(/^ +(?:Type|The types|Types) /gm)?.length).toBeGreaterThan(1);
      expect(out).toContain("src/app/(shop)/page.ts");
      expect(err).toContain("All 3 tasks succeeded.");
    },
  },
  "Check each answer": {
    prepare: async (home) => {
      await Bun.write(join(home.work, "deploy.sh"), "if true; then echo unfinished\n");
    },
    // The script stays as it was.
    starts: [
      "Fix the syntax errors in deploy.sh",
      expect.stringMatching(/^Your answer did not pass a check: the command `sh -n deploy\.sh`\./),
      expect.stringMatching(/^Your answer did not pass a check: the command `sh -n deploy\.sh`\./),
    ].map((prompt) => ({ prompt, options: ["--allowedTools=Read,Edit"] })),
    leaves: async (_, { code, out, err }) => {
      expect(code).toBe(1);
      expect(`${out}${err}`).toContain("Did not pass the command `sh -n deploy.sh`: It ended with exit code");
    },
  },
  "Extract data into JSONL": {
    prepare: async (home) => {
      for (const file of ["1.txt", "2.txt", "3 [[max-turns]].txt"])
        await Bun.write(join(home.work, "letters", file), "Dear Sirs\n");
      // An earlier batch that somebody looked at in the same folder.
      await Bun.write(join(home.work, "extracted", "results-old.jsonl"), '{"structuredResult":1}\n');
    },
    starts: ["1.txt", "2.txt", "3 [[max-turns]].txt"].map((file) => ({
      prompt: `Read letters/${file} and extract sender, date and amount`,
      options: ["--allowedTools=Read", "--model=haiku", "--tools=Read"],
    })),
    leaves: async (home, { out }) => {
      const lines = (await Bun.file(join(home.work, "letters.jsonl")).text()).trim().split("\n");
      expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual([
        ["sender", "date", "amountEur"],
        ["sender", "date", "amountEur"],
      ]);
      expect(out).toMatch(/^Read letters\/3 \[\[max-turns\]\]\.txt and extract [^:]+: .*turn/);
      expect(out.trim().split("\n")).toEqual([
        expect.any(String),
        `3 tasks written to ${join(home.work, "letters.sqlite")}.`,
      ]);
      const table = (await Bun.file(join(home.work, "letters.csv")).text()).split("\n");
      expect(table[0]).toContain(",sender,date,amountEur,");
      expect(table).toHaveLength(5);
    },
  },
  "Fan out from a script, or in CI": {
    starts: [
      {
        prompt: "Is every command in README.md still right? Name those that are not.",
        options: ["--allowedTools=Read,Grep,Glob", "--max-budget-usd=1", "--model=sonnet"],
      },
      {
        prompt: "Name the exported functions below src that no test calls.",
        options: ["--allowedTools=Read,Grep,Glob", "--max-budget-usd=0.5", "--model=haiku"],
      },
    ],
    leaves: async (_, { code, out }) => {
      expect(code).toBe(0);
      expect(out).toBe(
        "1 success Answer to: Is every command in README.md still right? Name those that are not.\n2 success Answer to: Name the exported functions below src that no test calls.\n",
      );
    },
  },
  "Every night, from cron": {
    prepare: async (home) => {
      const words = Object.entries(home.environment)
        .filter(([name]) => name.startsWith("FAKE_CLAUDE_"))
        .map(([name, value]) => `${name}='${value}'`)
        .join(" ");
      await put(home, "claude", `${words} exec '${fakeDirectory}/claude' "$@"`);
      const { blocks } = recipeOf("Every night, from cron");
      const tasks = blocks.find(({ file }) => file === "tasks.md");
      await Bun.write(join(home.path, "project", "tasks.md"), `${tasks?.text}\n`);
      await Bun.write(join(home.path, "out", "tasks.md"), "- [ ] [[not-logged-in]]\n");
    },
    starts: [
      {
        prompt: "Look for TODO comments that are older than a year\nName author and commit of each.",
        options: [],
        directory: "project",
      },
      {
        prompt: "Update the list of supported browsers in docs/browsers.md",
        options: [],
        directory: "project",
      },
      { prompt: "[[not-logged-in]]", options: [], directory: "out" },
    ],
    leaves: async (home) => {
      const { blocks } = recipeOf("Every night, from cron");
      const crontab = blocks.find(({ language }) => language === "crontab")?.text ?? "";
      const done = await byCron(home, crontab);
      expect(done).toMatchObject({ code: 0, out: "" });
      expect(done.err).toContain("All 2 tasks succeeded.");
      expect(done.err).toContain(`Report: ${home.path}/Desktop/claude-code-results/report-`);
      const refused = await byCron(home, crontab.replace("~/project", "~/out"));
      expect({ code: refused.code, out: refused.out }).toEqual({ code: 3, out: "" });
      expect(refused.err).toContain("Claude is not logged in");
    },
  },
  "In the background, with a message at the end": {
    prepare: async (home) => {
      await Bun.write(join(home.work, "tasks.md"), "- [ ] one\n- [ ] two [[max-turns]]\n");
      await put(home, "mail", `cat > "$HOME/body"; echo "$2 to $3" > "$HOME/mail"`, "bin");
    },
    starts: [
      { prompt: "one", options: [] },
      { prompt: "two [[max-turns]]", options: [] },
    ],
    leaves: async (home) => {
      await eventually(
        () => existsSync(home.file("mail")) && readFileSync(home.file("mail"), "utf8") !== "",
        () => "no mail has come",
      );
      expect(await Bun.file(home.file("mail")).text()).toMatch(
        /^weekly failed: 1 of 2 succeeded, [\d.]+ USD to me@example.com\n$/,
      );
      const body = await Bun.file(home.file("body")).text();
      expect(body).toMatch(
        /^All 2 tasks ended: 1 succeeded, 1 failed\.\nNext: parallel-claude-code-mcp retry \w{8}\n\S+report-\w+\.html\n/,
      );
      // The answers stay where they are.
      expect(body.length).toBeLessThan(500);
      expect(body).not.toContain("Answer to");
    },
  },
  "One task after another": {
    starts: [
      "List what changed since the last tag, for users",
      "List what could break for users who upgrade from the last tag",
      /^Write release notes from \S+\/answers\/001\.txt, and warn about what \S+\/answers\/002\.txt says$/,
    ].map((prompt) => {
      const given = "--allowedTools=Read,Bash(git log:*),Bash(git diff:*)";
      return typeof prompt === "string"
        ? { prompt, options: [given] }
        : {
            prompt: expect.stringMatching(prompt),
            options: [
              expect.stringMatching(/^--allowedTools=Read,\S+ \S+ \S+,Read\(\/\/\S+\/answers\/\*\*\)$/),
            ],
          };
    }),
    leaves: async (_, { code, out }) => {
      expect(code).toBe(0);
      expect(out).toContain("Answer to: Write release notes from");
    },
  },
  "Compare two models": {
    prepare: async (home) => void (await Bun.write(join(home.work, "src", "cart.ts"), "export {};\n")),
    // They run side by side, so either may be the first.
    starts: [1, 2].map(() => ({
      prompt: "Explain src/cart.ts in three sentences",
      options: ["--allowedTools=Read", expect.stringMatching(/^--model=(sonnet|haiku)$/)],
    })),
    leaves: async (_, { code, out }) => {
      expect(code).toBe(0);
      expect(out).toContain("Of 1 task: 1 same.");
      expect(out).toMatch(/model=sonnet +model=haiku +difference\n/);
    },
  },
  "One summary of many results": {
    prepare: async (home) => {
      for (const file of ["src/a.ts", "src/b.ts"]) await Bun.write(join(home.work, file), "export {};\n");
    },
    starts: [
      {
        prompt: expect.stringMatching(/^List the five .+\n\nThat is about the results of 2 tasks\./),
        options: ["--tools=Read"],
        directory: expect.stringMatching(/\/answers$/),
      },
      ...["src/a.ts", "src/b.ts"].map((file) => ({
        prompt: `Review ${file} for bugs`,
        options: ["--allowedTools=Read,Grep,Glob"],
      })),
      {
        prompt: expect.stringMatching(/^Which of these /),
        options: ["--model=opus", "--tools=Read"],
        directory: expect.stringMatching(/\/answers$/),
      },
    ],
    leaves: async (home, { out }) => {
      expect(await Bun.file(join(home.work, "summary.md")).text()).toContain("Answer to: List the five");
      expect(out).toContain("Summary\nAnswer to: Which of these");
    },
  },
  "Retry what failed": {
    prepare: async (home) => {
      const gate = home.file("gate");
      // The second one is queued when it is cancelled.
      await run(home, ["run", "--detach", "--concurrency", "1", `one [[wait-for-file path=${gate}]]`, "two"]);
      await run(home, ["cancel", "latest", "2"]);
      await Bun.write(gate, "");
      await run(home, ["wait", "latest"]);
    },
    starts: [
      { prompt: expect.stringMatching(/^one /), options: [] },
      { prompt: "two", options: [] },
      { prompt: "two", options: ["--allowedTools=Read,Edit,Bash(npm test:*)"] },
    ],
    leaves: async (_, { out, err }) => expect(`${out}${err}`).toContain("All 2 tasks succeeded."),
  },
};

test("every recipe is looked at", () => {
  expect(recipes.map(([heading]) => heading).sort()).toEqual(Object.keys(recipesByHeading).sort());
});

for (const [heading, blocks] of recipes) {
  const needsJq = blocks.some(({ text }) => /^jq /m.test(text));
  (needsJq ? testNeeding("jq") : test)(`${heading}: starts what it says, as it is typed`, async () => {
    const { recipe } = recipeOf(heading);
    await using home = new Home();
    await put(
      home,
      product.name,
      `exec ${program()
        .map((word) => `'${word}'`)
        .join(" ")} "$@"`,
    );
    for (const { file, text } of blocks) {
      if (file === undefined) continue;
      const path = file.startsWith("bin/") ? join(home.path, file) : join(home.work, file);
      await Bun.write(path, `${text}\n`);
      if (text.startsWith("#!")) chmodSync(path, 0o755);
    }
    await recipe.prepare?.(home);
    const typed = blocks.filter(({ language, file }) => language === "sh" && file === undefined);
    const said = await typedIn(home, typed.map(({ text }) => text).join("\n"));
    if (typed.length > 0) await run(home, ["wait", "latest"]);
    await recipe.leaves(home, said);
    expect(await sessionsOf(home)).toEqual(
      recipe.starts.map(({ directory = "work", ...session }) => ({
        ...session,
        // A pattern stands for itself.
        directory: typeof directory === "string" ? join(home.path, directory) : directory,
      })),
    );
    for (const block of blocks.filter(({ language, file }) => language === "json" && file === undefined))
      await called(home, block);
  });
}

function recipeOf(heading: string): { recipe: Recipe; blocks: CodeBlock[] } {
  const recipe = recipesByHeading[heading];
  if (!recipe) throw new Error(`the recipe ${heading} is not looked at`);
  return { recipe, blocks: recipes.find(([name]) => name === heading)?.[1] ?? [] };
}

/** Files of a batch beside those of its tasks. */
const reports = { index: 1, report: 3, results: 1, summary: 1 };

// How many of each kind: `result-001-….html` is a `result`.
function kindsOf(names: readonly string[]): Record<string, number> {
  const kinds = Map.groupBy(names, (name) => /^\w+/.exec(name)?.[0] ?? "");
  return Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length]));
}

/** What this program says to every session is left away: what is left, somebody chose. */
const chosen = /^--(?:allowedTools|tools|model|max-budget-usd|max-turns|permission-mode|json-schema|effort)=/;

// Each session that was asked something, by the log of the fake.
async function sessionsOf(home: Home): Promise<Started[]> {
  const lines = (await Bun.file(home.startsLog).text()).trim().split("\n");
  const events: Record<string, unknown>[] = lines.map((line) => JSON.parse(line));
  const sessions = events.flatMap(({ kind, pid, prompt }) => {
    if (kind !== "prompt") return [];
    const { argv, cwd } = events.findLast((one) => one["kind"] === "start" && one["pid"] === pid) ?? {};
    const options = Array.isArray(argv) ? argv.map(String).filter((word) => chosen.test(word)) : [];
    return [{ prompt: String(prompt), options: options.sort(), directory: String(cwd) }];
  });
  return sessions.sort((one, other) => (one.prompt < other.prompt ? -1 : 1));
}

// An id, a number, a place and the words for a fixed number of sessions differ from machine to machine.
function withoutParticulars(text: string): string {
  return text
    .trim()
    .replace(/(Batch|show|watch|results|open|cancel) \w{8}/g, "$1 ID")
    .replace(/with \d+ tasks, [^.]+\./, "with N tasks.")
    .replace(/go to \S+\./, "go to PLACE.");
}

async function put(home: Home, name: string, script: string, directory = ".local/bin"): Promise<void> {
  const path = join(home.path, directory, name);
  await Bun.write(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

async function typedIn(home: Home, text: string): Promise<{ code: number; out: string; err: string }> {
  const env = home.environment;
  const PATH = `${home.path}/bin:${home.path}/.local/bin:${env["PATH"]}`;
  return inShell(text, { cwd: home.work, env: { ...env, PATH } });
}

// As cron does it: almost no environment, the variables of the crontab, and `sh`.
async function byCron(home: Home, crontab: string): Promise<{ code: number; out: string; err: string }> {
  const [variable = "", line = ""] = crontab.split("\n");
  const [, PATH = ""] = /^PATH=(.*)$/.exec(variable) ?? [];
  const [, command = ""] = /^(?:\S+\s+){5}(.*)$/.exec(line) ?? [];
  expect(command).toContain(product.name);
  return inShell(command, {
    cwd: home.path,
    env: { HOME: home.path, LOGNAME: "me", SHELL: "/bin/sh", PATH: PATH.replaceAll("/home/me", home.path) },
  });
}

async function inShell(
  text: string,
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn(["sh", "-c", text], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}

// By the tool that is named last before it.
async function called(home: Home, { text, before }: CodeBlock): Promise<void> {
  await using client = await connectNew(home);
  const known = (await client.listTools()).map(({ name }) => name);
  const named = [...before.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);
  const tool = named.findLast((name) => known.includes(name)) ?? "";
  const answer = await client.call(tool, JSON.parse(text));
  expect(answer).toMatchObject({ isError: false });
}
