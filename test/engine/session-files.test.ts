// When the page of a session is written: at its end, now and then while it runs, and by whom comes later.
import { afterEach, expect, setSystemTime, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SessionFiles, sessionPageOf } from "../../src/engine/output/session-files.ts";
import { sessionFeedBeside } from "../../src/store/layout.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";
import { HandClock } from "./hand-clock.ts";

function filesOf(inside: Inside, { log }: TestBatch) {
  const { layout } = inside.context().store;
  // With the transcripts of its sessions, if they were real ones.
  mkdirSync(layout.batchDirectory(log.batchId), { recursive: true });
  let changes = 0;
  const files = new SessionFiles(layout, log, {
    fileOf: () => undefined,
    changed: () => void changes++,
  });
  const page = (task: number) => sessionPageOf(layout, log.state, task);
  const textOf = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
  return {
    files,
    page: (task: number) => textOf(page(task)),
    feed: (task: number) => textOf(sessionFeedBeside(page(task))),
    pathOf: page,
    changes: () => changes,
  };
}

afterEach(() => void setSystemTime());

const said = (text: string) =>
  `${JSON.stringify({ type: "assistant", message: { content: [{ type: "text", text }] } })}\n`;

test("a session that ends has its page, also one that failed, but none that only answered, and no task without a session", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context(), { tasks: 4 });
  const { files, page, changes } = filesOf(inside, batch);
  batch.answer(1, "the answer").end(2, failed);
  batch.answer(4, "plain", { usage: { costUsd: 1, numTurns: 1, durationMs: 1 } });
  batch.append({ type: "cancel-requested", by: "user", tasks: [3] });
  for (const task of [1, 2, 3, 4]) files.ended(task);
  await files.settled();
  expect(page(1)).toContain("the answer");
  expect(page(2)).toContain("no longer exists");
  expect([page(3), page(4)]).toEqual(["", ""]);
  expect(changes()).toBe(2);
  expect([1, 3].map((task) => files.hrefOf(task)?.endsWith("session-001.html"))).toEqual([true, undefined]);
});

test("another runner writes the pages that are missing or older than the end of their task, and no others", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context(), { tasks: 2 });
  batch.answer(1, "one").answer(2, "two");
  const first = filesOf(inside, batch);
  first.files.open();
  await first.files.settled();
  expect(first.page(1)).toContain("one");
  rmSync(first.pathOf(1));
  writeFileSync(first.pathOf(2), "kept");
  const second = filesOf(inside, batch);
  second.files.open();
  await second.files.settled();
  expect(second.page(1)).toContain("one");
  expect(second.page(2)).toBe("kept");
  expect(second.files.hrefOf(2)).toBeDefined();
  // The directory of its results is another one: links lead there.
  second.files.open({ all: true });
  await second.files.settled();
  expect(second.page(2)).toContain("two");
});

test("a running session has a page after three seconds, which follows what it says until it ends", async () => {
  using inside = new Inside();
  using clock = new HandClock();
  const batch = inside.batch(inside.context(), { tasks: 1 });
  const { files, page, feed } = filesOf(inside, batch);
  inside.write(`${batch.id}-1.ndjson`, said("first words"));
  batch.start(1);
  const beat = async (ms: number) => {
    clock.now += ms;
    setSystemTime(Date.now() + ms);
    files.beat();
    await files.settled();
  };
  await beat(1_000);
  expect(page(1)).toBe("");
  await beat(2_500);
  expect(page(1)).toContain("first words");
  expect(page(1)).toContain('data-running="yes"');
  expect(feed(1)).toStartWith("sessionUpdate({");
  const before = feed(1);
  await beat(20_000);
  expect(feed(1)).toBe(before);
  appendFileSync(batch.transcript(1), said("second words"));
  await beat(20_000);
  expect(feed(1)).toContain("second words");
  expect(feed(1)).toContain('"running":true');
  batch.append({ type: "attempt-ended", task: 1, attempt: 1, outcome: failed });
  files.ended(1);
  await files.settled();
  expect(feed(1)).toContain('"running":false');
  expect(page(1)).toContain("second words");
  expect(page(1)).toContain('data-running="no"');
  await files.end();
  expect(feed(1)).toBe("");
  expect(page(1)).not.toBe("");
});

