// When the page of a batch is written, which of its files, and what of the store they show.

import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { PageFiles } from "../../src/engine/output/page-files.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";
import { HandClock } from "./hand-clock.ts";

function pageOf(inside: Inside, { log: { state } }: TestBatch) {
  mkdirSync(inside.output, { recursive: true });
  const kept: string[] = [];
  const files = new PageFiles(inside.context().store, {
    names: new Map([[1, "result-of-1.html"]]),
    activities: new Map([[2, "Bash: make"]]),
    foreignFileKept: (path) => kept.push(path),
    textWritings: () => 7,
  });
  const page = join(inside.output, `report-${state.batch.batchId}.html`);
  const index = join(inside.output, "index.html");
  const companion = join(inside.output, `report-${state.batch.batchId}.js`);
  const update = z.object({ held: z.string(), running: z.boolean(), texts: z.number() }).loose();
  return {
    page,
    index,
    companion,
    kept,
    isDue: () => files.isDue(state),
    changed: () => files.changed(),
    write: (how: Parameters<PageFiles["write"]>[1] = {}) => files.write(state, how),
    told: () =>
      update.parse(JSON.parse(/^liveUpdate\((.*)\)\n$/s.exec(readFileSync(companion, "utf8"))?.[1] ?? "")),
  };
}

describe("a page is written", () => {
  const firstDue = async (tasks: number, isChanged: boolean, isRunning = true) => {
    using inside = new Inside();
    using clock = new HandClock();
    const batch = inside.batch(inside.context(), { tasks });
    if (isRunning) batch.start(1);
    const { isDue, write, changed } = pageOf(inside, batch);
    expect(isDue()).toBe(true);
    await write();
    const wroteAt = clock.now;
    if (isChanged) changed();
    while (!isDue()) clock.now += 100;
    return clock.now - wroteAt;
  };

  test("at once, twice a second while something changes, and every three seconds while nothing does", async () => {
    expect([await firstDue(1, true), await firstDue(1, false)]).toEqual([500, 3_000]);
  });

  test("every ten seconds while no session runs, as during a limit", async () => {
    expect([await firstDue(1, true, false), await firstDue(1, false, false)]).toEqual([500, 10_000]);
  });

  test("whole at the first try that succeeds", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).start(1);
    const { page, write } = pageOf(inside, batch);
    rmSync(inside.output, { recursive: true });
    await expect(write()).rejects.toThrow("ENOENT");
    mkdirSync(inside.output);
    await write();
    expect(existsSync(page)).toBe(true);
  });

  test("less often for thousands of tasks, for it is large", async () => {
    expect([await firstDue(4_000, true), await firstDue(4_000, false)]).toEqual([1_000, 3_000]);
  });
});

describe("of the files of a page", () => {
  test("the companion is written every time, and the page with every fourth", async () => {
    using inside = new Inside();
    const { page, index, companion, write } = pageOf(inside, inside.batch(inside.context()));
    const written: boolean[][] = [];
    for (let count = 0; count < 6; count++) {
      await write();
      written.push([companion, page, index].map((path) => existsSync(path)));
      for (const path of [companion, page, index]) rmSync(path, { force: true });
    }
    const [all, one] = [
      [true, true, true],
      [true, false, false],
    ];
    expect(written).toEqual([all, one, one, one, all, one]);
  });

  test("the page is written when all is asked for, and for the last time", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    const { page, write, told } = pageOf(inside, batch);
    await write();
    for (const how of [{ whole: true }, { ended: "finished" }] as const) {
      rmSync(page);
      await write(how);
      expect(existsSync(page)).toBe(true);
    }
    expect(told()).toMatchObject({ running: false, texts: 7 });
  });

  test("an index of somebody else's is kept, and one of ours follows", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { batch: { name: "The first" } });
    const { index, kept, write } = pageOf(inside, batch);
    await write();
    expect(readFileSync(index, "utf8")).toContain("The first");
    rmSync(index);
    await write({ whole: true });
    expect([existsSync(index), kept]).toEqual([true, []]);
    writeFileSync(index, "<title>Mine</title>");
    await write({ whole: true });
    expect(readFileSync(index, "utf8")).toBe("<title>Mine</title>");
    expect(kept).toEqual([index]);
  });
});

test("a page shows what its sessions do, and links to the files of its tasks", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "one").start(2);
  const { page, write } = pageOf(inside, batch);
  await write();
  const html = readFileSync(page, "utf8");
  expect(html).toContain('href="result-of-1.html"');
  expect(html).toContain("Bash: make");
});

test("a page shows what holds its batch, and nothing of the kind once that has ended", async () => {
  using inside = new Inside();
  const { store } = inside.context();
  const held = inside.batch(inside.context());
  const other = inside.batch(inside.context());
  store.setHeld(held.log.batchId, { because: "Waits for a login.", until: Date.now() + 60_000 });
  const page = pageOf(inside, held);
  await page.write();
  expect(page.told().held).toContain("Waits for a login.");
  // What the row still says is not so any more.
  await page.write({ ended: "finished" });
  expect(page.told().held).toBe("");
  const neighbour = pageOf(inside, other);
  await neighbour.write();
  expect(neighbour.told().held).toBe("");
});

test("a page links to the other batches of its directory, each as it stands", async () => {
  using inside = new Inside();
  const context = inside.context();
  inside
    .batch(context, { batch: { name: "Ended" } })
    .end(1, failed)
    .finish();
  inside.batch(context, { batch: { name: "Elsewhere", outputDirectory: inside.file("elsewhere") } });
  const own = inside.batch(context, { batch: { name: "Own" } });
  const { page, write } = pageOf(inside, own);
  await write();
  const [, others = ""] = readFileSync(page, "utf8").split('<nav aria-labelledby="others">');
  const items = others.slice(0, others.indexOf("</nav>"));
  expect(items.match(/<li>/g)).toHaveLength(1);
  expect(items).toContain("Ended");
  expect(items).toContain("1 of 1 task done");
});
