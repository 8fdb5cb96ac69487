// The files of a batch: which are written, and which are never touched.

import { describe, expect, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LineFile } from "../../src/engine/output/line-file.ts";
import { OutputFiles } from "../../src/engine/output/output-files.ts";
import { findResultFile } from "../../src/engine/output/result-file.ts";
import type { EventBody } from "../../src/model/event.ts";
import * as wholeFiles from "../../src/platform/whole-files.ts";
import { failed, Inside, type TestBatch } from "../inside.ts";
import { HandClock } from "./hand-clock.ts";

/** The files of a batch, as a runner writes them, and what they report. */
function filesOf(inside: Inside, { log }: TestBatch, { isUnseen = false } = {}) {
  const reported: EventBody[] = [];
  const files = new OutputFiles(inside.context().store, log, new Map(), {
    report: (body) => {
      reported.push(body);
      log.append(() => [body]);
    },
    failed: (error) => {
      throw error;
    },
    isUnseen,
  });
  return { files, reported };
}

test("where nobody looks at them, no files are written, and the batch may end all the same", async () => {
  using inside = new Inside();
  const { files } = filesOf(inside, inside.batch(inside.context()).answer(1, "yes"), { isUnseen: true });
  await files.open();
  await files.writeTask(1);
  await files.beat();
  await files.end();
  expect(files.areCurrent).toBe(true);
  expect(existsSync(inside.output)).toBe(false);
});

const names = (directory: string) => readdirSync(directory).sort();
const linesIn = (path: string): { taskIndex: number; [field: string]: unknown }[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

function endOf({ log: { state } }: TestBatch, number: number): number {
  const task = state.tasks[number - 1];
  return task?.status === "done" ? task.endedAt : 0;
}

/** What systems say of a name that is too long: Windows finds nothing there. */
const tooLong = /ENAMETOOLONG|ENOENT/;

describe("a batch that runs", () => {
  test("has pages, and a file and a line for each task that has ended", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const batch = inside.batch(inside.context(), { tasks: 4 });
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    const pages = ["index.html", `report-${batch.id}.html`, `report-${batch.id}.js`];
    expect(names(inside.output)).toEqual(expect.arrayContaining(pages));
    batch.answer(1, "The <b>answer</b>");
    await files.writeTask(1, { text: "The <b>answer</b>" });
    batch.end(2, failed);
    await files.writeTask(2, { lastText: "Nearly there" });
    // It still runs, and has nothing to tell.
    batch.start(3);
    await files.writeTask(3);
    clock.now += 250;
    await files.beat();
    const result = `result-001-${endOf(batch, 1)}.html`;
    const error = `error-002-${endOf(batch, 2)}.txt`;
    expect(names(inside.output)).toEqual(expect.arrayContaining([result, error]));
    expect(names(inside.output).filter((name) => /-00[34]-/.test(name))).toEqual([]);
    const text = readFileSync(join(inside.output, `${error}`), "utf8");
    expect(text).toContain("Reached its turn limit");
    expect(text).toContain("Nearly there");
    expect(readFileSync(join(inside.output, `${result}`), "utf8")).toContain("answer");
    expect(linesIn(join(inside.output, `results-${batch.id}.jsonl`))).toMatchObject([
      {
        taskIndex: 1,
        status: "success",
        result: "The <b>answer</b>",
        resultFile: join(inside.output, `${result}`),
      },
      { taskIndex: 2, status: "error", resultFile: join(inside.output, `${error}`) },
    ]);
    // A second time, nothing comes twice.
    const before = names(inside.output);
    await files.writeTask(1);
    expect(names(inside.output)).toEqual(before);
    expect(linesIn(join(inside.output, `results-${batch.id}.jsonl`))).toHaveLength(2);
    expect(reported).toEqual([]);
    expect(await findResultFile(batch.log.state, doneTask(batch, 1))).toEqual({
      path: join(inside.output, `${result}`),
      there: true,
    });
  });

  test("adds lines of tasks that end within a quarter of a second together, and the rest at its end", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const batch = inside.batch(inside.context(), { tasks: 4 });
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    const lines = () =>
      linesIn(join(inside.output, `results-${batch.id}.jsonl`)).map(({ taskIndex }) => taskIndex);
    const texts = () => readFileSync(join(inside.output, `report-${batch.id}-texts.js`), "utf8");
    const write = async (task: number) => {
      batch.answer(task, `answer ${task}`);
      await files.writeTask(task);
    };
    await write(1);
    expect(lines()).toEqual([1]);
    await write(2);
    clock.now += 249;
    await write(3);
    await files.beat();
    expect(lines()).toEqual([1]);
    clock.now += 1;
    await files.beat();
    expect(lines()).toEqual([1, 2, 3]);
    expect(texts()).toContain("answer 3");
    await write(4);
    expect(lines()).toEqual([1, 2, 3]);
    await files.end();
    expect(lines()).toEqual([1, 2, 3, 4]);
    expect(texts()).toContain("answer 4");
    expect(reported).toEqual([]);
  });

  test("at its end has the last page and a summary of all", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 3 }).answer(1, "one");
    const { files } = filesOf(inside, batch);
    await files.open();
    batch.end(2, failed).append({ type: "cancel-requested", by: "user" });
    await files.end();
    const summary = JSON.parse(readFileSync(join(inside.output, `summary-${batch.id}.json`), "utf8"));
    expect(summary).toMatchObject({
      batchId: batch.id,
      state: "cancelled",
      counts: { succeeded: 1, failed: 1, cancelled: 1 },
      results: [
        {
          taskIndex: 1,
          result: "one",
          resultFile: join(inside.output, `result-001-${endOf(batch, 1)}.html`),
        },
        { taskIndex: 2, resultFile: join(inside.output, `error-002-${endOf(batch, 2)}.txt`) },
        { taskIndex: 3, outcome: "cancelled: user" },
      ],
      pending: [],
    });
    // A task that never began has a line, and no file of its own.
    expect(summary.results[2]).not.toHaveProperty("resultFile");
    expect(
      linesIn(`${inside.output}/results-${batch.id}.jsonl`)
        .map(({ taskIndex }) => taskIndex)
        .sort(),
    ).toEqual([1, 2, 3]);
    expect(names(inside.output).filter((name) => name.includes("-003-"))).toEqual([]);
  });

  test("has a file of a task that could not be started", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    const { files } = filesOf(inside, batch);
    await files.open();
    batch.append({
      type: "attempt-ended",
      task: 1,
      attempt: 0,
      outcome: { kind: "not-started", message: "The directory is gone" },
    });
    await files.writeTask(1);
    const text = readFileSync(`${inside.output}/error-001-${endOf(batch, 1)}.txt`, "utf8");
    expect(text).toContain("The directory is gone");
  });
});

