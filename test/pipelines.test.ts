// A batch in a pipeline: files at its end, a quiet log, an exit status that is asked for, and what GitHub gets.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Home, run } from "./harness.ts";
import { parseXml } from "./xml.ts";

const tasks = [
  "[[answer text='::add-mask::fine']]",
  "[[error status=400]]",
  "[[error status=400]]",
  "[[answer text=good]]",
];

test("files for other programs are written at the end, also if tasks failed, and nothing is overwritten that is read", async () => {
  await using home = new Home();
  const files = ["--junit", "out.xml", "--csv", "out.csv", "--markdown", "out.md"];
  for (let round = 0; round < 2; round++) {
    const { code, err } = await run(home, ["run", ...tasks, "--retries", "0", "--quiet", ...files]);
    expect(code).toBe(1);
    expect(err).not.toMatch(/\d\/4/);
    expect(err).not.toContain("Warning");
    expect(err).toStartWith("All 4 tasks ended: 2 succeeded, 2 failed.");
  }
  const root = parseXml(readFileSync(join(home.work, "out.xml"), "utf8"));
  expect(root.attributes).toMatchObject({ tests: "4", failures: "2", errors: "0", skipped: "0" });
  expect(readFileSync(join(home.work, "out.csv"), "utf8").split("\n")).toHaveLength(6);
  expect(readFileSync(join(home.work, "out.md"), "utf8")).toContain("good");

  writeFileSync(join(home.work, "people.csv"), "name\nAda\n");
  writeFileSync(join(home.work, "tasks.md"), "- [ ] one\n");
  const refused: [string[], string][] = [
    [["x", "--csv", "people.csv"], "exists and is no table of results"],
    [
      ["--template", "Greet {{name}}", "--csv", "people.csv"],
      "`--for-each-csv FILE` reads what the tasks are about",
    ],
    [["-f", "tasks.md", "--markdown", "tasks.md"], "is read by this command"],
    [["x", "--markdown", "tasks.md"], "exists and is no document of results"],
    [
      ["--template", "{{item}}", "--for-each-line", "people.csv", "--junit", "people.csv"],
      "exists and is no JUnit report",
    ],
    [["x", "--junit", "missing/out.xml"], "is in a directory that does not exist"],
    [["x", "--junit", "a.xml", "--detach"], "--junit is for the end of the batch"],
    [["x", "--csv", "-"], "--csv: name a file"],
    [["x", "--junit", "a.xml", "--csv", "./a.xml"], "is the file of another flag"],
    [["x", "--fail-on", "101%"], "expected `any`, `none`, a number of tasks"],
  ];
  for (const [args, says] of refused) {
    const { code, err } = await run(home, ["run", ...args]);
    expect([code, err]).toEqual([2, expect.stringContaining(says)]);
  }
  expect(readFileSync(join(home.work, "people.csv"), "utf8")).toBe("name\nAda\n");
  const exported = await run(home, ["export", "latest", "--format", "junit"]);
  expect(parseXml(exported.out).name).toBe("testsuites");
}, 120_000);

describe("which failures make the status 1 is asked for", () => {
  test("of a run, of a wait, and of a retry that waits", async () => {
    await using home = new Home();
    const status = async (...args: string[]) => (await run(home, args)).code;
    expect(await status("run", ...tasks, "--retries", "0", "-q", "--fail-on", "3")).toBe(0);
    expect(await status("wait", "latest", "--fail-on", "50%")).toBe(1);
    expect(await status("wait", "latest", "--fail-on", "51%")).toBe(0);
    expect(await status("watch", "latest", "--quiet", "--fail-on", "none")).toBe(0);
    expect(await status("wait", "latest")).toBe(1);
    const retried = await run(home, ["retry", "latest", "--fail-on", "any", "--quiet"]);
    expect([retried.code, retried.out]).toEqual([
      1,
      expect.stringMatching(/^Batch \w{8}: All 4 tasks ended: 2 succeeded, 2 failed\./),
    ]);
    const quiet = await run(home, ["retry", "latest", "--quiet"]);
    expect(quiet).toMatchObject({ code: 0, out: "", err: "" });
    await run(home, ["wait", "latest", "--quiet"]);
    const waited = await run(home, ["retry", "latest", "--wait", "--fail-on", "none", "--json"]);
    expect([waited.code, JSON.parse(waited.out)]).toEqual([
      0,
      expect.objectContaining({
        end: "failed",
        causes: [expect.objectContaining({ count: 2, tasks: "2-3" })],
      }),
    ]);
  }, 120_000);
});

test("in GitHub Actions, a step gets annotations and a summary, and nobody's text is a command", async () => {
  await using home = new Home();
  const summary = home.file("summary.md");
  writeFileSync(summary, "# Before\n");
  home.set({ GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary, GITHUB_WORKSPACE: home.work, CI: "true" });
  writeFileSync(join(home.work, "a.ts"), "");
  const template = "[[error status=400]] {{file}}";
  const ran = await run(home, ["run", "--template", template, "--for-each", "*.ts", "--retries", "0"]);
  expect(ran.err.match(/^::error .*/gm)).toEqual([
    expect.stringMatching(
      /^::error file=a\.ts,title=Task 1 \(a\.ts\)%3A failed%3A request rejected::The API rejected a request/,
    ),
  ]);
  expect(readFileSync(summary, "utf8")).toMatch(/^# Before\n## [\s\S]*\| 1 \| 0 \| 1 \| 0 \|/);
  const said = await run(home, ["run", tasks[0] ?? ""]);
  expect(said.out).toBe(": :add-mask::fine\n");
  const json = await run(home, ["results", "latest", "--json"]);
  expect(JSON.parse(json.out)).toMatchObject({ results: [{ result: "::add-mask::fine" }] });
  const size = readFileSync(summary, "utf8").length;
  const off = await run(home, ["run", "[[error status=400]]", "--retries", "0", "--no-github"]);
  expect(off.err).not.toContain("::error");
  expect(readFileSync(summary, "utf8").length).toBe(size);
  expect(existsSync(join(home.work, "summary.md"))).toBe(false);
}, 120_000);
