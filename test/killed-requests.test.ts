// Commands that are killed while they run a batch, or ask for more of one that has ended, and runners that are killed over that.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { eventually, filesIn, Home, run, useProgram } from "./harness.ts";
import { killedProgram } from "./kills/compile.ts";
import { Gate } from "./kills/gate.ts";
import { type Kill, killsText } from "./kills/kill.ts";
import { newestRow } from "./running.ts";

setDefaultTimeout(180_000);

/** A home whose programs kill themselves where `kills` says. */
function homeOfKilled() {
  const home = new Home();
  const program = useProgram(killedProgram());
  const marks = home.file("marks");
  mkdirSync(marks);
  return {
    home,
    kills: (...kills: Kill[]) => home.set({ KILLS: killsText(kills), KILL_MARKS: marks }),
    killed: () => filesIn(marks),
    [Symbol.asyncDispose]: async () => {
      program[Symbol.dispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** What the sessions were asked, one after another, and with which model. */
function promptsIn(home: Home): { prompt: string; model: string | undefined }[] {
  const lines = readFileSync(home.startsLog, "utf8").split("\n").slice(0, -1);
  const notes: { kind: string; pid: number; prompt?: string; argv?: string[] }[] = lines.map((line) =>
    JSON.parse(line),
  );
  return notes.flatMap(({ kind, pid, prompt = "" }) => {
    const start = notes.findLast((one) => one.kind === "start" && one.pid === pid);
    const model = start?.argv?.find((word) => word.startsWith("--model="));
    return kind === "prompt" ? [{ prompt, model }] : [];
  });
}

/** As if the batch had ended an hour ago: nobody resumes one that was lost then. */
function longAgo(home: Home): void {
  using store = home.store();
  store.database.run("UPDATE batches SET alive_at = alive_at - 3600000");
}

/** As if twenty seconds had gone, in which nobody came who was just being started. */
function later(home: Home): void {
  using store = home.store();
  store.database.run(
    "UPDATE batches SET alive_at = alive_at - 20000 WHERE runner IS NULL AND keeper IS NULL",
  );
}

test("a retry with other options is asked once and paid once, whoever is killed over it", async () => {
  await using killed = homeOfKilled();
  const { home, kills } = killed;
  const tasks = [
    { key: "good", task: "[[cost usd=0.5]][[answer text=good]]" },
    {
      key: "bad",
      task: `[[cost usd=0.5]][[refused status=400 once=${home.file("refused")}]][[answer text=mended]]`,
    },
    { key: "then", after: ["bad"], task: '[[cost usd=0.5]][[recite path="{{results.bad}}"]]' },
  ];
  await Bun.write(home.file("tasks.json"), JSON.stringify(tasks));
  expect((await run(home, ["run", "-f", home.file("tasks.json")])).code).toBe(1);
  const costUsd = newestRow(home)?.costUsd ?? 0;
  await home.empty();
  longAgo(home);

  kills({ at: "before retry-requested" });
  const retry = ["retry", "latest", "--model", "opus", "--append-prompt", "Again."];
  expect((await run(home, retry)).code).not.toBe(0);
  expect(newestRow(home)?.endedAt).toBeNumber();
  kills(
    { at: "after retry-requested" },
    { at: "after runner 2" },
    { at: "before attempt-started 2", keeper: true },
    { at: "after attempt-started 2", keeper: true },
    { at: "before attempt-ended 2", keeper: true },
    { at: "after attempt-ended 2", keeper: true },
    { at: "before attempt-ended 3", keeper: true },
    { at: "before batch-ended", keeper: true },
  );
  expect((await run(home, retry)).code).not.toBe(0);
  later(home);
  // Whichever call comes next.
  await run(home, ["list"]);
  while (newestRow(home)?.endedAt === undefined) await run(home, ["wait", "latest"]);
  expect(killed.killed()).toHaveLength(9);
  await home.empty();
  const [, , ...again] = promptsIn(home);
  expect(again.map(({ prompt, model }) => [prompt.endsWith("Again."), model])).toEqual([
    [true, "--model=opus"],
    [true, "--model=opus"],
  ]);
  expect(newestRow(home)).toMatchObject({ counts: { succeeded: 3 }, costUsd: costUsd + 1 });
  expect((await run(home, ["results", "latest", "then"])).out).toContain("mended");
});

test("a retry that was planned while the batch still ran, and comes after its end, runs all the same", async () => {
  await using killed = homeOfKilled();
  const { home } = killed;
  const mended = home.file("mended");
  const open = home.file("open");
  const tasks = [
    `[[refused status=400 once=${mended}]][[answer text=mended]]`,
    `[[wait-for-file path=${open}]][[answer text=good]]`,
  ];
  await run(home, ["run", "--detach", "--retries", "0", ...tasks]);
  await eventually(
    () => newestRow(home)?.counts.failed === 1,
    () => "nothing has failed yet",
  );
  using gate = new Gate(home.file("gate"));
  gate.met = async () => {
    await Bun.write(open, "");
    await eventually(
      () => newestRow(home)?.endedAt !== undefined,
      () => "the batch has not ended",
    );
    // Its processes are gone, too: nobody is left who could hear of the retry.
    const others = () => home.processes().filter(({ command }) => /__(?:runner|keeper)/.test(command));
    await eventually(
      () => others().length === 0,
      () => `still there: ${JSON.stringify(others())}`,
    );
  };
  home.set({ COMMAND_GATE: gate.path });
  expect((await run(home, ["retry", "latest"])).out).toContain("1 task is run again.");
  // Without another command, which would resume what has no processes.
  await eventually(
    () => newestRow(home)?.counts.succeeded === 2,
    () => "nobody runs it",
  );
  await gate.passed();
});

test("a summary that is asked for later is written once, whoever is killed over it", async () => {
  await using killed = homeOfKilled();
  const { home, kills } = killed;
  expect((await run(home, ["run", "[[cost usd=0.5]][[answer text=one]]", "[[answer text=two]]"])).code).toBe(
    0,
  );
  await home.empty();
  longAgo(home);
  kills({ at: "before summary-requested" });
  const summarize = ["summarize", "latest", "[[cost usd=0.5]][[recite]]"];
  expect((await run(home, summarize)).code).not.toBe(0);
  expect(newestRow(home)?.endedAt).toBeNumber();
  kills(
    { at: "after summary-requested" },
    { at: "after tasks-added" },
    { at: "after attempt-ended 3", keeper: true },
  );
  expect((await run(home, summarize)).code).not.toBe(0);
  later(home);
  await run(home, ["list"]);
  while (newestRow(home)?.endedAt === undefined) await run(home, ["wait", "latest"]);
  expect(killed.killed()).toHaveLength(4);
  expect(promptsIn(home)).toHaveLength(3);
  expect((await run(home, ["results", "latest"])).out).toStartWith("Summary\none\ntwo\n");
});

test("a run in the foreground that is killed again and again ends each time, and a retry pays only for what is missing", async () => {
  await using killed = homeOfKilled();
  const { home, kills } = killed;
  const question = `[[only]][[cost usd=0.25]][[structured value='{"verdict":"yes","reason":"Fine."}']]`;
  kills({ at: "after attempt-ended 1" });
  const tasks = ["[[cost usd=0.5]][[answer text=one]]", "[[cost usd=0.5]][[answer text=two]]"];
  const options = ["--concurrency", "1", "--expect-question", question];
  const summarize = ["--summarize", "[[cost usd=0.125]][[recite]]"];
  expect((await run(home, ["run", ...tasks, ...options, ...summarize])).code).not.toBe(0);
  await home.empty();
  expect(newestRow(home)).toMatchObject({ cancelledBy: "leash", counts: { succeeded: 1, cancelled: 1 } });

  // Of a retry, nobody waits: it goes on.
  kills({ at: "after attempt-ended 2" }, { at: "before attempt-ended 3", keeper: true });
  expect((await run(home, ["retry", "latest"])).code).toBe(0);
  while (newestRow(home)?.endedAt === undefined) await run(home, ["wait", "latest"]);
  expect(killed.killed()).toHaveLength(3);
  await home.empty();
  const kinds = promptsIn(home).map(({ prompt }) =>
    prompt.includes("[[only]]") ? "question" : prompt.includes("[[recite]]") ? "summary" : "task",
  );
  expect(kinds).toEqual(["task", "question", "task", "question", "summary"]);
  expect(newestRow(home)).toMatchObject({ counts: { succeeded: 3 }, costUsd: 2 * 0.75 + 0.125 });
  expect((await run(home, ["results", "latest"])).out).toStartWith("Summary\none\ntwo\n");
});