describe("a runner that takes a batch over", () => {
  test("writes what is missing, and keeps what is there", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 3 }).answer(1, "one").answer(2, "two");
    const first = filesOf(inside, batch).files;
    await first.open();
    const one = `${inside.output}/result-001-${endOf(batch, 1)}.html`;
    rmSync(`${inside.output}/result-002-${endOf(batch, 2)}.html`);
    const page = readFileSync(one, "utf8");
    const jsonl = join(inside.output, `results-${batch.id}.jsonl`);
    const [line = ""] = readFileSync(jsonl, "utf8").split("\n");
    // Torn apart, of a task that has not ended, and twice.
    writeFileSync(jsonl, `${line}\n${line}\n{"taskIndex":3}\n{"taskIndex":2,"res`);
    await filesOf(inside, batch).files.open();
    expect(linesIn(jsonl).map(({ taskIndex }) => taskIndex)).toEqual([1, 2]);
    expect(readFileSync(one, "utf8")).toBe(page);
    expect(existsSync(`${inside.output}/result-002-${endOf(batch, 2)}.html`)).toBe(true);
  });

  test("takes no file of somebody else's, and no page of theirs", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "one");
    inside.write("output/index.html", "mine");
    inside.write(`output/result-001-${endOf(batch, 1)}.html`, "mine");
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    expect(readFileSync(`${inside.output}/index.html`, "utf8")).toBe("mine");
    expect(readFileSync(`${inside.output}/result-001-${endOf(batch, 1)}.html`, "utf8")).toBe("mine");
    expect(existsSync(`${inside.output}/result-001-${endOf(batch, 1) + 1}.html`)).toBe(true);
    expect(reported).toMatchObject([{ type: "file-failed", path: join(inside.output, "index.html") }]);
    // It is reported once.
    await files.end();
    expect(reported).toHaveLength(1);
  });
});

