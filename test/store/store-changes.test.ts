// What wakes those who wait for the store, with another process that writes to it.
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { RhythmName } from "../../src/platform/clock.ts";
import type { watchDirectory } from "../../src/platform/watch.ts";
import { StoreChanges } from "../../src/store/store-changes.ts";
import { testNeeding } from "../facilities.ts";
import { eventually, Home } from "../harness.ts";

const source = join(import.meta.dir, "../../src/store/store.ts");

/** Another process writes to the store, and ends. */
async function writeTo(home: Home): Promise<void> {
  const script = `
    import { Store } from ${JSON.stringify(source)};
    using store = new Store(${JSON.stringify(home.state)});
    store.capacity.setFootprint("written by another process", 1);
  `;
  const child = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "ignore", "inherit"] });
  expect(await child.exited).toBe(0);
}

/** A clock that ticks by hand. */
class Ticks {
  readonly looks = new Map<RhythmName, () => void>();

  on(rhythm: RhythmName, look: () => void): Disposable {
    this.looks.set(rhythm, look);
    return { [Symbol.dispose]: () => void this.looks.delete(rhythm) };
  }

  tick(): void {
    // Each may begin another.
    for (const look of [...this.looks.values()]) look();
  }
}

/** A watch that reports nothing. */
const blind: typeof watchDirectory = () => ({ isReliable: false, [Symbol.dispose]: () => undefined });

testNeeding("Linux")(
  "a commit of another process ends a quiet time without any tick, and everybody is woken",
  async () => {
    await using home = new Home();
    using store = home.store();
    const ticks = new Ticks();
    let now = 0;
    using changes = new StoreChanges(store, { clock: ticks, now: () => now });
    let woken = 0;
    const writtenByOther = async () => {
      now += 500;
      ticks.tick();
      expect([...ticks.looks.keys()]).toEqual(["second"]);
      await writeTo(home);
      await eventually(
        () => ticks.looks.has("unwatched"),
        () => "no report of the watch",
      );
      // SQLite writes a commit before it counts, so the report may have come too early.
      ticks.tick();
    };
    const both = [changes.subscribe(() => woken++), changes.subscribe(() => woken++)];
    await writtenByOther();
    expect(woken).toBe(2);
    // Everybody has gone: the next one who waits begins anew.
    for (const one of both) one[Symbol.dispose]();
    using _again = changes.subscribe(() => woken++);
    await writtenByOther();
    expect(woken).toBe(3);
  },
);

test("without a reliable watch, a change is found on the next tick of a quicker rhythm", async () => {
  await using home = new Home();
  using store = home.store();
  const ticks = new Ticks();
  using changes = new StoreChanges(store, { clock: ticks, watch: blind });
  let woken = 0;
  using _ = changes.subscribe(() => woken++);
  expect([...ticks.looks.keys()]).toEqual(["unwatched"]);
  ticks.tick();
  expect(woken).toBe(0);
  await writeTo(home);
  ticks.tick();
  ticks.tick();
  expect(woken).toBe(1);
});

test("without a reliable watch, a store that nobody writes to is looked at less often, until somebody does", async () => {
  await using home = new Home();
  using store = home.store();
  const ticks = new Ticks();
  let now = 0;
  using changes = new StoreChanges(store, { clock: ticks, watch: blind, now: () => now });
  let woken = 0;
  using _ = changes.subscribe(() => woken++);
  const rhythms = [0, 499, 500, 9_999, 10_000].map((at) => {
    now = at;
    ticks.tick();
    return [...ticks.looks.keys()].join();
  });
  expect(rhythms).toEqual(["unwatched", "unwatched", "beat", "beat", "second"]);
  await writeTo(home);
  ticks.tick();
  expect(woken).toBe(1);
  expect([...ticks.looks.keys()]).toEqual(["unwatched"]);
  // One write alone, such as a heartbeat.
  const afterwards = [100, 2_000].map((afterMs) => {
    now = 10_000 + afterMs;
    ticks.tick();
    return [...ticks.looks.keys()].join();
  });
  expect(afterwards).toEqual(["beat", "second"]);
});

