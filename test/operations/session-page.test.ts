// The page of a session that somebody asks for: what it says of one that runs, and of what is not there.
import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { writeSession } from "../../src/operations/session-page.ts";
import { sessionFeedBeside } from "../../src/store/layout.ts";
import { Inside } from "../inside.ts";

const said = `${JSON.stringify({ type: "assistant", message: { content: [{ type: "text", text: "so far" }] } })}\n`;

test("of a running session follows it where its runner writes the companion, and nowhere else", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = inside.batch(context);
  inside.write(`${batch.id}-1.ndjson`, said);
  batch.start(1);
  const write = (more: object = {}) =>
    writeSession.run(context, { batchId: batch.id, task: 1, ...more }, inside.call());
  const { page } = await write();
  const html = () => readFileSync(page, "utf8");
  expect(html()).toContain("so far");
  expect(html()).toContain('data-feed="" data-running="yes"');
  expect(html()).not.toContain("This page follows");
  writeFileSync(sessionFeedBeside(page), "");
  await write();
  expect(html()).toContain('data-feed="session-001.js" data-running="yes"');
  expect(html()).toContain("This page follows the session while it runs.");
  // That of one attempt is beside it, and does not become one of all.
  const whole = html();
  const single = await write({ attempt: 1 });
  expect(single.page).toEndWith("session-001-attempt-1.html");
  expect(readFileSync(single.page, "utf8")).toContain('data-feed=""');
  expect(html()).toBe(whole);
  const elsewhere = await write({ page: inside.file("mine.html") });
  expect(readFileSync(elsewhere.page, "utf8")).toContain('data-feed=""');
  // With what tools printed, as in the transcript.
  if (process.platform !== "win32") expect(statSync(elsewhere.page).mode & 0o077).toBe(0);
  // Only a page of its own is replaced.
  await write({ page: inside.file("mine.html") });
  inside.write("mine.html", "mine");
  await expect(write({ page: inside.file("mine.html") })).rejects.toThrow("is no page of a session");
  expect(readFileSync(inside.file("mine.html"), "utf8")).toBe("mine");
});

test("of a task without a session says how it stands", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = inside.batch(context);
  const run = () => writeSession.run(context, { batchId: batch.id, task: 1 }, inside.call());
  await expect(run()).rejects.toThrow("Task 1 has no session: it is queued.");
  batch.append({ type: "cancel-requested", by: "user" }).finish();
  await expect(run()).rejects.toThrow("Task 1 has no session: it is cancelled.");
});

test("of a session whose batch no process runs any more says that it was interrupted, and follows nothing", async () => {
  using inside = new Inside();
  const context = inside.context();
  const batch = inside.batch(context, { isRun: false });
  inside.write(`${batch.id}-1.ndjson`, said);
  batch.start(1);
  const write = () => writeSession.run(context, { batchId: batch.id, task: 1 }, inside.call());
  const { page } = await write();
  writeFileSync(sessionFeedBeside(page), "");
  await write();
  const html = readFileSync(page, "utf8");
  expect(html).toContain('data-running="no"');
  expect(html).toContain("so far");
  expect(html).toContain('<span class="pill off">interrupted</span>');
  expect(html).not.toContain("This page follows");
});