describe("a task that is run again", () => {
  test("loses its line at once, and its earlier files when new ones come", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).end(1, failed).answer(2, "two");
    const { files } = filesOf(inside, batch);
    await files.open();
    const jsonl = `${inside.output}/results-${batch.id}.jsonl`;
    const error = `${inside.output}/error-001-${endOf(batch, 1)}.txt`;
    batch.append({ type: "retry-requested", tasks: [1] });
    await files.forget([1]);
    expect(linesIn(jsonl).map(({ taskIndex }) => taskIndex)).toEqual([2]);
    expect(existsSync(error)).toBe(true);
    batch.answer(1, "at last");
    await files.writeTask(1);
    expect(existsSync(error)).toBe(false);
    expect(linesIn(jsonl).map(({ taskIndex }) => taskIndex)).toEqual([2, 1]);
    expect(existsSync(`${inside.output}/result-001-${endOf(batch, 1)}.html`)).toBe(true);
  });

  test("keeps its earlier answer where it fails", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "once");
    const { files } = filesOf(inside, batch);
    await files.open();
    const result = `${inside.output}/result-001-${endOf(batch, 1)}.html`;
    batch.append({ type: "retry-requested", tasks: [], succeeded: [1] });
    await files.forget([1]);
    batch.end(1, failed);
    await files.writeTask(1);
    expect(existsSync(result)).toBe(true);
    expect(existsSync(`${inside.output}/error-001-${endOf(batch, 1)}.txt`)).toBe(true);
  });
});

test("a result that could not be written is not taken for the file of the attempt before", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context()).end(1, failed);
  const { files } = filesOf(inside, batch);
  await files.open();
  batch.append({ type: "retry-requested", tasks: [1] });
  await files.forget([1]);
  batch.answer(1, "new");
  const result = join(inside.output, `result-001-${endOf(batch, 1)}.html`);
  {
    using _disk = spyOn(wholeFiles, "placeNewFile").mockImplementationOnce(() =>
      Promise.reject(Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" })),
    );
    await files.writeTask(1);
  }
  expect(existsSync(result)).toBe(false);
  batch.finish();
  await files.end();
  expect(readFileSync(result, "utf8")).toContain("new");
  expect(linesIn(join(inside.output, `results-${batch.id}.jsonl`))).toMatchObject([{ resultFile: result }]);
});

describe("a task whose file could not be written for some time", () => {
  const refused = () => Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  const noFile = () => spyOn(wholeFiles, "placeNewFile").mockImplementation(() => Promise.reject(refused()));

  test("has one line all the time, which names the file as soon as it is there", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const batch = inside.batch(inside.context(), { tasks: 3 }).answer(1, "one");
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    const jsonl = join(inside.output, `results-${batch.id}.jsonl`);
    const result = join(inside.output, `result-002-${endOf(batch.answer(2, "two"), 2)}.html`);
    {
      using _disk = noFile();
      await files.writeTask(2);
      for (let count = 0; count < 2; count++) {
        clock.now += 3_000;
        await files.beat();
      }
    }
    expect(linesIn(jsonl)).toMatchObject([{ taskIndex: 1 }, { taskIndex: 2, result: "two" }]);
    expect(linesIn(jsonl)[1]).not.toHaveProperty("resultFile");
    clock.now += 3_000;
    await files.beat();
    expect(readFileSync(result, "utf8")).toContain("two");
    expect(linesIn(jsonl)).toMatchObject([{ taskIndex: 1 }, { taskIndex: 2, resultFile: result }]);
    expect(reported).toEqual([]);
    // Nothing is owed any more.
    const before = readFileSync(jsonl, "utf8");
    clock.now += 3_000;
    await files.beat();
    expect(readFileSync(jsonl, "utf8")).toBe(before);
  });

  test("keeps being owed the name until the lines can be written again", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "one");
    const { files } = filesOf(inside, batch);
    {
      using _disk = noFile();
      await files.open();
    }
    const jsonl = join(inside.output, `results-${batch.id}.jsonl`);
    expect(linesIn(jsonl)).toHaveLength(1);
    {
      using _lines = spyOn(LineFile.prototype, "append").mockImplementation(() => Promise.reject(refused()));
      clock.now += 3_000;
      await files.beat();
    }
    clock.now += 3_000;
    await files.beat();
    expect(linesIn(jsonl)).toMatchObject([
      { taskIndex: 1, resultFile: join(inside.output, `result-001-${endOf(batch, 1)}.html`) },
    ]);
  });

  test("gets its name from the next runner, if the batch had ended by then", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "one").end(2, failed);
    {
      using _disk = noFile();
      const { files } = filesOf(inside, batch);
      await files.open();
      await files.end();
    }
    const jsonl = join(inside.output, `results-${batch.id}.jsonl`);
    expect(linesIn(jsonl).filter((line) => "resultFile" in line)).toEqual([]);
    await filesOf(inside, batch).files.open();
    expect(linesIn(jsonl)).toMatchObject([
      { taskIndex: 1, resultFile: join(inside.output, `result-001-${endOf(batch, 1)}.html`) },
      { taskIndex: 2, resultFile: join(inside.output, `error-002-${endOf(batch, 2)}.txt`) },
    ]);
  });
});

