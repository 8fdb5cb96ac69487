// The results of a batch for other programs.
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { connectNew, Home, run } from "./harness.ts";

const answers = [
  {
    file: "a.ts",
    severity: 3,
    task: "clash",
    findings: [{ line: 1, text: "=cmd|' /C calc'!A0" }, { line: 2 }],
  },
  { file: "b, c.ts", severity: -1.5, ok: true, findings: [] },
];
const tasks = [
  ...answers.map((answer) => `[[structured value='${valueText(answer)}']]`),
  "[[error status=400]]",
];

// The fake reads it from between quotes.
function valueText(value: unknown): string {
  return JSON.stringify(value).replaceAll("'", "\\u0027");
}

async function batchIn(home: Home): Promise<void> {
  writeFileSync(join(home.work, "tasks.json"), JSON.stringify(tasks));
  const ran = await run(home, ["run", "-f", "tasks.json", "--output-schema", '{"type":"object"}']);
  expect(ran.code).toBe(1);
}

function exported(home: Home, ...args: string[]) {
  return run(home, ["export", "latest", ...args]);
}

describe("on the command line", () => {
  test("each field of the answers is a column, and a formula is none", async () => {
    await using home = new Home();
    await batchIn(home);
    const { out, code } = await exported(home);
    expect(code).toBe(0);
    const [head, first, second, third, ...rest] = out.trimEnd().split("\n");
    expect(rest).toEqual([]);
    expect(head).toBe(
      "task,status,outcome,file,severity,answer.task,findings,ok,error,costUsd,durationMs,model,resultFile",
    );
    expect(first).toStartWith('1,success,succeeded,a.ts,3,clash,"[{""line"":1,');
    expect(second).toStartWith('2,success,succeeded,"b, c.ts",-1.5,,[],true,,');
    expect(third).toStartWith("3,error,failed: request,,,,,,The API rejected a request.");
    const rows = (await exported(home, "--rows", "findings", "--status", "success")).out.split("\n");
    expect(rows[0]).toStartWith("task,status,outcome,line,text,error,");
    expect(rows[1]).toStartWith("1,success,succeeded,1,'=cmd|' /C calc'!A0,,");
    expect(rows[2]).toStartWith("1,success,succeeded,2,,,");
    expect(rows[3]).toBe("");
  });

  test("the same table is beside the pages when the batch has ended, if answers are data", async () => {
    await using home = new Home();
    await batchIn(home);
    const batchId = JSON.parse((await run(home, ["show", "latest", "--json"])).out).batchId;
    const written = readFileSync(join(home.output, `results-${batchId}.csv`), "utf8");
    expect(written).toBe((await exported(home)).out);
    await run(home, ["run", "hello", "--json"]);
    const other = JSON.parse((await run(home, ["show", "latest", "--json"])).out).batchId;
    expect(existsSync(join(home.output, `summary-${other}.json`))).toBe(true);
    expect(existsSync(join(home.output, `results-${other}.csv`))).toBe(false);
  });

  test("lines of JSON have whole texts, and Markdown has a part for each task", async () => {
    await using home = new Home();
    await run(home, ["run", "[[answer bytes=300000]]", "[[answer text='# Title']]"]);
    const lines = (await exported(home, "--format", "jsonl")).out.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).result.length)).toEqual([300_000, 7]);
    const { out } = await exported(home, "--format", "md", "--file", "-");
    expect(out).toContain("All 2 tasks ended: 2 succeeded.");
    expect(out).toContain("\n## Task 2\n\n*succeeded* · ");
    expect(out).toEndWith("\n\n# Title\n");
  });

  test("a database has a table of results and the facts of the batch", async () => {
    await using home = new Home();
    await batchIn(home);
    const { out } = await exported(home, "--file", "results.db");
    const path = join(home.work, "results.db");
    expect(out).toBe(`3 tasks written to ${path}.\n`);
    using database = new Database(path, { readonly: true });
    expect(database.query("SELECT task, severity, ok, findings FROM results ORDER BY task").values()).toEqual(
      [
        [1, 3, null, JSON.stringify(answers[0]?.findings)],
        [2, -1.5, 1, "[]"],
        [3, null, null, null],
      ],
    );
    expect(database.query("SELECT value FROM batch WHERE name = 'totalTasks'").values()).toEqual([[3]]);
  });

  test("what cannot be exported, or written, is said before anything is", async () => {
    await using home = new Home();
    await batchIn(home);
    const said = async (...args: string[]) => {
      const { code, err, out } = await exported(home, ...args);
      expect(out).toBe("");
      return [code, err.split("\n")[0]];
    };
    expect(await said("--rows", "finding")).toEqual([
      2,
      'Nothing was done: --rows "finding": no answer has a list of this name; there is `findings`',
    ]);
    expect(await said("--format", "xml")).toEqual([
      2,
      '--format was given as "xml": expected one of csv, jsonl, md, sqlite, junit',
    ]);
    expect(await said("--file", "none/x.csv")).toEqual([
      2,
      `Nothing was done: --file ${join(home.work, "none", "x.csv")} is in a directory that does not exist`,
    ]);
    expect(await said("--file", ".")).toEqual([
      2,
      `Nothing was done: --file ${home.work} is a directory; add the name of a file`,
    ]);
  });
});

