// Closes the laptop: a batch on two machines, whose submitter is stopped and cut off for a while, and then goes on. Run
// `bun test/faults/laptop.ts --tasks 200 --away 300`; prints what came when, and fails if anything ran twice or was lost.
import { parseArgs } from "node:util";
import { asked } from "../fake-notes.ts";
import { eventually, Home, run } from "../harness.ts";
import { OwnSshd } from "../own-sshd.ts";
import { newestRow, untilKept } from "../running.ts";

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "40" },
    /** How long it is closed, in seconds. */
    away: { type: "string", default: "20" },
    /** How many sessions run at once on each machine. */
    slots: { type: "string", default: "8" },
  },
});
const tasks = Number(values.tasks);
const awayMs = Number(values.away) * 1_000;

await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: values.slots });
const boxes = [await OwnSshd.start(home, "box1"), await OwnSshd.start(home, "box2")];
try {
  await closeAndOpen();
} finally {
  for (const box of boxes) await box.cut();
}

async function closeAndOpen(): Promise<void> {
  const file = home.file("tasks.json");
  const works = Array.from({ length: tasks }, (_, index) => {
    // Some end before the others are cut off, and some would go on for longer.
    const sleepMs = 1_000 + ((index * 7919) % 4_000);
    return { task: `[[cost usd=0.25]] [[sleep ms=${sleepMs}]] [[answer text="answer ${index + 1}"]]` };
  });
  await Bun.write(file, JSON.stringify(works));
  const started = await run(home, [
    ...["run", "--detach", "--json", "--hosts", "box1", "--hosts", "box2", "--cd", `*:${home.work}`],
    ...["--concurrency", String(2 * Number(values.slots)), "-f", file],
  ]);
  if (started.code !== 0) throw new Error(started.err);
  const { batchId } = JSON.parse(started.out) as { batchId: string };
  const counts = () => newestRow(home)?.counts;
  const endedNow = () => (counts()?.succeeded ?? 0) + (counts()?.failed ?? 0);
  await eventually(
    () => endedNow() >= tasks / 5 && (counts()?.running ?? 0) > 0,
    () => `does not get there: ${JSON.stringify(counts())}`,
    120_000,
  );
  const [keeper, runner] = await untilKept(home);
  for (const { pid } of [keeper, runner]) process.kill(pid, "SIGSTOP");
  await Promise.all(boxes.map((box) => box.cut()));
  const before = { ended: endedNow(), running: counts()?.running ?? 0, asked: asked(home).length };
  console.log(`closed: ${JSON.stringify(before)}`);
  await Bun.sleep(awayMs);
  const askedMeanwhile = asked(home).length - before.asked;
  await Promise.all(boxes.map((box) => box.up()));
  const openedAt = performance.now();
  for (const { pid } of [runner, keeper]) process.kill(pid, "SIGCONT");
  // What ran when it was closed has long ended.
  await eventually(
    () => endedNow() >= before.ended + before.running,
    () => `still waits: ${JSON.stringify(counts())}`,
    120_000,
  );
  const seconds = (performance.now() - openedAt) / 1_000;
  console.log(
    `opened after ${values.away} s: all ${before.running} results were here after ${seconds.toFixed(2)} s`,
  );
  const waited = await run(home, ["wait", batchId]);
  const { out } = await run(home, ["results", batchId, "--json", "--limit", String(tasks)]);
  const { results } = JSON.parse(out) as { results: { result?: string; host?: string }[] };
  const right = results.filter(({ result }, index) => result === `answer ${index + 1}`).length;
  const twice = asked(home).length - tasks;
  console.log(
    `at the end (status ${waited.code}): ${right} of ${tasks} answers are right, ${twice} were asked twice, ${askedMeanwhile} were asked while it was closed`,
  );
  console.log(`one screen:\n${(await run(home, ["list"])).out}`);
  if (right !== tasks || twice !== 0) process.exitCode = 1;
}
