// `compare`: what it prints, and where it puts its page.
import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "../facilities.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";
import { onCommandLine } from "./command-line.ts";

function batch(inside: Inside, texts: (string | undefined)[], name?: string): TestBatch {
  const tasks = texts.map((_, index) => ({ prompt: `Read ${index}`, key: `src/${index}.ts` }));
  const made = inside.batch(inside.context(), { tasks, ...(name === undefined ? {} : { batch: { name } }) });
  for (const [index, text] of texts.entries()) {
    const usage = { costUsd: 0.5, durationMs: 12_000, numTurns: 1 };
    if (text === undefined) made.end(index + 1, failed, { usage });
    else made.answer(index + 1, text, { usage });
  }
  return made.finish();
}

const lines = (count: number, word: string) =>
  Array.from({ length: count }, (_, index) => `${word} ${index}`).join("\n");

describe("compare", () => {
  test("prints totals, and tasks with their differences; long ones are cut unless all is asked for", async () => {
    using inside = new Inside();
    const before = batch(inside, ["one\ntwo", "x", lines(20, "old")], "monday");
    const after = batch(inside, ["one\n2", undefined, lines(20, "new")]);
    const { out, code } = await onCommandLine(inside, ["compare", before.id, after.id]);
    expect(code).toBe(0);
    expect(out).toContain("Of 3 tasks: 1 outcome changed, 2 answers changed.\n");
    expect(out).toMatch(/^cost +\$1\.50 +\$1\.50$/m);
    expect(out).toMatch(/^failed +0 +1 +\+1$/m);
    expect(out).toContain("! src/1.ts  outcome changed\n  succeeded → failed: max-turns, $0.50, 12 s\n");
    expect(out).toContain(
      "~ src/0.ts  answer changed\n  succeeded, $0.50, 12 s\n      one\n    - two\n    + 2\n",
    );
    expect(out).toContain("      … 28 more lines\n");
    expect(out).toEndWith(
      "`--full` shows whole differences, and `--open` shows them side by side in the browser.\n",
    );
    const full = await onCommandLine(inside, ["compare", before.id, after.id, "--full", "--only", "changed"]);
    expect(full.out).toContain("    + new 19\n");
    expect(full.out).not.toContain("src/1.ts");
  });

  test("says where the rest is if there are many tasks", async () => {
    using inside = new Inside();
    const before = batch(inside, ["a", "b", "c"]);
    const after = batch(inside, ["x", "y", "z"]);
    const { out } = await onCommandLine(inside, ["compare", before.id, after.id, "--limit", "2"]);
    expect(out).toEndWith("1 more task: `--offset 2` shows the next ones.\n");
    const rest = await onCommandLine(inside, [
      "compare",
      before.id,
      after.id,
      "--limit",
      "2",
      "--offset",
      "2",
    ]);
    expect(rest.out).toEndWith("    - c\n    + z\n");
  });

  testNeeding("a terminal of one's own")(
    "colours a difference in a terminal, wraps it behind its sign, and prints no escape of an answer",
    async () => {
      using inside = new Inside();
      const before = batch(inside, ["short"]);
      const after = batch(inside, [`\x1b[2J${"word ".repeat(12)}`]);
      const { out } = await onCommandLine(inside, ["compare", before.id, after.id], { columns: 40 });
      expect(out).toContain("\x1b[31m    - short\x1b[0m\n");
      expect(out).toContain("\x1b[32m    + word word word word word word\x1b[0m\n\x1b[32m      word word");
      expect(out).not.toContain("\x1b[2J");
    },
  );

  testNeeding("a system other than Windows")(
    "writes its page into the folder of the later batch, for its user alone, or to a file",
    async () => {
      using inside = new Inside();
      const before = batch(inside, ["one"], "monday");
      const after = batch(inside, ["two"]);
      const { out, err } = await onCommandLine(inside, ["compare", before.id, after.id, "--open"]);
      const path = join(inside.state, "batches", after.id, `comparison-${before.id}.html`);
      expect({ out: inside.named(out), err }).toEqual({
        out: `STATE/batches/${after.id}/comparison-${before.id}.html\n`,
        err: "The page was not opened: there is no desktop here.\n",
      });
      if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(await Bun.file(path).text()).toContain(`<h1>monday (${before.id}) → ${after.id}</h1>`);
      const mine = await onCommandLine(inside, ["compare", before.id, after.id, "--page", "mine.html"]);
      expect(inside.named(mine.out)).toBe("HOME/work/mine.html\n");
      const again = await onCommandLine(inside, [
        "compare",
        before.id,
        after.id,
        "--page",
        "mine.html",
        "--json",
      ]);
      expect(JSON.parse(again.out)).toEqual({ page: inside.file("work/mine.html"), opened: false });
    },
  );

  test("overwrites no file that is none of its pages", async () => {
    using inside = new Inside();
    const before = batch(inside, ["one"]);
    const after = batch(inside, ["two"]);
    const path = inside.write("work/notes.html", "mine");
    const { code, err } = await onCommandLine(inside, [
      "compare",
      before.id,
      after.id,
      "--page",
      "notes.html",
    ]);
    expect({ code, err }).toEqual({
      code: 2,
      err: `${path} exists, and is no comparison. Nothing was written; give another file.\n`,
    });
    expect(await Bun.file(path).text()).toBe("mine");
    const nowhere = await onCommandLine(inside, ["compare", before.id, after.id, "--page", "no/where.html"]);
    expect(nowhere.err).toStartWith(
      `The page ${inside.file("work/no/where.html")} could not be written: ENOENT`,
    );
  });

  testNeeding("programs that are scripts")("shows its page with what the desktop has for that", async () => {
    using inside = new Inside({ DISPLAY: ":0" });
    const before = batch(inside, ["one"]);
    const after = batch(inside, ["two"]);
    inside.script("bin/xdg-open", `echo "$@" > ${inside.file("opened")}`);
    const { out, err } = await onCommandLine(inside, ["compare", before.id, after.id, "--open"]);
    expect(err).toBe("");
    expect(await Bun.file(inside.file("opened")).text()).toBe(out);
  });
});