test("what this process writes itself wakes nobody, nor what was written before", async () => {
  await using home = new Home();
  using store = home.store();
  await writeTo(home);
  const ticks = new Ticks();
  using changes = new StoreChanges(store, { clock: ticks, watch: blind });
  let woken = 0;
  using _ = changes.subscribe(() => woken++);
  store.capacity.setFootprint("own", 1);
  ticks.tick();
  expect(woken).toBe(0);
});

test("while a store is written to, it is not watched, but looked at", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const ticks = new Ticks();
  let now = 0;
  let watches = 0;
  let reportOf = (_: string) => {};
  const report = () => reportOf("store.sqlite-wal");
  const watch: typeof watchDirectory = (_, changed) => {
    watches++;
    reportOf = changed;
    return { isReliable: true, [Symbol.dispose]: () => void watches-- };
  };
  using changes = new StoreChanges(store, { clock: ticks, watch, now: () => now });
  let woken = 0;
  using _ = changes.subscribe(() => woken++);
  const seen = (afterMs: number) => {
    now += afterMs;
    ticks.tick();
    return [woken, watches, ...ticks.looks.keys()];
  };
  expect(seen(499)).toEqual([0, 0, "unwatched"]);
  expect(seen(1)).toEqual([0, 1, "second"]);
  // What this process writes is reported, too.
  store.capacity.setFootprint("own", 1);
  report();
  expect(seen(99)).toEqual([0, 0, "unwatched"]);
  other.capacity.setFootprint("in a busy time", 1);
  expect(seen(0)).toEqual([1, 0, "unwatched"]);
  expect(seen(99)).toEqual([1, 0, "unwatched"]);
  // No watch has reported it, because none had begun. It is the second of a burst.
  other.capacity.setFootprint("before the watch", 1);
  expect(seen(1)).toEqual([2, 0, "unwatched"]);
  expect(seen(499)).toEqual([2, 0, "unwatched"]);
  expect(seen(1)).toEqual([2, 1, "second"]);
  // No report came.
  other.capacity.setFootprint("in a quiet time", 1);
  expect(seen(1_000)).toEqual([3, 0, "unwatched"]);
  expect(seen(100)).toEqual([3, 1, "second"]);
  // Files of others are nothing to us; a report of ours is looked at without a tick.
  reportOf("batches");
  expect(watches).toBe(1);
  other.capacity.setFootprint("reported", 1);
  report();
  expect([woken, watches]).toEqual([4, 0]);
  expect(seen(500)).toEqual([4, 1, "second"]);
  changes[Symbol.dispose]();
  expect([watches, ticks.looks.size]).toEqual([0, 0]);
});

test("a store that is written to is looked at every 40 ms only for those who are not patient", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const ticks = new Ticks();
  let now = 0;
  const watch: typeof watchDirectory = () => ({ isReliable: true, [Symbol.dispose]: () => undefined });
  using changes = new StoreChanges(store, { clock: ticks, watch, now: () => now });
  let woken = 0;
  const rhythm = () => [...ticks.looks.keys()].join();
  using _view = changes.subscribe(() => woken++, { isPatient: true });
  expect(rhythm()).toBe("beat");
  other.capacity.setFootprint("for the view", 1);
  ticks.tick();
  expect([woken, rhythm()]).toEqual([1, "beat"]);
  const call = changes.subscribe(() => woken++);
  expect(rhythm()).toBe("unwatched");
  call[Symbol.dispose]();
  expect(rhythm()).toBe("beat");
  // Who comes when no more writes are expected puts off nobody's next look, behind which the watch begins.
  now = 1_000;
  other.capacity.setFootprint("before somebody comes", 1);
  using _late = changes.subscribe(() => undefined, { isPatient: true });
  expect(rhythm()).toBe("beat");
  ticks.tick();
  expect(woken).toBe(2);
});