describe("where the disk is slow", () => {
  test("the newest answer of a task is shown, though an earlier one waited to be written", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context());
    const { files } = filesOf(inside, batch);
    await files.open();
    batch.answer(1, "the newest answer");
    const earlier = files.writeTask(1, { text: "the earlier answer" });
    batch.append({ type: "retry-requested", tasks: [], succeeded: [1] });
    const forgotten = files.forget([1]);
    batch.answer(1, "the newest answer");
    const newest = files.writeTask(1, { text: "the newest answer" });
    await Promise.all([earlier, forgotten, newest]);
    await files.end();
    expect(linesIn(join(inside.output, `results-${batch.id}.jsonl`))).toMatchObject([
      { taskIndex: 1, result: "the newest answer" },
    ]);
    const page = readFileSync(`${inside.output}/result-001-${endOf(batch, 1)}.html`, "utf8");
    expect(page).toContain("the newest answer");
    expect(page).not.toContain("the earlier answer");
  });

  test("an answer that waits while its task is queued again is written nowhere", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "once");
    const { files } = filesOf(inside, batch);
    const opened = files.open();
    const earlier = files.writeTask(1, { text: "once" });
    batch.append({ type: "retry-requested", tasks: [], succeeded: [1] });
    await Promise.all([opened, earlier, files.forget([1])]);
    expect(existsSync(`${inside.output}/results-${batch.id}.jsonl`)).toBe(false);
    expect(names(inside.output).filter((name) => name.startsWith("result-"))).toEqual([]);
  });

  test("a line of before a retry is no line of the task, also where another runner left it", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "earlier").end(2, failed);
    const { files } = filesOf(inside, batch);
    await files.open();
    files.stop();
    const jsonl = join(inside.output, `results-${batch.id}.jsonl`);
    const kept = linesIn(jsonl)[1];
    batch.append({ type: "retry-requested", tasks: [], succeeded: [1] }).answer(1, "newest");
    await filesOf(inside, batch).files.open();
    expect(linesIn(jsonl)).toMatchObject([kept ?? {}, { taskIndex: 1, result: "newest", attempts: 2 }]);
    batch.append(
      { type: "retry-requested", tasks: [2] },
      { type: "cancel-requested", by: "user", tasks: [2] },
    );
    await filesOf(inside, batch).files.open();
    expect(linesIn(jsonl)).toMatchObject([
      { taskIndex: 1, result: "newest" },
      { taskIndex: 2, outcome: "cancelled: user" },
    ]);
  });

  test("the last files are the last ones only while nothing has come after them", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "one");
    const { files } = filesOf(inside, batch);
    await files.open();
    expect(files.areCurrent).toBe(false);
    const ended = files.end();
    await ended;
    expect(files.areCurrent).toBe(true);
    batch.append({ type: "retry-requested", tasks: [], succeeded: [1] });
    batch.answer(1, "another");
    expect(files.areCurrent).toBe(false);
    await files.forget([1]);
    await files.end();
    expect(files.areCurrent).toBe(true);
    expect(JSON.parse(readFileSync(join(inside.output, `summary-${batch.id}.json`), "utf8"))).toMatchObject({
      results: [{ result: "another" }],
    });
  });

  test("they are not the last ones where a task was queued again, and cancelled, before their turn came", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "one");
    const { files } = filesOf(inside, batch);
    await files.open();
    const ended = files.end();
    batch.append({ type: "retry-requested", tasks: [], succeeded: [1] });
    void files.forget([1]);
    batch.append({ type: "cancel-requested", by: "user", tasks: [1] });
    await ended;
    expect(files.areCurrent).toBe(false);
    await files.end();
    expect(files.areCurrent).toBe(true);
    expect(linesIn(join(inside.output, `results-${batch.id}.jsonl`))).toMatchObject([
      { taskIndex: 1, outcome: "cancelled: user" },
    ]);
  });

  test("they go into the directory that was given before their turn came", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "one");
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    const ended = files.end();
    const later = inside.file("later");
    batch.append({ type: "leash-released", outputDirectory: later });
    void files.changed();
    await ended;
    expect(reported).toEqual([]);
    expect(files.areCurrent).toBe(true);
    for (const name of [`summary-${batch.id}.json`, `results-${batch.id}.jsonl`, `report-${batch.id}.html`])
      expect(names(later)).toContain(name);
  });
});

