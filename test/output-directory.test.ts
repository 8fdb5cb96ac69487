// An output directory that is not ours alone: files of others in it stay, what is planted there is not written through,
// and what goes away or finds no room is written again.
import { expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { facilities, testNeeding } from "./facilities.ts";
import { connectNew, eventually, filesIn, Home, run, type TestClient } from "./harness.ts";
import { startRunning } from "./running.ts";

const spawn = "spawn_parallel_claude_sessions";

/** A batch whose sessions wait for a file. */
async function begun(home: Home, client: TestClient, count = 2) {
  const gate = home.file("gate");
  const tasks = Array.from({ length: count }, () => `[[wait-for-file path=${gate}]]`);
  const batchId = await startRunning(home, client, { tasks }, count);
  await eventually(
    () => existsSync(join(home.output, `report-${batchId}.js`)),
    () => "there is no page",
  );
  return { batchId, go: () => writeFileSync(gate, "") };
}

// Without a line that is still being written, or for whose end there was no room.
function linesIn(home: Home, batchId: string): { taskIndex: number; resultFile: string }[] {
  return readFileSync(join(home.output, `results-${batchId}.jsonl`), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

function makePipe(path: string): void {
  expect(Bun.spawnSync(["mkfifo", path]).success).toBe(true);
}

test("an index.html that is not ours is kept, and run, show and the answer say so", async () => {
  await using home = new Home();
  mkdirSync(home.output);
  const index = join(home.output, "index.html");
  writeFileSync(index, "mine");
  const { code, err, out } = await run(home, ["run", "one", "--output-directory", home.output]);
  expect(code).toBe(0);
  expect(readFileSync(index, "utf8")).toBe("mine");
  const [report = ""] = filesIn(home.output).filter((name) => /^report-.*\.html$/.test(name));
  const said = `index.html: a file that this program did not write has this name, and was kept. The page of the batch is ${report}`;
  expect(out + err).toContain(said);
  expect((await run(home, ["show", "latest"])).out).toContain(said);
  await using client = await connectNew(home);
  const { text } = await client.call("wait_for_batch", { batchId: "latest" });
  expect(text).toContain(said);
});

test("an index.html of ours is written again, also that of an earlier version", async () => {
  await using home = new Home();
  mkdirSync(home.output);
  const index = join(home.output, "index.html");
  writeFileSync(
    index,
    '<!doctype html>\n<html lang="en" data-batch="abcdefgh" data-feed="report-abcdefgh.js" data-running="no">',
  );
  for (const task of ["one", "two"]) {
    const { code, err } = await run(home, ["run", task, "--output-directory", home.output]);
    expect({ code, kept: err.includes("was kept") }).toEqual({ code: 0, kept: false });
    expect(readFileSync(index, "utf8")).toContain(task);
  }
});

const kinds =
  facilities["symbolic links"].isThere() && process.platform !== "win32"
    ? ["link", "pipe", "directory"]
    : ["directory"];

test.each(kinds)("a %s at index.html stays, and the batch ends", async (kind) => {
  await using home = new Home();
  mkdirSync(home.output);
  const [index, victim] = [join(home.output, "index.html"), home.file("victim")];
  writeFileSync(victim, "mine");
  if (kind === "link") symlinkSync(victim, index);
  else if (kind === "pipe") makePipe(index);
  else mkdirSync(index);
  const { code, out, err } = await run(home, ["run", "one", "--output-directory", home.output]);
  expect({ code, victim: readFileSync(victim, "utf8") }).toEqual({ code: 0, victim: "mine" });
  expect(out + err).toContain("was kept");
  expect(lstatSync(index).isFile()).toBe(false);
});

testNeeding("symbolic links")(
  "nothing is written through a link at the name of a half file, or of the lines",
  async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { batchId, go } = await begun(home, client);
    const victim = home.file("victim");
    writeFileSync(victim, "mine");
    for (const name of [
      `report-${batchId}.html`,
      `report-${batchId}.js`,
      `report-${batchId}-texts.js`,
      `summary-${batchId}.json`,
      "index.html",
    ])
      symlinkSync(victim, join(home.output, `${name}.${batchId}.part`));
    const lines = join(home.output, `results-${batchId}.jsonl`);
    symlinkSync(victim, lines);
    go();
    const { data } = await client.call("wait_for_batch", { batchId });
    expect(data).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(String(data?.["message"])).toContain(`${lines}: a symbolic link, pipe, device or directory`);
    expect(filesIn(home.output)).toContain(`summary-${batchId}.json`);
  },
);

testNeeding("a system other than Windows")(
  "a pipe at the name of the lines, or of a result, stops nobody",
  async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const { batchId, go } = await begun(home, client);
    makePipe(join(home.output, `results-${batchId}.jsonl`));
    go();
    const { data } = await client.call("wait_for_batch", { batchId });
    expect(data).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
    expect(filesIn(home.output).filter((name) => name.startsWith("result-"))).toHaveLength(2);
  },
);

test("a directory that is moved away midway is made again, with everything that was in it", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const tasks = ["one", "two", `[[wait-for-file path=${gate}]]`];
  const { data } = await client.call(spawn, { tasks, asyncMode: true });
  const batchId = String(data?.["batchId"]);
  await eventually(
    () => existsSync(join(home.output, `results-${batchId}.jsonl`)) && linesIn(home, batchId).length === 2,
    () => "the first two have no lines",
  );
  renameSync(home.output, `${home.output}.moved`);
  writeFileSync(gate, "");
  const ended = await client.call("wait_for_batch", { batchId });
  expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 3 } });
  const lines = linesIn(home, batchId);
  expect(lines.map(({ taskIndex }) => taskIndex).sort()).toEqual([1, 2, 3]);
  for (const { resultFile } of lines) expect(existsSync(resultFile)).toBe(true);
  const summary = JSON.parse(readFileSync(join(home.output, `summary-${batchId}.json`), "utf8"));
  for (const { resultFile } of summary.results) expect(existsSync(resultFile)).toBe(true);
});

