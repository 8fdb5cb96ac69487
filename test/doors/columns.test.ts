// What commands print into a terminal: columns that line up, sentences broken between words, and answers left as they are.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { wrap, wrapped } from "../../src/doors/cli/terminal/wrapped.ts";
import { shellQuoted } from "../../src/model/shell-quoted.ts";
import { testNeeding } from "../facilities.ts";
import { failed, Inside } from "../inside.ts";
import { onCommandLine } from "./command-line.ts";
import { inTerminal } from "./own-program.ts";

const colours = /\x1b\[\d+m/g;
const lines = (text: string) => text.trimEnd().replaceAll(colours, "").split("\n");
/** Where a text begins and ends in a line. */
const start = (line = "", text: string) => line.indexOf(text);
const end = (line = "", text: string) => line.indexOf(text) + text.length;

describe("list", () => {
  test("has numbers at the right and words at the left of their columns", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside
      .batch(context, { tasks: 12, batch: { name: "nightly" } })
      .answer(1, "yes", { usage: { costUsd: 1_234.5, numTurns: 1, durationMs: 1 } });
    context.store.database.run("UPDATE batches SET created_at = created_at - 1_200_000");
    for (const columns of [undefined, 120]) {
      const { out } = await onCommandLine(inside, ["list"], columns === undefined ? {} : { columns });
      const [heading, row] = lines(out);
      for (const [title, cell] of [
        ["DONE", "1/12"],
        ["FAILED", " 0 "],
        ["COST", "$1,234.50"],
        ["AGE", "20 min"],
      ] as const)
        expect(end(row, cell.trimEnd())).toBe(end(heading, title));
      for (const [title, cell] of [
        ["BATCH", batch.id],
        ["STATE", "running"],
        ["NAME", "nightly"],
      ] as const)
        expect(start(row, cell)).toBe(start(heading, title));
    }
  });

  test("breaks a sentence between its words", async () => {
    using inside = new Inside();
    const { out } = await onCommandLine(inside, ["list"], { columns: 30 });
    expect(lines(out)).toEqual(["There are no batches yet.", "  Start one with `run`."]);
  });
});

describe("show", () => {
  test("cuts a task to what its terminal has room for, and no path", async () => {
    using inside = new Inside();
    const task = `${"x".repeat(99)}y`;
    inside.batch(inside.context(), { tasks: [{ prompt: task }] }).answer(1, "yes");
    const shown = async (columns?: number) => {
      const { out } = await onCommandLine(
        inside,
        ["show", "latest"],
        columns === undefined ? {} : { columns },
      );
      expect(out.replaceAll(/\n +/g, "")).toContain(inside.output);
      return /^1 .*? (x+)…/m.exec(out.replaceAll(colours, ""))?.[1]?.length;
    };
    expect(await shown()).toBe(59);
    expect(await shown(200)).toBe(59);
    expect(await shown(100)).toBe(27);
    expect(await shown(60)).toBe(14);
  });

  test("names what a running session does, and the file of an answer", async () => {
    using inside = new Inside();
    const context = inside.context();
    const batch = inside.batch(context, { tasks: 3 }).answer(1, "yes").start(2);
    context.store.setActivities(batch.log.batchId, new Map([[2, "Reads a.ts"]]));
    const [, , ...rows] = lines((await onCommandLine(inside, ["show", "latest"])).out).filter((line) =>
      /^[123] /.test(line),
    );
    expect(rows).toHaveLength(1);
    const out = lines((await onCommandLine(inside, ["show", "latest"])).out);
    expect(out.find((line) => line.startsWith("2 "))).toEndWith("Reads a.ts");
    expect(out.find((line) => line.startsWith("3 "))?.trimEnd()).toEndWith("task 3");
    expect(out.find((line) => line.startsWith("1 "))).not.toContain("Reads");
  });
});

describe("results", () => {
  test("leaves the lines of an answer as they are, and breaks only its own", async () => {
    using inside = new Inside();
    const answer = "word ".repeat(30).trimEnd();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, answer).answer(2, "short");
    const both = lines((await onCommandLine(inside, ["results", batch.id], { columns: 40 })).out);
    expect(both).toContain(answer);
    const one = await onCommandLine(inside, ["results", batch.id, "1"], { columns: 40 });
    expect(one.out).toBe(`${answer}\n`);
    expect(lines(one.err)).toEqual([expect.stringMatching(/^Task 1 {2}succeeded {2}task 1$/)]);
  });

  test("gives all of one task, the beginning of several, and says how to have the rest", async () => {
    using inside = new Inside();
    const answer = `${"a".repeat(20_000)}z`;
    const batch = inside
      .batch(inside.context(), { tasks: 3 })
      .answer(1, answer)
      .answer(2, "two")
      .end(3, failed);
    expect((await onCommandLine(inside, ["results", batch.id, "1"])).out).toBe(`${answer}\n`);
    const all = (await onCommandLine(inside, ["results", batch.id])).out;
    expect(all).toContain(
      `[This text has 20,001 characters. \`parallel-claude-code-mcp results ${batch.id} 1\` shows all of it, and \`--from `,
    );
    expect(all).not.toContain("az");
    const part = await onCommandLine(inside, ["results", batch.id, "1", "--characters", "1000"]);
    expect(part.out.length).toBeLessThan(1_100);
    expect(part.err).toContain("[This text has 20,001 characters.");
    const first = (await onCommandLine(inside, ["results", batch.id, "--limit", "1"])).out;
    expect(first).toContain("2 more results: `--offset 1` shows the next ones, and `--limit 3` all.");
    const none = inside.batch(inside.context()).start(1);
    expect((await onCommandLine(inside, ["results", none.id])).out).toStartWith(`Batch ${none.id}: `);
  });
});