describe("a directory", () => {
  test("that is given later gets everything", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "one");
    const { files } = filesOf(inside, batch);
    // Not before it has begun.
    await files.changed();
    expect(existsSync(inside.output)).toBe(false);
    await files.open();
    const moved = inside.file("moved");
    batch.append({ type: "leash-released", outputDirectory: moved });
    await files.changed();
    expect(names(moved)).toEqual(expect.arrayContaining(["index.html", `results-${batch.id}.jsonl`]));
    expect(names(moved).some((name) => name.startsWith("result-001-"))).toBe(true);
  });

  test("that is given between two files gets everything, and none of them counts as not written", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "one");
    const { files, reported } = filesOf(inside, batch);
    const moved = inside.file("moved");
    const { append } = LineFile.prototype;
    using _line = spyOn(LineFile.prototype, "append").mockImplementationOnce(function (
      this: LineFile,
      entries,
    ) {
      batch.append({ type: "leash-released", outputDirectory: moved });
      return append.call(this, entries);
    });
    await files.open();
    expect(existsSync(moved)).toBe(false);
    await files.changed();
    expect(reported).toEqual([]);
    // The index of the former one is of batches that are there.
    expect(names(moved)).toEqual(["index.html", ...names(inside.output)]);
    expect(names(moved).some((name) => name.startsWith("result-001-"))).toBe(true);
  });

  test("that was removed is made again, with all that belongs there", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "one");
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    rmSync(inside.output, { recursive: true });
    batch.answer(2, "two");
    await files.writeTask(2);
    await files.beat();
    expect(names(inside.output).filter((name) => name.startsWith("result-"))).toHaveLength(2);
    expect(
      linesIn(join(inside.output, `results-${batch.id}.jsonl`))
        .map(({ taskIndex }) => taskIndex)
        .sort(),
    ).toEqual([1, 2]);
    expect(reported).toEqual([]);
  });

  test("that cannot be made is reported, once a path, and fails nothing", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "one");
    writeFileSync(inside.output, "");
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    await files.end();
    const paths = reported.map((event) => (event.type === "file-failed" ? event.path : ""));
    expect(paths).toContain(inside.output);
    expect(paths.length).toBe(new Set(paths).size);
  });
});

