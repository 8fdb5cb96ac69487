// The page of a session, through a real batch.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { filesIn, Home, run } from "./harness.ts";
import { markupOf } from "./report/markup.ts";

const textOf = (html: string) => markupOf(html).text.replace(/\s+/g, " ");

function inOrder(text: string, words: readonly string[]): void {
  let at = 0;
  for (const one of words) {
    expect(text.slice(at)).toContain(one);
    at = text.indexOf(one, at) + one.length;
  }
}

test("what sessions did is a page, to which row, result and error text lead, which anybody can ask for, and prune removes", async () => {
  await using home = new Home();
  const output = join(home.work, "out");
  const edit = JSON.stringify({ file_path: join(home.work, "a.ts"), old_string: "one", new_string: "two" });
  const tasks = [
    [
      "Look around.",
      '[[thinking text="let me see"]]',
      '[[tool name=Bash input="npm test" output="Exit code 3\\nbroken" fails]]',
      `[[tool name=Edit input='${edit}']]`,
      "[[subagent]]",
      '[[stderr text="warning: odd"]]',
      '[[answer text="That is **all**."]]',
    ].join(" "),
    "[[max-turns]]",
    "[[answer text=plain]]",
    '[[answer text="maybe"]][[again text="DONE"]]',
  ];
  const options = ["--retries", "1", "--expect-pattern", "all|plain|DONE", "--output-directory", output];
  expect((await run(home, ["run", ...tasks, ...options])).code).toBe(1);

  // Of the one that only answered, its result page shows all.
  const [batch = ""] = filesIn(join(home.state, "batches"));
  const folder = join(home.state, "batches", batch, "sessions");
  const pathOf = (task: number) => join(folder, `session-00${task}.html`);
  expect(filesIn(folder).sort()).toEqual(["session-001.html", "session-002.html", "session-004.html"]);
  const [rich, failed, , again] = [1, 2, 3, 4].map((task) =>
    existsSync(pathOf(task)) ? readFileSync(pathOf(task), "utf8") : "",
  );
  inOrder(textOf(rich ?? ""), [
    "What the session did · Task 1 of 4",
    "The result All tasks of the batch",
    "Look around.",
    "Thought: let me see",
    "npm test exit status 3",
    "a.ts",
    "Count files",
    "Count the files.",
    "That is all.",
    "Answered",
    "warning: odd",
  ]);
  expect(rich).toContain("<del>- one\n</del><ins>+ two\n</ins>");
  expect(rich).toMatch(/<div class="inside">.*Count the files\..*<code>ls<\/code>/s);
  for (const [, href = ""] of (rich ?? "").matchAll(/<a href="(file:[^"]+)"/g))
    expect(existsSync(Bun.fileURLToPath(href))).toBe(true);
  inOrder(textOf(failed ?? ""), [
    "What went wrong",
    "failed: turn limit",
    "Reached its turn limit",
    "Ended: error_max_turns",
  ]);
  const followUp = ["Attempt 2", "Continues the conversation", "did not pass a check", "ClaudeDONE"];
  inOrder(textOf(again ?? ""), ["Attempt 1", "Claudemaybe", ...followUp]);

  const hrefOf = (task: number) => Bun.pathToFileURL(pathOf(task)).href;
  const page = readFileSync(join(output, `report-${batch}.html`), "utf8");
  for (const task of [1, 2, 4])
    expect(page).toContain(
      `<a class="did" href="${hrefOf(task)}" aria-label="Session of task ${task}">session</a>`,
    );
  const fileOf = (begin: string) => {
    const [name = ""] = filesIn(output).filter((one) => one.startsWith(begin));
    return readFileSync(join(output, name), "utf8");
  };
  expect(fileOf("result-001")).toContain(`<a href="${hrefOf(1)}">What the session did</a>`);
  expect(fileOf("result-003")).not.toContain("What the session did");
  expect(fileOf("error-002")).toContain(`What the session did: ${pathOf(2)}\n`);

  const asked = await run(home, ["logs", "latest", "4", "--attempt", "1", "--page", "mine.html"]);
  expect(asked).toMatchObject({ code: 0, out: `${join(home.work, "mine.html")}\n`, err: "" });
  const first = textOf(readFileSync(join(home.work, "mine.html"), "utf8"));
  inOrder(first, ["Conversation", "Claudemaybe"]);
  expect(first).not.toContain("Continues the conversation");
  expect((await run(home, ["logs", "latest", "3", "--open"])).out).toBe(`${pathOf(3)}\n`);
  expect(textOf(readFileSync(pathOf(3), "utf8"))).toContain("Claudeplain");
  if (process.platform !== "win32")
    for (const task of [1, 2, 3, 4]) expect(statSync(pathOf(task)).mode & 0o077).toBe(0);

  await home.empty();
  expect((await run(home, ["prune", "--older-than", "0"])).out).toContain("Removed 1 batch");
  expect(existsSync(folder)).toBe(false);
}, 120_000);
