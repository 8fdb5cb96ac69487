// What wakes those who wait for the store, with another process that writes to it.
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { RhythmName } from "../../src/platform/clock.ts";
import type { watchDirectory } from "../../src/platform/watch.ts";
import { StoreChanges } from "../../src/store/store-changes.ts";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";

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
    for (const look of this.looks.values()) look();
  }
}

/** A watch that reports nothing. */
const blind: typeof watchDirectory = () => ({ isReliable: false, [Symbol.dispose]: () => undefined });

testNeeding("Linux")("a commit of another process wakes everybody who waits, without any tick", async () => {
  await using home = new Home();
  using store = home.store();
  using changes = new StoreChanges(store, { clock: new Ticks() });
  const woken = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [first, second] = woken.map(({ resolve }) => changes.subscribe(resolve));
  await writeTo(home);
  await Promise.all(woken.map(({ promise }) => promise));
  // Everybody has gone: the next one who waits begins anew.
  first?.[Symbol.dispose]();
  second?.[Symbol.dispose]();
  const again = Promise.withResolvers<void>();
  using _again = changes.subscribe(again.resolve);
  await writeTo(home);
  await again.promise;
});

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
  now = 999;
  ticks.tick();
  expect([...ticks.looks.keys()]).toEqual(["unwatched"]);
  now = 1_000;
  ticks.tick();
  expect([...ticks.looks.keys()]).toEqual(["beat"]);
  await writeTo(home);
  ticks.tick();
  expect(woken).toBe(1);
  expect([...ticks.looks.keys()]).toEqual(["unwatched"]);
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

test("while others write all the time, the store is not watched, but looked at", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const ticks = new Ticks();
  let now = 0;
  let watches = 0;
  let report = () => {};
  const watch: typeof watchDirectory = (_, changed) => {
    watches++;
    report = () => changed("store.sqlite-wal");
    return { isReliable: true, [Symbol.dispose]: () => void watches-- };
  };
  using changes = new StoreChanges(store, { clock: ticks, watch, now: () => now });
  let woken = 0;
  using _ = changes.subscribe(() => woken++);
  // One report too many within a second. Slower ones are none.
  for (; now < 4_000; now += 25) report();
  expect([watches, ...ticks.looks.keys()]).toEqual([1, "second"]);
  other.capacity.setFootprint("before", 1);
  for (const end = now + 1_000; now < end; now += 20) report();
  expect([woken, watches, ...ticks.looks.keys()]).toEqual([1, 0, "unwatched"]);
  other.capacity.setFootprint("meanwhile", 1);
  ticks.tick();
  expect(woken).toBe(2);
  now += 999;
  ticks.tick();
  expect([watches, ...ticks.looks.keys()]).toEqual([0, "unwatched"]);
  now += 1;
  ticks.tick();
  expect([watches, ...ticks.looks.keys()]).toEqual([1, "second"]);
});

test("a watch that fails is replaced by the quicker rhythm", async () => {
  await using home = new Home();
  using store = home.store();
  const ticks = new Ticks();
  const watch = { isReliable: true, [Symbol.dispose]: () => undefined };
  using changes = new StoreChanges(store, { clock: ticks, watch: () => watch });
  using _ = changes.subscribe(() => undefined);
  expect([...ticks.looks.keys()]).toEqual(["second"]);
  watch.isReliable = false;
  ticks.tick();
  expect([...ticks.looks.keys()]).toEqual(["unwatched"]);
});

test("a store that cannot be read wakes everybody, who see why", async () => {
  await using home = new Home();
  const store = home.store();
  const ticks = new Ticks();
  using changes = new StoreChanges(store, { clock: ticks, watch: blind });
  let woken = 0;
  using _ = changes.subscribe(() => woken++);
  store[Symbol.dispose]();
  ticks.tick();
  expect(woken).toBe(1);
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
