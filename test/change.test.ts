// A batch is changed while it runs: paused and continued, with other numbers at once, and with more tasks.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { asked } from "./fake-notes.ts";
import { connectNew, eventually, filesIn, Home, kill, run } from "./harness.ts";
import { newestRow, untilAsked, untilKept, untilRunning } from "./running.ts";

setDefaultTimeout(120_000);

/** A task that answers with its number once its own gate is open. */
const gated = (home: Home, number: number) =>
  `[[wait-for-file path=${home.file(`gate-${number}`)}]] [[answer text="${number}"]]`;
const gatedTasks = (home: Home, count: number) =>
  Array.from({ length: count }, (_, index) => gated(home, index + 1));
const open = (home: Home, ...numbers: number[]) =>
  Promise.all(numbers.map((number) => Bun.write(home.file(`gate-${number}`), "")));

/** What a command printed that must succeed. */
async function done(home: Home, ...words: string[]): Promise<string> {
  const { code, out, err } = await run(home, words);
  expect({ words, code, err }).toMatchObject({ words, code: 0 });
  return out;
}

async function untilCounts(home: Home, counts: object): Promise<void> {
  await eventually(
    () => Bun.deepMatch(counts, newestRow(home)?.counts ?? {}),
    () => `the counts are ${JSON.stringify(newestRow(home)?.counts)}`,
  );
}

test("a paused batch lets its sessions end, though its processes are killed, rests without any, and goes on when it is continued", async () => {
  await using home = new Home();
  await done(home, "run", "--detach", "--concurrency", "2", ...gatedTasks(home, 6));
  await untilAsked(home, 2);
  expect(await done(home, "change", "latest", "--pause")).toContain(
    "No more sessions start. 2 sessions that run go on",
  );
  await eventually(
    () => newestRow(home)?.held !== undefined,
    () => "it is not held",
  );
  expect((await run(home, ["list"])).out).toContain("held");
  expect((await run(home, ["show"])).out).toContain(
    "Paused by the user. It goes on when somebody continues it",
  );
  const { epoch } = await untilRunning(home, 2);
  await kill(...(await untilKept(home)));
  await run(home, ["list"]);
  await eventually(
    () => (newestRow(home)?.epoch ?? 0) > epoch,
    () => "nobody took the batch over",
  );
  await open(home, 1, 2, 3, 4, 5, 6);
  const { code, out } = await run(home, ["wait"]);
  expect([code, out]).toEqual([
    4,
    expect.stringContaining("Paused by the user: 2 of 6 tasks done, 4 waiting."),
  ]);
  await home.empty();
  expect(asked(home)).toHaveLength(2);
  // Nothing resumes it, and the state is that of the batch, not of a process.
  expect((await run(home, ["list"])).out).toContain("paused");
  expect(await done(home, "change", "latest", "--concurrency", "4")).toContain(
    "at most 4 sessions run at once",
  );
  expect(await done(home, "change", "latest", "--no-pause")).toContain("The other 4 tasks run now.");
  expect((await run(home, ["wait"])).code).toBe(0);
  expect(newestRow(home)?.counts).toMatchObject({ queued: 0, succeeded: 6 });
  expect(asked(home)).toHaveLength(6);
  await home.empty();
});

test("more run at once as soon as somebody says so, and fewer once those that run have ended; added tasks run behind the others", async () => {
  await using home = new Home();
  await done(home, "run", "--detach", "--concurrency", "1", ...gatedTasks(home, 5));
  await untilAsked(home, 1);
  await done(home, "change", "latest", "--concurrency", "3");
  await untilRunning(home, 3);
  expect(await done(home, "change", "latest", "--concurrency", "1")).toContain(
    "3 sessions run now, and those go on to their end.",
  );
  await open(home, 1, 2);
  await untilCounts(home, { queued: 2, running: 1, succeeded: 2 });
  await Bun.write(home.file("more.txt"), `${gated(home, 6)}\n`);
  expect(await done(home, "change", "latest", "-f", home.file("more.txt"), gated(home, 7))).toContain(
    "Tasks 6 to 7 were added.",
  );
  // A pause in between is over before its sessions have ended.
  await done(home, "change", "latest", "--pause");
  await done(home, "continue", "latest");
  await open(home, 3);
  await untilCounts(home, { queued: 3, running: 1, succeeded: 3 });
  await untilAsked(home, 4);
  expect(asked(home)).toHaveLength(4);
  await open(home, 4, 5, 6, 7);
  expect((await run(home, ["wait"])).code).toBe(0);
  expect(await done(home, "results", "latest", "7")).toBe("6\n");
  expect(await done(home, "results", "latest", "6")).toBe("7\n");
  expect(filesIn(home.output).filter((name) => name.startsWith("result-"))).toHaveLength(7);
  const texts = filesIn(home.output).find((name) => name.endsWith("-texts.js")) ?? "";
  expect(await Bun.file(join(home.output, texts)).text()).toContain("gate-7");
  await home.empty();
});

test("a call that waits for its batch is answered when that has been paused; what waits for others or for its next attempt starts nothing meanwhile", async () => {
  await using home = new Home();
  await using client = await connectNew(home);
  const tasks = [
    { task: gated(home, 1), key: "first" },
    { task: gated(home, 2), after: ["first"] },
    { task: `[[wait-for-file path=${home.file("gate-3")}]] [[crash]]`, retries: 2 },
  ];
  const answer = client.call("spawn_parallel_claude_sessions", { tasks, concurrency: 3 });
  await untilAsked(home, 2);
  const pause = () => client.call("change_batch", { batchId: "latest", pause: true });
  const both = await Promise.all([pause(), pause()]);
  expect(both.map(({ isError }) => isError)).toEqual([false, false]);
  await open(home, 1, 2, 3);
  const { data } = await answer;
  expect(data).toMatchObject({ state: "paused", counts: { queued: 2, running: 0, succeeded: 1 } });
  expect(data?.["message"]).toStartWith("Paused by the client test: 1 of 3 tasks done, 2 waiting.");
  expect((await client.call("list_batches", {})).text).toContain("Paused by the client test");
  expect(asked(home)).toHaveLength(2);
  expect((await client.call("continue_batch", { batchId: "latest" })).isError).toBe(false);
  await untilCounts(home, { queued: 0, running: 0, succeeded: 2, failed: 1 });
});
