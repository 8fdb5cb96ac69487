// How soon a batch is resumed after its runner was killed, and its sessions are followed again. Run alone:
// `bun scripts/bench/adoption.ts [--sessions 100] [--rounds 3] [--program PATH]`.
import { parseArgs } from "node:util";
import { z } from "zod";
import { eventBody } from "../../src/model/event.ts";
import type { Store } from "../../src/store/store.ts";
import { connectNew, eventually, Home, useProgram } from "../../test/harness.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "100" },
    rounds: { type: "string", default: "3" },
    /** An executable to measure instead of the sources. */
    program: { type: "string" },
  },
});
const sessions = Number(values.sessions);
using _program = values.program === undefined ? undefined : useProgram([values.program]);

const startedMs: number[] = [];
const followedMs: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const { started, followed } = await measure();
  startedMs.push(started);
  followedMs.push(followed);
}
console.log(`runner killed, ${sessions} sessions running, ${values.rounds} rounds, in milliseconds:`);
console.log(`  to the next runner in the log:   ${figures(startedMs)}`);
console.log(`  to all sessions being followed:  ${figures(followedMs)}`);

/** The second figure is observed: what each session says after the kill has come to the store. */
async function measure(): Promise<{ started: number; followed: number }> {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: String(sessions) });
  await using client = await connectNew(home);
  const [first, last] = [home.file("first"), home.file("last")];
  const task = `[[answer text="before"]] [[wait-for-file path=${first}]] [[answer text="after"]] [[wait-for-file path=${last}]]`;
  await client.call("spawn_parallel_claude_sessions", {
    tasks: Array.from({ length: sessions }, () => task),
    asyncMode: true,
  });
  using store = home.store();
  const batchId = store.list()[0]?.batchId;
  if (batchId === undefined) throw new Error("The batch did not begin.");
  const saying = (word: string) =>
    [...store.activities(batchId).values()].filter((activity) => activity === word).length;
  const all = (word: string) =>
    eventually(
      () => saying(word) === sessions,
      () => `of ${sessions} sessions ${saying(word)} say "${word}"`,
      120_000,
    );
  await all("before");
  const runner = store.row(batchId)?.runner?.pid;
  if (runner === undefined) throw new Error("The batch has no runner.");
  const killedAt = Date.now();
  process.kill(runner, "SIGKILL");
  await Bun.write(first, "");
  await all("after");
  const followed = Date.now() - killedAt;
  const started = secondRunnerAt(store, batchId) - killedAt;
  await Bun.write(last, "");
  await client.call("wait_for_batch", { batchId });
  await home.empty({ but: client.pid });
  return { started, followed };
}

// To the millisecond, by the log's own time and not by when we looked.
function secondRunnerAt(store: Store, batchId: string): number {
  const row = z.object({ at: z.number(), body: z.string() });
  const starts = store.database
    .query<unknown, [string]>("SELECT at, body FROM events WHERE batch_id = ? ORDER BY sequence")
    .all(batchId)
    .map((line) => row.parse(line))
    .filter(({ body }) => eventBody.parse(JSON.parse(body)).type === "runner-started");
  return starts[1]?.at ?? Number.NaN;
}

function figures(all: number[]): string {
  const [least = 0, ...others] = all.toSorted((a, b) => a - b);
  const middle = [least, ...others][Math.floor(all.length / 2)] ?? least;
  return `${middle} (${least} to ${others.at(-1) ?? least})`;
}