test("a result that is removed midway is written again at the end", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const gate = home.file("gate");
  const { data } = await client.call(spawn, {
    tasks: ["one", `[[wait-for-file path=${gate}]]`],
    asyncMode: true,
  });
  const batchId = String(data?.["batchId"]);
  const first = () => filesIn(home.output).find((name) => name.startsWith("result-001-"));
  await eventually(
    () => existsSync(home.output) && first() !== undefined,
    () => "the first one has no file",
  );
  rmSync(join(home.output, first() ?? ""));
  writeFileSync(gate, "");
  await client.call("wait_for_batch", { batchId });
  expect(first()).toBeDefined();
});

testNeeding("a disk to mount")(
  "results for which there was no room are written as soon as there is, each line whole",
  async () => {
    // All seven run at once, and none has answered.
    await using home = new Home({
      PARALLEL_CLAUDE_CONCURRENCY: "8",
      PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "0",
    });
    mkdirSync(home.output);
    Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", home.output]);
    try {
      await using client = await connectNew(home);
      const [gate, last] = [home.file("gate"), home.file("last")];
      const long = "kept ".repeat(4_000);
      const tasks = Array.from(
        { length: 6 },
        () => `[[wait-for-file path=${gate}]] [[result text="${long}"]]`,
      );
      const { data } = await client.call(spawn, {
        tasks: [...tasks, `[[wait-for-file path=${last}]]`],
        asyncMode: true,
      });
      const batchId = String(data?.["batchId"]);
      using store = home.store();
      const counts = () => store.list()[0]?.counts;
      await eventually(
        () => counts()?.running === 7 && existsSync(join(home.output, "index.html")),
        () => "the sessions do not run",
      );
      const filler = join(home.output, "filler");
      await Bun.spawn(["sh", "-c", `cat /dev/zero > ${filler}`], { stderr: "ignore" }).exited;
      // Room for a part of the lines.
      truncateSync(filler, statSync(filler).size - 40_000);
      writeFileSync(gate, "");
      await eventually(
        () => counts()?.succeeded === 6,
        () => "they do not end",
      );
      const written = () =>
        existsSync(join(home.output, `results-${batchId}.jsonl`)) ? linesIn(home, batchId) : [];
      expect(written().length).toBeLessThan(6);
      rmSync(filler);
      await eventually(
        () => written().length === 6 && written().every(({ resultFile }) => existsSync(resultFile)),
        () => `not all are written: ${filesIn(home.output)}`,
      );
      writeFileSync(last, "");
      const ended = await client.call("wait_for_batch", { batchId });
      expect(ended.data).toMatchObject({ state: "finished", counts: { succeeded: 7 } });
      expect(ended.data?.["message"]).toBe("All 7 tasks succeeded.");
    } finally {
      Bun.spawnSync(["umount", "-l", home.output]);
    }
  },
);

test("the texts that a page searches are written again when they were removed, and know a retry", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const { batchId, go } = await begun(home, client);
  const path = join(home.output, `report-${batchId}-texts.js`);
  expect(readFileSync(path, "utf8")).toContain('taskText(1,"prompt",');
  rmSync(path);
  go();
  await client.call("wait_for_batch", { batchId });
  const parts = () =>
    readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => /^taskText\((\d,"\w+"),/.exec(line)?.[1] ?? line);
  expect(parts().slice(0, 2)).toEqual(['1,"prompt"', '2,"prompt"']);
  expect(parts().slice(2).sort()).toEqual(['1,"answer"', '2,"answer"']);
  const { text } = await client.call("retry_batch", { batchId, tasks: [2], with: { maxTurns: 9 } });
  expect(text).toContain("1 task is run again");
  await client.call("wait_for_batch", { batchId });
  // Written anew by the next runner: the answer of before is the only one until there is another.
  expect(parts().at(-1)).toBe('2,"answer"');
});