test("a page that cannot be written keeps no other one from following its session, and is written once it can be", async () => {
  using inside = new Inside();
  using clock = new HandClock();
  const batch = inside.batch(inside.context(), { tasks: 2 });
  const { files, page, pathOf } = filesOf(inside, batch);
  for (const task of [1, 2]) {
    inside.write(`${batch.id}-${task}.ndjson`, said(`words of ${task}`));
    batch.start(task);
  }
  const beat = async () => {
    clock.now += 20_000;
    setSystemTime(Date.now() + 20_000);
    files.beat();
    await files.settled();
  };
  // A directory where its page would be.
  mkdirSync(join(pathOf(1), "in the way"), { recursive: true });
  await beat();
  await beat();
  expect(page(2)).toContain("words of 2");
  rmSync(pathOf(1), { recursive: true });
  await beat();
  expect(page(1)).toContain("words of 1");
});

test("what an open page follows is removed soon after its session, while others run", async () => {
  using inside = new Inside();
  using clock = new HandClock();
  const batch = inside.batch(inside.context(), { tasks: 2 });
  const { files, feed, page } = filesOf(inside, batch);
  for (const task of [1, 2]) batch.start(task);
  const beat = async () => {
    clock.now += 20_000;
    setSystemTime(Date.now() + 20_000);
    files.beat();
    await files.settled();
  };
  for (const task of [1, 2]) {
    inside.write(`${batch.id}-${task}.ndjson`, said("words"));
    await beat();
  }
  batch.append({ type: "attempt-ended", task: 1, attempt: 1, outcome: failed });
  files.ended(1);
  await files.settled();
  await beat();
  expect(feed(1)).toContain('"running":false');
  await beat();
  expect([feed(1), page(1)]).toEqual(["", expect.stringContaining("words")]);
  expect(feed(2)).toContain('"running":true');
});

test("a page keeps its name when tasks are added", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context(), { tasks: 1 });
  const { log } = batch;
  const { layout } = inside.context().store;
  const tasks = Array.from({ length: 1_000 }, (_, index) => ({ prompt: `more ${index}` }));
  const before = sessionPageOf(layout, log.state, 1);
  batch.append({ type: "tasks-added", tasks });
  expect(log.state.tasks).toHaveLength(1_001);
  expect(sessionPageOf(layout, log.state, 1)).toBe(before);
});

test("a page that was open when its runner was killed learns of the end, however the session ended", async () => {
  using inside = new Inside();
  using clock = new HandClock();
  const batch = inside.batch(inside.context(), { tasks: 1 });
  const first = filesOf(inside, batch);
  inside.write(`${batch.id}-1.ndjson`, said("first words"));
  batch.start(1);
  clock.now += 5_000;
  setSystemTime(Date.now() + 5_000);
  first.files.beat();
  await first.files.settled();
  expect(first.page(1)).toContain('data-running="yes"');
  batch.answer(1, "plain", { usage: { costUsd: 1, numTurns: 1, durationMs: 1 } });
  const second = filesOf(inside, batch);
  second.files.open();
  await second.files.settled();
  expect(second.feed(1)).toContain('"running":false');
  expect(second.page(1)).toContain('data-running="no"');
  await second.files.end();
  expect(second.feed(1)).toBe("");
});

test("what cannot be written, or was removed with everything else, ends nothing and comes back in no place", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context(), { tasks: 2 });
  const { files, pathOf } = filesOf(inside, batch);
  batch.answer(1, "one").answer(2, "two");
  // A file where its folder would be.
  writeFileSync(join(pathOf(1), ".."), "");
  files.ended(1);
  await files.settled();
  expect(files.hrefOf(1)).toBeUndefined();
  rmSync(join(pathOf(1), "..", ".."), { recursive: true });
  files.ended(2);
  await files.settled();
  expect(existsSync(join(pathOf(2), "..", ".."))).toBe(false);
});
