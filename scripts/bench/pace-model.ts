// A model of `bench:limits` without processes: the same API and sessions, as events in a time that does not pass.
// Answers in a second how a pace does. Run `bun scripts/bench/pace-model.ts [--profile steady] [--seeds 9] [--trace]
// [--stretch 20]`; with `--stretch 20`, all takes as long as it does in life.
import { parseArgs } from "node:util";
import { firstPace, replied, throttled } from "../../src/engine/account/pace.ts";
import { ApiCapacity, type Phase } from "../../test/fixtures/api-capacity.ts";
import { maxRetries, retryDelayMs } from "../../test/fixtures/fake-claude/retry-schedule.ts";
import { callsOf, type LimitsProfile, profiles, retryScale, serviceMs } from "./limits-profiles.ts";
import { median } from "./row.ts";

/** What is judged: told of every reply and every throttled call, it says how many sessions may run. */
export interface Pace {
  ceiling(): number;
  reply(nowMs: number, running: number): void;
  throttled(nowMs: number, running: number): void;
}

/** What a run came to. */
interface Run {
  perSecond: number;
  attempts: number;
  wasted: number;
  throttledCalls: number;
  mostRunning: number;
  trace: Second[];
}

interface Second {
  ceiling: number;
  running: number;
  served: number;
  throttled: number;
}

interface Session {
  task: number;
  callsLeft: number;
  retries: number;
}

/** Sessions that may start at a time, and how long a start takes. */
const startsAtOnce = 2;
const startMs = 60;
/** Between a line in the transcript and our knowing of it. */
const noticeMs = 15;
/** How long a task waits whose session was thrown out by the API, before the time is scaled. */
const requeueMs = 10_000;

const { values } = parseArgs({
  options: {
    profile: { type: "string" },
    seeds: { type: "string", default: "9" },
    trace: { type: "boolean", default: false },
    /** Every time, those of the profile too, is multiplied by it. */
    stretch: { type: "string", default: "1" },
  },
});
const stretch = Number(values.stretch);
const fixed = [2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 32, 48];

for (const profile of profiles) {
  if (values.profile === undefined || values.profile === profile.name) report(profile);
}

function report(profile: LimitsProfile): void {
  const rows = [
    ...fixed.map((size) => ({ name: String(size), runs: runsOf(profile, () => fixedPace(size)) })),
    { name: "auto", runs: runsOf(profile, adaptivePace) },
  ];
  const of = (runs: Run[], figure: (run: Run) => number) => median(runs.map(figure));
  const speed = (runs: Run[]) => of(runs, (run) => run.perSecond);
  const best = Math.max(...rows.filter(({ name }) => name !== "auto").map(({ runs }) => speed(runs)));
  console.log(`\n${profile.name}: ${profile.tasks} tasks`);
  console.log("  at once   tasks/s   of best   attempts   wasted %   throttled calls   most at once");
  for (const { name, runs } of rows) {
    const wasted = (100 * of(runs, (run) => run.wasted)) / of(runs, (run) => run.attempts);
    const cells = [
      [name, 9],
      [(speed(runs) * stretch).toFixed(2), 10],
      [(speed(runs) / best).toFixed(3), 10],
      [of(runs, (run) => run.attempts), 11],
      [wasted.toFixed(1), 11],
      [of(runs, (run) => run.throttledCalls), 18],
      [of(runs, (run) => run.mostRunning), 15],
    ] as const;
    console.log(cells.map(([cell, width]) => String(cell).padStart(width)).join(""));
  }
  if (values.trace) printTrace(rows.at(-1)?.runs[0]?.trace ?? []);
}

function printTrace(trace: Second[]): void {
  console.log("  auto, by the second:  s  ceiling  running  served  throttled");
  for (const [second, { ceiling, running, served, throttled: refused }] of trace.entries()) {
    const cells = [second, ceiling.toFixed(1), running, served, refused];
    console.log(
      `${" ".repeat(20)}${cells.map((cell, at) => String(cell).padStart([5, 9, 9, 8, 11][at] ?? 8)).join("")}`,
    );
  }
}

function runsOf(profile: LimitsProfile, pace: () => Pace): Run[] {
  return Array.from({ length: Number(values.seeds) }, (_, seed) =>
    runModel(profile, pace(), randomFrom(seed + 1)),
  );
}

