// The page of a session, through real batches.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesIn, Home, run } from "./harness.ts";
import { markupOf } from "./report/markup.ts";

const textOf = (html: string) => markupOf(html).text.replace(/\s+/g, " ");

test("a session with thoughts, calls, edits, a subagent and a failure is a page", async () => {
  await using home = new Home();
  const edit = JSON.stringify({ file_path: join(home.work, "a.ts"), old_string: "one", new_string: "two" });
  const task = [
    "Look around.",
    '[[thinking text="let me see"]]',
    '[[tool name=Bash input="npm test" output="Exit code 3\\nbroken" fails]]',
    `[[tool name=Edit input='${edit}']]`,
    "[[subagent]]",
    '[[stderr text="warning: odd"]]',
    '[[answer text="That is **all**."]]',
  ].join(" ");
  expect((await run(home, ["run", task, "[[max-turns]]", "--retries", "0"])).code).toBe(1);
  const file = join(home.work, "session.html");
  const written = await run(home, ["logs", "latest", "1", "--page", file]);
  expect(written).toMatchObject({ code: 0, out: `${file}\n`, err: "" });
  const html = readFileSync(file, "utf8");
  const text = textOf(html);
  for (const words of [
    "What the session did · Task 1 of 2",
    "Look around.",
    "Thought: let me see",
    "npm test exit status 3",
    "a.ts",
    "Count files",
    "That is all.",
    "Answered",
    "warning: odd",
    "The result All tasks of the batch",
    "logs",
  ])
    expect(text).toContain(words);
  expect(html).toContain("<del>- one\n</del><ins>+ two\n</ins>");
  expect(html).toMatch(/<div class="inside">.*Count the files\..*<code>ls<\/code>/s);
  // The links lead somewhere.
  for (const [, href = ""] of html.matchAll(/<a href="(file:[^"]+)"/g))
    expect(existsSync(Bun.fileURLToPath(href))).toBe(true);

  const other = join(home.work, "other.html");
  expect((await run(home, ["logs", "latest", "2", "--page", other])).code).toBe(0);
  const failed = textOf(readFileSync(other, "utf8"));
  expect(failed).toContain("failed: turn limit");
  expect(failed).toContain("Reached its turn limit");
  expect(failed).toContain("Ended: error_max_turns");
  expect(failed).toContain("What went wrong");

  // Only a page of its own is replaced.
  expect((await run(home, ["logs", "latest", "1", "--page", file])).code).toBe(0);
  writeFileSync(other, "mine");
  expect(await run(home, ["logs", "latest", "1", "--page", other])).toMatchObject({
    code: 2,
    err: expect.stringContaining("exists, and is no page of a session"),
  });
  expect(readFileSync(other, "utf8")).toBe("mine");
});

test("follow-ups, checks and attempts have headings, and --attempt shows one of them", async () => {
  await using home = new Home();
  await run(home, [
    "run",
    '[[answer text="maybe"]][[again text="DONE"]]',
    "--expect-pattern",
    "^DONE$",
    "--retries",
    "1",
  ]);
  const page = async (...more: string[]) => {
    const { out } = await run(home, ["logs", "latest", "1", "--page", "p.html", ...more]);
    return textOf(readFileSync(out.trim(), "utf8"));
  };
  const all = await page();
  const order = [
    "Attempt 1",
    "maybe",
    "Attempt 2",
    "Continues the conversation",
    "did not pass a check",
    "ClaudeDONE",
  ];
  const places = order.map((words) => all.indexOf(words, all.indexOf("Attempt 1")));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  const first = await page("--attempt", "1");
  expect(first).toContain("maybe");
  expect(first).not.toContain("Continues the conversation");
});

test("without --page it goes beside the transcripts, for its owner alone, and what has no session has no page", async () => {
  await using home = new Home();
  await run(home, ["run", "one"]);
  const { out, err } = await run(home, ["logs", "latest", "1", "--open"]);
  const path = out.trim();
  expect(path).toStartWith(join(home.state, "batches"));
  expect(filesIn(join(path, ".."))).toEqual(["session-001.html"]);
  expect(textOf(readFileSync(path, "utf8"))).toContain("Conversation succeeded");
  if (process.platform !== "win32") expect(statSync(path).mode & 0o077).toBe(0);
  expect(err).toMatch(/^(The page was not opened: .*\n)?$/);
  expect((await run(home, ["logs", "latest", "7", "--open"])).err).toContain("there is no task 7");
});

test("a task whose session did more than answer has its page, which row, result and error text lead to, and prune removes", async () => {
  await using home = new Home();
  const output = join(home.work, "out");
  const tasks = ["[[tool name=Bash]] [[answer text=fine]]", "[[max-turns]]", "[[answer text=plain]]"];
  await run(home, ["run", ...tasks, "--retries", "0", "--output-directory", output]);
  const [batch = ""] = filesIn(join(home.state, "batches"));
  const folder = join(home.state, "batches", batch, "sessions");
  expect(filesIn(folder).sort()).toEqual(["session-001.html", "session-002.html"]);
  if (process.platform !== "win32") expect(statSync(join(folder, "session-002.html")).mode & 0o077).toBe(0);
  const hrefs = [1, 2].map((task) => Bun.pathToFileURL(join(folder, `session-00${task}.html`)).href);
  const page = readFileSync(join(output, `report-${batch}.html`), "utf8");
  for (const href of hrefs) expect(page).toContain(`<a class="did" href="${href}">session</a>`);
  const [result = ""] = filesIn(output).filter((name) => name.startsWith("result-001"));
  expect(readFileSync(join(output, result), "utf8")).toContain(
    `<a href="${hrefs[0]}">What the session did</a>`,
  );
  const [plain = ""] = filesIn(output).filter((name) => name.startsWith("result-003"));
  expect(readFileSync(join(output, plain), "utf8")).not.toContain("What the session did");
  const [error = ""] = filesIn(output).filter((name) => name.startsWith("error-002"));
  expect(readFileSync(join(output, error), "utf8")).toContain(
    `What the session did: ${join(folder, "session-002.html")}\n`,
  );
  const failed = readFileSync(join(folder, "session-002.html"), "utf8");
  expect(textOf(failed)).toContain("Reached its turn limit");
  expect(failed).toContain(Bun.pathToFileURL(join(output, error)).href);
  await home.empty();
  expect((await run(home, ["prune", "--older-than", "0"])).out).toContain("Removed 1 batch");
  expect(existsSync(folder)).toBe(false);
});