describe("run --dry-run", () => {
  test("cuts no option and no path, and repeats the flag of a list", async () => {
    using inside = new Inside();
    for (const name of ["one", "two"]) inside.write(`work/${name}/x`, "");
    const words = ["--append-system-prompt", "word ".repeat(30).trimEnd()];
    const directories = ["--add-dir", "one", "--add-dir", "two", "--allowed-tools", "Read,Edit"];
    inside.write("work/t.txt", "x");
    const { out } = await onCommandLine(
      inside,
      ["run", "-f", "t.txt", "--dry-run", ...words, ...directories],
      {
        columns: 40,
      },
    );
    expect(out).toContain(`--append-system-prompt ${shellQuoted(words[1] ?? "")}`);
    expect(out).toContain(
      `--add-directories ${shellQuoted(inside.file("work/one"))} --add-directories ${shellQuoted(inside.file("work/two"))}`,
    );
    expect(out).toContain(`--allowed-tools ${shellQuoted("Read,Edit")}`);
    expect(out).toContain(inside.output);
  });

  test("names a task of the command line by its number", async () => {
    using inside = new Inside();
    const { code, err } = await onCommandLine(inside, ["run", "--dry-run", "good", " "]);
    expect(code).toBe(2);
    expect(err).toMatch(/^task 2 was given as " ": must not be empty\n/);
  });
});

describe("retry --dry-run", () => {
  test("says which tasks would run, with which options, and changes nothing", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 4 }).answer(1, "yes").end(2, failed).end(3, failed);
    const events = batch.log.refresh().length;
    const plan = async (...argv: string[]) =>
      (await onCommandLine(inside, ["retry", batch.id, "--dry-run", ...argv])).out;
    const all = await plan("--max-turns", "9");
    expect(all).toStartWith(
      `Dry run: nothing was started. Without \`--dry-run\`, this would run 2 tasks of batch ${batch.id} again, `,
    );
    expect(all).toMatch(/^2 {2}task 2\n {3}--max-turns 9\n3 {2}task 3\n {3}--max-turns 9/m);
    expect(all).not.toMatch(/^[14] {2}task/m);
    expect(await plan("3")).toContain(`this would run 1 task of batch ${batch.id} again, `);
    expect(await plan("4", "--max-turns", "9")).toContain(
      `this would give other options to 1 waiting task of batch ${batch.id}, `,
    );
    const json = JSON.parse(await plan("--json", "2"));
    expect(json).toMatchObject({ dryRun: true, tasks: [{ taskIndex: 2, task: "task 2" }] });
    batch.log.refresh();
    expect(batch.log.refresh()).toHaveLength(0);
    expect(events).toBe(0);
  });
});