describe("the lines of a batch", () => {
  test("are kept for tasks that have ended, whole and once", async () => {
    using inside = new Inside();
    const path = inside.write(
      "lines.jsonl",
      '{"taskIndex":1}\n{"taskIndex":2}\n{"taskIndex":1,"x":2}\nno line\n{"taskIndex":3}',
    );
    const lines = new LineFile(path, "tag");
    await lines.keepOnly(new Set([1, 3, 4]));
    expect(readFileSync(path, "utf8")).toBe('{"taskIndex":1,"x":2}\n{"taskIndex":3}\n');
    expect([1, 2, 3, 4].map((task) => lines.has(task))).toEqual([true, false, true, false]);
    await lines.append([{ taskIndex: 4, text: "a\u2028b" }]);
    expect(lines.has(4)).toBe(true);
    await lines.drop([1, 9]);
    expect(linesIn(path).map(({ taskIndex }) => taskIndex)).toEqual([3, 4]);
    expect([1, 3, 4].map((task) => lines.has(task))).toEqual([false, true, true]);
  });

  test("that end without a line feed get one", async () => {
    using inside = new Inside();
    const path = inside.write("lines.jsonl", '{"taskIndex":1}');
    const lines = new LineFile(path, "tag");
    await lines.keepOnly(new Set([1]));
    await lines.append([{ taskIndex: 2 }]);
    expect(readFileSync(path, "utf8")).toBe('{"taskIndex":1}\n{"taskIndex":2}\n');
  });

  test("that could not be dropped are followed by newer ones, of which the last counts", async () => {
    using inside = new Inside();
    // A name so long that nothing can be written beside it: no file can be replaced, though it can be appended to.
    const path = inside.write("x".repeat(250), "");
    const lines = new LineFile(path, "tag");
    await lines.append([{ taskIndex: 1, x: 1 }, { taskIndex: 2 }]);
    await expect(lines.drop([1])).rejects.toThrow(tooLong);
    expect([1, 2].map((task) => lines.has(task))).toEqual([false, true]);
    await lines.append([{ taskIndex: 1, x: 2 }]);
    const copy = inside.write("copy.jsonl", readFileSync(path, "utf8"));
    await new LineFile(copy, "tag").keepOnly(new Set([1, 2]));
    expect(linesIn(copy)).toEqual([{ taskIndex: 2 }, { taskIndex: 1, x: 2 }]);
  });

  test("that could not be dropped are nobody's until a newer one is there", async () => {
    using inside = new Inside();
    // As above: it can be appended to, and not be replaced.
    const path = inside.write("x".repeat(250), "");
    const lines = new LineFile(path, "tag");
    await lines.append([{ taskIndex: 1, x: 1 }, { taskIndex: 2 }]);
    await expect(lines.drop([1])).rejects.toThrow(tooLong);
    await expect(lines.keepOnly(new Set([1, 2]))).rejects.toThrow(tooLong);
    expect([1, 2].map((task) => lines.has(task))).toEqual([false, true]);
    await lines.append([{ taskIndex: 1, x: 2 }]);
    await expect(lines.keepOnly(new Set([1, 2]))).rejects.toThrow(tooLong);
    expect([1, 2].map((task) => lines.has(task))).toEqual([true, true]);
  });

  test("of a file that is not there are none", async () => {
    using inside = new Inside();
    mkdirSync(inside.output);
    const lines = new LineFile(join(inside.output, "x.jsonl"), "tag");
    await lines.keepOnly(new Set([1]));
    expect(lines.has(1)).toBe(false);
  });
});

test("of two batches in one directory, the newer one has the index", async () => {
  using inside = new Inside();
  const context = inside.context();
  const older = inside.batch(context, { batch: { name: "The older" } });
  const newer = inside.batch(context, { batch: { name: "The newer" } });
  await filesOf(inside, newer).files.open();
  await filesOf(inside, older).files.open();
  const index = readFileSync(`${inside.output}/index.html`, "utf8");
  expect(/<title>[^<]*/.exec(index)?.[0]).toContain("The newer");
  expect(index).toContain(`report-${older.id}.html`);
});

function doneTask({ log: { state } }: TestBatch, number: number) {
  const task = state.tasks[number - 1];
  if (task?.status !== "done") throw new Error("not done");
  return task;
}

test("of hundreds of tasks that are cancelled together, each has its line and its text", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context(), { tasks: 450 });
  const { files, reported } = filesOf(inside, batch);
  await files.open();
  batch.append({ type: "cancel-requested", by: "user" });
  await files.end();
  const numbers = Array.from({ length: 450 }, (_, index) => index + 1);
  const lines = linesIn(join(inside.output, `results-${batch.id}.jsonl`));
  expect(lines.map(({ taskIndex }) => taskIndex)).toEqual(numbers);
  expect(new Set(lines.map(({ outcome }) => outcome))).toEqual(new Set(["cancelled: user"]));
  const texts = readFileSync(join(inside.output, `report-${batch.id}-texts.js`), "utf8");
  for (const number of numbers) expect(texts.split(`(${number},"answer"`)).toHaveLength(2);
  expect(reported).toEqual([]);
});

