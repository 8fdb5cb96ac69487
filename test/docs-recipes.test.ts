// Each recipe of the README, as it is typed: real commands of a shell, and real calls, with the fake `claude`.
import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { type CodeBlock, codeBlocks } from "../scripts/docs/blocks.ts";
import { product } from "../src/model/product.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, filesIn, Home, program, run } from "./harness.ts";

const readme = await Bun.file(join(import.meta.dir, "..", "README.md")).text();
const [, section = ""] = /^## Recipes\n([\s\S]*?)^## /m.exec(readme) ?? [];
const recipes = [...Map.groupBy(codeBlocks(section), ({ heading }) => heading)];

/** What is on the machine of whoever follows a recipe. */
const preparations: Record<string, (home: Home) => Promise<void>> = {
  "Review 200 files": async (home) => {
    await Bun.write(join(home.path, "shop", "src", "cart", "cart.ts"), "export {};\n");
    await Bun.write(join(home.work, "src", "a.ts"), "export {};\n");
    await Bun.write(join(home.work, "src", "b.ts"), "export {};\n");
    Bun.spawnSync(["sh", "-c", "git init --quiet && git add src"], { cwd: home.work, env: home.environment });
  },
  "Fix what the type checker finds": async (home) => {
    const found = [
      "a.ts(1,2): error TS2322: No.",
      "a.ts(7,1): error TS1005: No.",
      "b.ts(3,3): error TS2304: No.",
    ];
    await put(home, "npx", `printf 'src/%s\\n' ${found.map((line) => `'${line}'`).join(" ")}; exit 2`);
    Bun.spawnSync(["git", "init", "--quiet"], { cwd: home.work, env: home.environment });
  },
  "Extract data into JSONL": async (home) => {
    await Bun.write(join(home.work, "letters", "1.txt"), "Dear Sirs\n");
    await Bun.write(join(home.work, "letters", "2.txt"), "Dear Sirs\n");
  },
  "Every night, in the background": (home) =>
    put(home, "mail", `cat > "$HOME/body"; echo "$2 to $3" > "$HOME/mail"`),
  "Retry what failed": async (home) => {
    const gate = home.file("gate");
    await run(home, ["run", "--detach", "one", `two [[wait-for-file path=${gate}]]`]);
    await run(home, ["cancel", "latest", "2"]);
    await run(home, ["wait", "latest"]);
    await Bun.write(gate, "");
  },
};

/** What has come of it. */
const outcomes: Record<string, (home: Home, said: string) => Promise<void>> = {
  "Review 200 files": async (_, said) => {
    const shown =
      recipes.flatMap(([, blocks]) => blocks).find(({ language }) => language === "text")?.text ?? "";
    expect(withoutParticulars(said)).toBe(withoutParticulars(shown));
  },
  "Fix what the type checker finds": async (_, said) =>
    expect(said).toContain("All 2 tasks ended: 2 succeeded."),
  "Extract data into JSONL": async (home) => {
    const lines = (await Bun.file(join(home.work, "letters.jsonl")).text()).trim().split("\n");
    expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual([
      ["sender", "date", "amountEur"],
      ["sender", "date", "amountEur"],
    ]);
  },
  "Fan out from a script, or in CI": async (home, said) => {
    const { results }: { results: { status: string }[] } = await Bun.file(
      join(home.work, "answer.json"),
    ).json();
    expect(results.map(({ status }) => status)).toEqual(["success", "success"]);
    expect(said).toMatch(/^1 success /m);
  },
  "Every night, in the background": async (home) => {
    await eventually(
      () => filesIn(home.path).includes("mail"),
      () => "no mail has come",
    );
    expect(await Bun.file(home.file("mail")).text()).toMatch(
      /^nightly: 0 of 2 failed, [\d.]+ USD to me@example.com\n$/,
    );
    expect(JSON.parse(await Bun.file(home.file("body")).text()).counts.succeeded).toBe(2);
  },
  "Retry what failed": async (_, said) => expect(said).toContain("All 2 tasks ended: 2 succeeded."),
};

test("every recipe is looked at", () => {
  expect(recipes.map(([heading]) => heading).sort()).toEqual(Object.keys(outcomes).sort());
});

for (const [heading, blocks] of recipes) {
  const needsJq = blocks.some(({ text }) => /^jq /m.test(text));
  (needsJq ? testNeeding("jq") : test)(`${heading}: runs as it is typed`, async () => {
    await using home = new Home();
    await put(
      home,
      product.name,
      `exec ${program()
        .map((word) => `'${word}'`)
        .join(" ")} "$@"`,
    );
    await preparations[heading]?.(home);
    await putFiles(home, blocks);
    const typed = blocks.filter(({ language, text }) => language === "sh" && !text.startsWith("#!"));
    const { code, out, err } = await typedIn(home, typed.map(({ text }) => text).join("\n"));
    expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
    await run(home, ["wait", "latest"]);
    await outcomes[heading]?.(home, `${out}${err}`);
    for (const block of blocks.filter(({ language }) => language === "json")) await called(home, block);
  });
}

// An id, a number, a place and the words for a fixed number of sessions differ from machine to machine.
function withoutParticulars(text: string): string {
  return text
    .trim()
    .replace(/(Batch|show|cancel) \w+/g, "$1 ID")
    .replace(/with \d+ tasks, [^.]+\./, "with N tasks.")
    .replace(/go to \S+\./, "go to PLACE.");
}

// Files that a recipe shows, where it says that they are.
async function putFiles(home: Home, blocks: readonly CodeBlock[]): Promise<void> {
  for (const { language, text } of blocks) {
    if (language === "csv") await Bun.write(join(home.work, "tasks.csv"), `${text}\n`);
    if (language === "markdown") await Bun.write(join(home.work, "tasks.md"), `${text}\n`);
    if (text.startsWith("#!/bin/sh")) await put(home, "batch-ended", text.split("\n").slice(1).join("\n"));
  }
}

async function put(home: Home, name: string, script: string): Promise<void> {
  const path = join(home.path, "bin", name);
  await Bun.write(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

async function typedIn(home: Home, text: string): Promise<{ code: number; out: string; err: string }> {
  const env = home.environment;
  const child = Bun.spawn(["sh", "-ec", text], {
    cwd: home.work,
    env: { ...env, PATH: `${home.path}/bin:${env["PATH"]}` },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
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
  // Nothing is left to retry once the commands have done it: that too is an answer to a call that was understood.
  if (tool === "retry_batch") expect(answer.text).toContain("there is nothing to rerun");
  else expect(answer).toMatchObject({ isError: false });
}