describe("other commands", () => {
  test("config --json describes each setting", async () => {
    using inside = new Inside();
    const { settings } = JSON.parse((await onCommandLine(inside, ["config", "--json"])).out);
    expect(settings.length).toBeGreaterThan(5);
    for (const { description } of settings) expect(description).toMatch(/\w+ .*\.$/);
  });

  test("prune says when a batch ended, and lists no more than thirty", async () => {
    using inside = new Inside();
    const context = inside.context();
    for (let count = 0; count < 32; count++) inside.batch(context).answer(1, "yes").finish();
    const day = 24 * 60 * 60_000;
    context.store.database.run(
      `UPDATE batches SET runner = NULL, ended_at = ${Date.now() - 90 * day}, changed_at = ${Date.now() - 90 * day}`,
    );
    const rows = lines((await onCommandLine(inside, ["prune", "--dry-run"])).out);
    expect(rows.filter((row) => / {2}90 d /.test(row))).toHaveLength(30);
    expect(rows).toContain("2 more; `--json` lists them all.");
    expect(rows[0]).toMatch(/^BATCH +ENDED +SIZE$/);
  });

  test("doctor lists what it has found, broken within its column, and fails where something does", async () => {
    using inside = new Inside();
    const { code, out } = await onCommandLine(inside, ["doctor"], { columns: 60 });
    const all = lines(out);
    expect(all.filter((line) => /^(?:ok {2}|FAIL) {2}\S/.test(line)).length).toBeGreaterThan(3);
    for (const line of all) expect(line.length).toBeLessThan(200);
    expect(code).toBe(all.some((line) => line.startsWith("FAIL")) ? 1 : 0);
    const { ok, findings } = JSON.parse((await onCommandLine(inside, ["doctor", "--json"])).out);
    const failures = findings.filter((one: { ok: boolean }) => !one.ok).length;
    expect(all.at(-1)).toBe(
      ok ? "All checks passed. No model was asked." : `${failures} of ${findings.length} checks failed.`,
    );
    const piped = lines((await onCommandLine(inside, ["doctor"])).out);
    expect(piped.length).toBeLessThanOrEqual(all.length);
  });

  testNeeding("a terminal of one's own")(
    "install --json changes the file only with --yes, and asks nobody where there is no terminal",
    async () => {
      using inside = new Inside();
      const path = inside.write("codex/config.toml", 'model = "x"\n');
      const argv = ["install", "--client", "codex"];
      const asked = await onCommandLine(inside, argv);
      expect(asked.code).toBe(2);
      expect(asked.err).toContain("there is no terminal to ask in: pass --yes");
      const told = JSON.parse((await onCommandLine(inside, [...argv, "--json"])).out);
      expect(told).toMatchObject({ changes: true, applied: false, removesFile: false });
      expect(told).not.toHaveProperty("backup");
      expect(await Bun.file(path).text()).toBe('model = "x"\n');
      const made = JSON.parse((await onCommandLine(inside, [...argv, "--json", "--yes"])).out);
      expect(made).toMatchObject({ changes: true, applied: true, backup: expect.stringContaining(path) });
      const again = JSON.parse((await onCommandLine(inside, [...argv, "--json", "--yes"])).out);
      expect(again).toMatchObject({ changes: false, applied: false });
      const dry = JSON.parse(
        (await onCommandLine(inside, ["uninstall", "--client", "codex", "--json", "--yes", "--dry-run"])).out,
      );
      expect(dry).toMatchObject({ changes: true, applied: false });
      const gone = inside.file("codex/config.toml");
      inside.remove(gone);
      expect((await onCommandLine(inside, [...argv, "--dry-run"])).out).toStartWith(`${gone} (new)\n`);
      const { out } = await onCommandLine(inside, [...argv, "--dry-run"], { columns: 80 });
      expect(out).toContain("\x1b[32m+ [mcp_servers.claude-code]\x1b[0m");
    },
  );

  testNeeding("a terminal of one's own")(
    "install asks in a terminal, and changes the file only for a yes",
    async () => {
      using inside = new Inside();
      const path = inside.write("codex/config.toml", 'model = "x"\n');
      const answered = async (answer: string) => {
        await using command = inTerminal(inside, ["install", "--client", "codex"]);
        await command.shows("Change the file?");
        command.type(`${answer}\n`);
        expect(await command.ended()).toBe(0);
        return command.screen.text;
      };
      expect(await answered("n")).toEndWith("Nothing was changed.");
      expect(await Bun.file(path).text()).toBe('model = "x"\n');
      expect(await answered("y")).toContain("Done. A copy of the old file is");
      expect(await Bun.file(path).text()).toContain("[mcp_servers.claude-code]");
    },
  );

  test("a store that is no store is named", async () => {
    using inside = new Inside();
    await Bun.write(
      join(inside.state, "store.sqlite"),
      "no database, but long enough to be read as one ".repeat(50),
    );
    const ran = onCommandLine(inside, ["list"]).then(
      ({ err }) => err,
      (error: Error) => error.message,
    );
    expect(await ran).toContain(inside.state);
  });
});

describe("a sentence in a terminal", () => {
  const narrow = { isTerminal: true, width: 24 };

  test("is broken between words, with its further lines set in", () => {
    expect(wrapped("one two three four five six seven eight", narrow).split("\n")).toEqual([
      "one two three four five",
      "  six seven eight",
    ]);
    expect(wrapped("    deep two three four five six", narrow).split("\n")).toEqual([
      "    deep two three four",
      "    five six",
    ]);
    expect(wrapped("x".repeat(23), narrow)).toBe("x".repeat(23));
    expect(wrapped(`${"x".repeat(30)} y`, narrow)).toBe(`${"x".repeat(30)}\n  y`);
    expect(wrapped("a\n\nb", narrow)).toBe("a\n\nb");
  });

  test("is left whole in a pipe, in a terminal too narrow, and where it is to be copied", () => {
    const long = "one two three four five six seven eight";
    expect(wrapped(long, { isTerminal: false, width: 24 })).toBe(long);
    expect(wrapped(long, { isTerminal: true, width: 23 })).toBe(long);
    expect(wrapped("write `retry b4k2 3 --max-turns 40` now", narrow).split("\n")).toEqual([
      "write",
      "  `retry b4k2 3 --max-turns 40`",
      "  now",
    ]);
  });

  test("begins in the column that it is given, and so do its further lines", () => {
    expect(wrapped("one two three four\nfive six", narrow, 10).split("\n")).toEqual([
      "one two three",
      "          four",
      "          five six",
    ]);
  });

  test("is broken at any blank where nothing of it is to be copied", () => {
    expect(wrap("  a `b\n c`   d ", 5)).toEqual(["a `b", "c` d"]);
    expect(wrap(" \n ", 5)).toEqual([]);
  });
});