describe("a disk that is full for a moment", () => {
  const full = () => Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });

  /** A batch of a number of tasks that have answered, whose lines the disk does not take. */
  async function onFullDisk(inside: Inside, tasks: number) {
    const batch = inside.batch(inside.context(), { tasks });
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    let tries = 0;
    const disk = spyOn(LineFile.prototype, "append").mockImplementation(() => {
      tries++;
      return Promise.reject(full());
    });
    const jsonl = join(inside.output, `results-${batch.id}.jsonl`);
    const lines = () => (existsSync(jsonl) ? linesIn(jsonl).map(({ taskIndex }) => taskIndex) : []);
    return { batch, files, reported, lines, tries: () => tries, disk };
  }

  test("gets what is owed three seconds later, and nothing is reported", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const { batch, files, reported, lines, tries, disk } = await onFullDisk(inside, 1);
    using _ = disk;
    batch.answer(1, "one");
    await files.writeTask(1);
    clock.now += 2_999;
    await files.beat();
    expect(tries()).toBe(1);
    clock.now += 1;
    await files.beat();
    expect([tries(), lines()]).toEqual([2, []]);
    disk.mockRestore();
    await files.beat();
    expect(lines()).toEqual([]);
    clock.now += 3_000;
    await files.beat();
    expect([lines(), reported]).toEqual([[1], []]);
    // It is owed no more.
    clock.now += 3_000;
    await files.beat();
    expect(lines()).toEqual([1]);
  });

  test("is reported, once, when that has lasted half a minute", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const { batch, files, reported, disk } = await onFullDisk(inside, 1);
    using _ = disk;
    batch.answer(1, "one");
    await files.writeTask(1);
    clock.now += 29_999;
    await files.beat();
    expect(reported).toEqual([]);
    clock.now += 3_001;
    for (let count = 0; count < 2; count++) {
      await files.beat();
      clock.now += 3_000;
    }
    expect(reported).toEqual([
      {
        type: "file-failed",
        path: join(inside.output, `results-${batch.id}.jsonl`),
        message: "ENOSPC: no space left on device",
      },
    ]);
  });

  test("begins anew where it had room in between", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const { batch, files, reported, lines, disk } = await onFullDisk(inside, 2);
    batch.answer(1, "one").answer(2, "two");
    await files.writeTask(1);
    clock.now += 20_000;
    disk.mockRestore();
    await files.beat();
    expect(lines()).toEqual([1]);
    clock.now += 20_000;
    using _ = spyOn(LineFile.prototype, "append").mockImplementation(() => Promise.reject(full()));
    await files.writeTask(2);
    expect(reported).toEqual([]);
  });

  test("needs no room for the file of a result that is there already", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "one");
    const before = filesOf(inside, batch);
    await before.files.open();
    await before.files.writeTask(1);
    const jsonl = join(inside.output, `results-${batch.id}.jsonl`);
    const known = linesIn(jsonl);
    expect(known).toHaveLength(1);
    // A runner that was killed after it had written the file, and before its line.
    rmSync(jsonl);
    using place = spyOn(wholeFiles, "placeNewFile").mockImplementation(() => Promise.reject(full()));
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    expect(place).toHaveBeenCalledTimes(1);
    expect(linesIn(jsonl)).toEqual(known);
    batch.answer(2, "two");
    await files.writeTask(2);
    expect(place.mock.calls.length).toBeGreaterThan(1);
    expect([linesIn(jsonl), reported]).toEqual([known, []]);
    place.mockRestore();
    await files.end();
    expect(linesIn(jsonl).map(({ taskIndex }) => taskIndex)).toEqual([1, 2]);
  });

  test("is reported at once at the end of the batch", async () => {
    using inside = new Inside();
    const { batch, files, reported, disk } = await onFullDisk(inside, 1);
    using _ = disk;
    batch.answer(1, "one");
    await files.end();
    expect(reported).toHaveLength(1);
  });

  test("is not asked again for each of many tasks, unless the batch ends", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const { batch, files, tries, disk } = await onFullDisk(inside, 30);
    using _ = disk;
    for (let number = 1; number <= 30; number++) batch.answer(number, "x".repeat(70_000));
    for (let number = 1; number <= 30; number++) await files.writeTask(number);
    expect(tries()).toBe(30);
    clock.now += 3_000;
    await files.beat();
    expect(tries()).toBe(31);
    await files.end();
    expect(tries()).toBe(51);
  });

  test("any other fault of a file is reported at once", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context()).answer(1, "one");
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    const path = join(inside.output, `results-${batch.id}.jsonl`);
    rmSync(path);
    mkdirSync(path);
    await files.forget([1]);
    expect(reported).toMatchObject([{ type: "file-failed", path }]);
  });
});