test("a store that has been quiet for two seconds is hardly looked at while a watch is reliable", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const ticks = new Ticks();
  let now = 0;
  let reportOf = (_: string) => {};
  const watch: typeof watchDirectory = (_, changed) => {
    reportOf = changed;
    return { isReliable: true, [Symbol.dispose]: () => undefined };
  };
  using changes = new StoreChanges(store, { clock: ticks, watch, now: () => now });
  let woken = 0;
  using _ = changes.subscribe(() => woken++);
  const rhythms = [500, 1_999, 2_000, 60_000].map((at) => {
    now = at;
    ticks.tick();
    return [...ticks.looks.keys()].join();
  });
  expect(rhythms).toEqual(["second", "second", "rest", "rest"]);
  other.capacity.setFootprint("reported", 1);
  reportOf("store.sqlite-wal");
  expect([woken, ...ticks.looks.keys()]).toEqual([1, "unwatched"]);
});

test("opening a store is no write to it", async () => {
  await using home = new Home();
  using store = home.store();
  const { database } = store.layout;
  const before = statSync(database).ctimeMs;
  {
    using _other = home.store();
  }
  expect(statSync(database).ctimeMs).toBe(before);
});

test("a watch that fails is replaced by a quicker rhythm, and by another watch after the next change", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const ticks = new Ticks();
  let now = 0;
  const watches: { isReliable: boolean }[] = [];
  const watch: typeof watchDirectory = () => {
    const one = { isReliable: true, [Symbol.dispose]: () => undefined };
    watches.push(one);
    return one;
  };
  using changes = new StoreChanges(store, { clock: ticks, watch, now: () => now });
  using _ = changes.subscribe(() => undefined);
  const rhythm = (afterMs: number) => {
    now += afterMs;
    ticks.tick();
    return [...ticks.looks.keys()].join();
  };
  expect(rhythm(500)).toBe("second");
  for (const one of watches) one.isReliable = false;
  expect(rhythm(1_000)).toBe("beat");
  other.capacity.setFootprint("written through another connection", 1);
  expect(rhythm(250)).toBe("unwatched");
  expect(rhythm(500)).toBe("second");
  expect(watches.length).toBe(2);
});

test("a store that cannot be read wakes everybody once, who see why, and once more when it can be read", async () => {
  await using home = new Home();
  using store = home.store();
  const ticks = new Ticks();
  let isReadable = true;
  const changeCount = () => {
    if (!isReadable) throw new Error("unreadable");
    return store.changeCount();
  };
  using changes = new StoreChanges({ layout: store.layout, changeCount }, { clock: ticks, watch: blind });
  let woken = 0;
  using _ = changes.subscribe(() => woken++);
  const wokenInTwoTicks = () => {
    woken = 0;
    ticks.tick();
    ticks.tick();
    return woken;
  };
  isReadable = false;
  expect(wokenInTwoTicks()).toBe(1);
  expect(wokenInTwoTicks()).toBe(0);
  isReadable = true;
  expect(wokenInTwoTicks()).toBe(1);
});

test("a subscriber that throws is an error of the process, and keeps the change from nobody else", async () => {
  await using home = new Home();
  const script = `
    import { Store } from ${JSON.stringify(source)};
    process.on("uncaughtException", (error) => console.log(error.message));
    using store = new Store(${JSON.stringify(home.state)});
    const woken = Promise.withResolvers();
    using _failing = store.changes.subscribe(() => {
      throw new Error("thrown");
    });
    using _other = store.changes.subscribe(() => {
      console.log("woken");
      woken.resolve();
    });
    using other = new Store(${JSON.stringify(home.state)});
    other.capacity.setFootprint("written through another connection", 1);
    await woken.promise;
  `;
  const child = Bun.spawn([process.execPath, "-e", script], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const [code, out] = await Promise.all([child.exited, child.stdout.text()]);
  expect(code).toBe(0);
  expect([...new Set(out.trim().split("\n"))].toSorted()).toEqual(["thrown", "woken"]);
});

test("nobody looks while nobody waits", async () => {
  await using home = new Home();
  using store = home.store();
  const ticks = new Ticks();
  using changes = new StoreChanges(store, { clock: ticks, watch: blind });
  expect(ticks.looks.size).toBe(0);
  const [one, other] = [changes.subscribe(() => undefined), changes.subscribe(() => undefined)];
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  expect(ticks.looks.size).toBe(1);
  other[Symbol.dispose]();
  expect(ticks.looks.size).toBe(0);
});