test("an export removes what a killed one of the same batch has left, and nothing that another one is writing", async () => {
  await using home = new Home();
  await batchIn(home);
  const file = join(home.work, "all.csv");
  const gone = Bun.spawn([process.execPath, "--version"], { stdout: "ignore" });
  await gone.exited;
  const batchId = [
    ...readdirSync(home.output)
      .join(" ")
      .matchAll(/results-([a-z0-9]+)\.jsonl/g),
  ][0]?.[1];
  const half = (pid: number, tag: string) => `all.csv.${pid}-1.${tag}.part`;
  const [left, busy, foreign] = [
    half(gone.pid, `export-${batchId}`),
    half(process.pid, `export-${batchId}`),
    half(gone.pid, "export-other"),
  ];
  for (const name of [left, busy, foreign]) writeFileSync(join(home.work, name), "half");
  expect((await exported(home, "--file", file)).code).toBe(0);
  const halves = readdirSync(home.work).filter((name) => name.endsWith(".part"));
  expect(halves.sort()).toEqual([busy, foreign].sort());
});

test("the tool writes a file, and replaces none", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  await client.call("spawn_parallel_claude_sessions", { tasks, outputSchema: { type: "object" } });
  const call = (input: object) => client.call("export_batch", { batchId: "latest", ...input });
  const usual = await call({});
  const batchId = String(usual.data?.["batchId"]);
  const file = join(home.output, `export-${batchId}.csv`);
  expect(usual.data).toEqual({
    batchId,
    format: "csv",
    file,
    tasks: 3,
    message: `3 tasks written to ${file}.`,
  });
  expect(readFileSync(file, "utf8")).toStartWith("task,status,outcome,file,severity,");
  const named = join(home.work, "all.jsonl");
  expect((await call({ file: named })).data).toMatchObject({ format: "jsonl", file: named });
  expect(readFileSync(named, "utf8").trimEnd().split("\n")).toHaveLength(3);
  expect(await call({ file: named })).toMatchObject({
    isError: true,
    text: `Nothing was done: file ${named} exists; give another name`,
  });
  expect((await call({ file: join(home.work, "x.csv"), format: "md" })).text).toBe(
    `Nothing was done: file ${join(home.work, "x.csv")} must end in .md or .markdown`,
  );
  for (const name of ["CLAUDE.md", "agents.md", ".claude/x.md"].map((one) => join(home.work, one))) {
    mkdirSync(dirname(name), { recursive: true });
    expect((await call({ file: name })).text).toBe(
      `Nothing was done: file ${name} would be read by Claude Code as instructions or settings; give another name`,
    );
  }
  expect((await call({ file: "/outside.csv" })).text).toStartWith(
    `Nothing was done: file ${resolve(home.path, "/outside.csv")} is outside the allowed roots (${home.path}`,
  );
  await home.empty({ but: client.pid });
});