describe("the page of a batch", () => {
  test("is written while it runs, as often as it changes, and no more once it ends", async () => {
    using inside = new Inside();
    using clock = new HandClock();
    const batch = inside.batch(inside.context());
    const { files } = filesOf(inside, batch);
    await files.open();
    const companion = `${inside.output}/report-${batch.id}.js`;
    const isWritten = async () => {
      rmSync(companion, { force: true });
      await files.beat();
      return existsSync(companion);
    };
    clock.now += 500;
    expect(await isWritten()).toBe(false);
    await files.changed();
    expect(await isWritten()).toBe(true);
    batch.answer(1, "one");
    await files.end();
    clock.now += 60_000;
    await files.changed();
    expect(await isWritten()).toBe(false);
    // Asked for again in this moment: it goes on.
    batch.append({ type: "retry-requested", tasks: [], succeeded: [1] });
    await files.forget([1]);
    expect(await isWritten()).toBe(true);
  });

  test("says once of thousands of files why some could not be written", async () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 1 });
    for (let number = 0; number < 20; number++)
      batch.append({ type: "file-failed", path: `/nowhere/${number}`, message: "no" });
    writeFileSync(inside.output, "");
    const { files, reported } = filesOf(inside, batch);
    await files.open();
    expect(reported).toEqual([]);
  });
});

test("the texts of a batch that were removed come back with the next beat, all of them", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "one").answer(2, "two");
  const { files } = filesOf(inside, batch);
  await files.open();
  batch.append({ type: "retry-requested", tasks: [], succeeded: [2] });
  await files.forget([2]);
  const texts = join(inside.output, `report-${batch.id}-texts.js`);
  rmSync(texts);
  batch.answer(2, "two again");
  await files.writeTask(2);
  const written = readFileSync(texts, "utf8");
  expect(written).toContain('"two again"');
  expect(written).not.toContain('"one"');
  await files.beat();
  expect(readFileSync(texts, "utf8")).toContain('"one"');
});

test("an answer that is longer than a page takes is cut, and says where the whole is", async () => {
  using inside = new Inside();
  const long = "x".repeat(1_000_001);
  const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, long).answer(2, "y".repeat(1_000_000));
  const { files } = filesOf(inside, batch);
  await files.open();
  const jsonl = `${inside.output}/results-${batch.id}.jsonl`;
  const results = () => linesIn(jsonl).map(({ result }) => String(result));
  expect(results()[0]).toContain(
    `[These are the first 1000000 of 1000001 characters. The whole is in ${join(inside.output, "result-001-")}`,
  );
  expect(results()[1]).toHaveLength(1_000_000);
  // As it was just heard, too.
  rmSync(jsonl);
  await files.forget([1, 2]);
  await files.writeTask(1, { text: long });
  expect(results()[0]).toContain("These are the first 1000000");
});

test("a transcript that is gone fails no task: its answer is said to be lost, and an error stays one", async () => {
  using inside = new Inside();
  const batch = inside.batch(inside.context(), { tasks: 2 }).answer(1, "one").end(2, failed);
  rmSync(batch.transcript(1));
  const { files, reported } = filesOf(inside, batch);
  await files.open();
  const [first, second] = linesIn(`${inside.output}/results-${batch.id}.jsonl`);
  expect(first?.["result"]).toStartWith(`The transcript ${batch.transcript(1)} cannot be read: ENOENT`);
  expect(first?.["result"]).toContain("[These are the first");
  expect(second?.["error"]).toBe("Reached its turn limit");
  expect(reported).toEqual([]);
});