function fixedPace(size: number): Pace {
  return { ceiling: () => size, reply: () => {}, throttled: () => {} };
}

function adaptivePace(): Pace {
  let pace = firstPace;
  return {
    ceiling: () => pace.ceiling,
    reply: (_nowMs, running) => {
      pace = replied(pace, running);
    },
    throttled: (nowMs, running) => {
      // A time since 1970, as the engine has it.
      pace = throttled(pace, running, 1_700_000_000_000 + nowMs);
    },
  };
}

/** One batch from its start to its end. */
function runModel(profile: LimitsProfile, pace: Pace, random: () => number): Run {
  const events = new Timeline();
  const api = new ApiCapacity(profile.phases.map(stretched));
  const queue = Array.from({ length: profile.tasks }, (_, task) => task);
  const run: Run = { perSecond: 0, attempts: 0, wasted: 0, throttledCalls: 0, mostRunning: 0, trace: [] };
  let [starting, running, done] = [0, 0, 0];

  const second = (): Second => {
    const at = Math.floor(events.nowMs / (1000 * stretch));
    while (run.trace.length <= at) run.trace.push({ ceiling: 0, running: 0, served: 0, throttled: 0 });
    return run.trace[at] ?? { ceiling: 0, running: 0, served: 0, throttled: 0 };
  };
  const admit = (): void => {
    while (queue.length > 0 && starting < startsAtOnce && running < Math.floor(pace.ceiling())) {
      const task = queue.shift() ?? 0;
      starting++;
      running++;
      run.attempts++;
      run.mostRunning = Math.max(run.mostRunning, running);
      events.after(startMs * stretch * (0.8 + 0.4 * random()), () => {
        starting--;
        call({ task, callsLeft: callsOf(task), retries: 0 });
        admit();
      });
    }
    Object.assign(second(), { ceiling: pace.ceiling(), running });
  };
  const notice = (told: () => void): void =>
    events.after(noticeMs * stretch, () => {
      told();
      admit();
    });
  const leave = (): void => {
    running--;
    notice(() => {});
  };
  const call = (session: Session): void => {
    if (!api.begin(events.nowMs)) {
      refused(session);
      return;
    }
    second().served++;
    events.after(serviceMs * stretch, () => {
      api.end();
      notice(() => pace.reply(events.nowMs, running));
      session.retries = 0;
      session.callsLeft--;
      if (session.callsLeft > 0) {
        call(session);
        return;
      }
      done++;
      leave();
    });
  };
  const refused = (session: Session): void => {
    run.throttledCalls++;
    second().throttled++;
    notice(() => pace.throttled(events.nowMs, running));
    session.retries++;
    if (session.retries <= maxRetries(undefined)) {
      const delayMs = retryDelayMs(session.retries, random()) * retryScale * stretch;
      events.after(delayMs, () => call(session));
      return;
    }
    run.wasted++;
    events.after(requeueMs * retryScale * stretch, () => {
      queue.push(session.task);
      admit();
    });
    leave();
  };

  admit();
  while (done < profile.tasks) events.next();
  run.perSecond = (profile.tasks * 1000) / events.nowMs;
  return run;
}

function stretched(phase: Phase): Phase {
  return {
    ...phase,
    ...(phase.forMs !== undefined && { forMs: phase.forMs * stretch }),
    ...(phase.rate !== undefined && {
      rate: phase.rate / stretch,
      burst: phase.burst ?? Math.max(1, phase.rate),
    }),
  };
}

/** What happens when, in its order. */
class Timeline {
  nowMs = 0;
  // A binary heap by time, and by the order of coming for what falls together.
  readonly #heap: { atMs: number; order: number; happen: () => void }[] = [];
  #count = 0;

  after(delayMs: number, happen: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs: this.nowMs + delayMs, order: this.#count++, happen });
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isEarlier(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  next(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    const first = heap.pop();
    if (!first) throw new Error("Internal error: nothing will happen, and the batch has not ended");
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let earliest = at;
      if (left < heap.length && this.#isEarlier(left, earliest)) earliest = left;
      if (right < heap.length && this.#isEarlier(right, earliest)) earliest = right;
      if (earliest === at) break;
      this.#swap(at, earliest);
      at = earliest;
    }
    this.nowMs = first.atMs;
    first.happen();
  }

  #isEarlier(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (!a || !b) return false;
    return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (!a || !b) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
