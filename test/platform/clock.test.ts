// The clock of a process: what shares its wake-ups, what it keeps alive, and that nothing else keeps time.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { clock, Pace, type RhythmName, rhythms, settledWithin, Wake } from "../../src/platform/clock.ts";
import { filesBelow } from "../files-below.ts";

const source = join(import.meta.dir, "../../src");

/** A process with a clock of its own, run to its end. */
async function processWith(script: string): Promise<{ code: number; out: string }> {
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `import { clock } from ${JSON.stringify(join(source, "platform/clock.ts"))};\n${script}`,
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const [code, out] = await Promise.all([child.exited, child.stdout.text()]);
  return { code, out };
}

test("a second is also a beat: both look in the same turn", async () => {
  const { promise: second, resolve } = Promise.withResolvers<string[]>();
  let turn: string[] = [];
  const looked = (name: string) => () => {
    if (turn.length === 0) setImmediate(() => (turn = []));
    turn.push(name);
    if (name === "second") queueMicrotask(() => resolve(turn));
  };
  // However they came: the clock has its own grid.
  using _beat = clock.on("beat", looked("beat"));
  await clock.next("handover");
  using _second = clock.on("second", looked("second"));
  expect((await second).toSorted()).toEqual(["beat", "second"]);
});

test("all that waits for the next tick of a rhythm waits for the same one", () => {
  expect(clock.next("beat")).toBe(clock.next("beat"));
  expect(clock.next("beat")).not.toBe(clock.next("soon"));
});

test("a tick that is wanted soon comes before its time, and once", async () => {
  const order: string[] = [];
  // Now the next one is far away, and that of a second nearer.
  await clock.next("rest");
  using _rest = clock.on("rest", () => order.push("rest"));
  using _second = clock.on("second", () => order.push("second"));
  clock.soon("rest");
  clock.soon("rest");
  await clock.next("second");
  expect(order).toEqual(["rest", "second"]);
  // Nobody looks in this one.
  clock.soon("heartbeat");
}, 120_000);

test("one who looks more rarely looks in one rhythm at a time, and in none at the end", () => {
  const looks: RhythmName[] = [];
  const on = (rhythm: RhythmName): Disposable => {
    looks.push(rhythm);
    return { [Symbol.dispose]: () => void looks.splice(looks.indexOf(rhythm), 1) };
  };
  using pace = new Pace(() => undefined, { clock: { on } });
  const at = (rhythm: RhythmName) => {
    pace.at(rhythm);
    return [...looks];
  };
  expect([at("beat"), at("beat"), at("rest"), at("beat")]).toEqual([["beat"], ["beat"], ["rest"], ["beat"]]);
  pace[Symbol.dispose]();
  expect(looks).toEqual([]);
});

test("every rhythm fits another one, so that their ticks meet", () => {
  const all = Object.values(rhythms).map(({ everyMs }) => everyMs);
  const isMeeting = (one: number) => all.some((other) => other > one && other % one === 0);
  expect(all.filter((one) => one !== Math.max(...all) && !isMeeting(one))).toEqual([]);
});

test("what no longer looks keeps no process, and neither does what only looks meanwhile", async () => {
  const { code, out } = await processWith(`
    clock.on("soon", () => console.log("never alone"), { keepsAlive: false });
    const once = clock.on("handover", () => {
      console.log("once");
      once[Symbol.dispose]();
      once[Symbol.dispose]();
    });
  `);
  expect(code).toBe(0);
  expect(out.split("\n").filter((line) => line === "once")).toHaveLength(1);
});

test("a look that throws is an error of the process, and stops no other look", async () => {
  const { code, out } = await processWith(`
    process.on("uncaughtException", (error) => console.log(error.message));
    const failing = clock.on("handover", () => {
      failing[Symbol.dispose]();
      throw new Error("thrown");
    });
    const other = clock.on("handover", () => {
      other[Symbol.dispose]();
      console.log("looked");
    });
  `);
  expect(code).toBe(0);
  expect(out.trim().split("\n").toSorted()).toEqual(["looked", "thrown"]);
});

test("a look that ends another one is the last of both", async () => {
  let looks = 0;
  const both: Disposable[] = [];
  const end = () => {
    looks++;
    for (const one of both) one[Symbol.dispose]();
  };
  both.push(clock.on("unwatched", end), clock.on("unwatched", end));
  await clock.next("second");
  expect(looks).toBe(1);
});

test("a wake-up before the wait ends the wait at once, and only one", async () => {
  const wake = new Wake();
  wake.now();
  wake.now();
  // Without a limit: only a wake-up ends it.
  await wake.within(Number.POSITIVE_INFINITY);
  const second = wake.within(Number.POSITIVE_INFINITY);
  const first = await Promise.race([second.then(() => "woken"), clock.next("handover").then(() => "ticked")]);
  expect(first).toBe("ticked");
  wake.now();
  await second;
});

test("a promise is waited for as long as allowed, and its error is not lost", async () => {
  const never = new Promise(() => undefined);
  expect(await settledWithin(never, 1)).toBe(false);
  expect(await settledWithin(Promise.resolve(), 60_000)).toBe(true);
  await expect(settledWithin(Promise.reject(new Error("why")), 60_000)).rejects.toThrow("why");
  // A timer of more than 24 days would fire at once.
  expect(await settledWithin(clock.next("handover"), 2 ** 40)).toBe(true);
});

/** A pause that grows from try to try, or none at all, is no rhythm. */
const pauses = new Map([
  ["platform/whole-files.ts", "a file that another program has open"],
  ["platform/output.ts", "a reader that is slow"],
  ["engine/runner/keeper.ts", "a runner that has crashed"],
  ["doors/mcp/http/serve.ts", "one turn of the event loop"],
  ["engine/reuse/reuse.ts", "one turn of the event loop"],
  ["operations/compare/compared-rows.ts", "one turn of the event loop"],
  ["operations/inputs/matching-files.ts", "one turn of the event loop"],
]);

test("nothing but the clock keeps time: no other file repeats a timer, or sleeps", async () => {
  const keeping: string[] = [];
  for (const path of filesBelow(source, ".ts")) {
    const name = path.replaceAll("\\", "/");
    // A page has the browser's timers.
    if (name.startsWith("report/browser/") || pauses.has(name)) continue;
    const text = await Bun.file(join(source, path)).text();
    if (/\bsetInterval\(|\bBun\.sleep\(/.test(text)) keeping.push(name);
  }
  expect(keeping).toEqual([]);
});
