// What pages that are open hear of a watch, whoever else looks at the same.
import { expect, test } from "bun:test";
import { ChangedParts } from "../../src/operations/ui/changed-parts.ts";
import { type Shown, Watch } from "../../src/operations/ui/watch.ts";
import { eventually } from "../harness.ts";

/** Shows some words by their names. */
class Words implements Shown {
  readonly betweenMs = 0;
  readonly hasClock = false;
  readonly #parts = new ChangedParts<string>();
  now: Record<string, string> = {};

  look(version: number): boolean {
    return this.#parts.take(version, Object.entries(this.now));
  }

  changeSince(version: number) {
    return Object.fromEntries(this.#parts.since(version));
  }
}

/** A store in which somebody else writes. */
function newStore() {
  const listeners = new Set<() => void>();
  return {
    isInPlace: true,
    changes: {
      subscribe: (changed: () => void) => {
        listeners.add(changed);
        return { [Symbol.dispose]: () => void listeners.delete(changed) };
      },
    },
    listeners,
    written: () => {
      for (const changed of listeners) changed();
    },
  };
}

/** A page that is open. */
function openPage(watch: Watch) {
  const page = { shows: {}, isOver: false };
  const following = watch.follow("", {
    hear: ({ data }) => Object.assign(page.shows, JSON.parse(data)),
    gone: () => {
      page.isOver = true;
    },
  });
  return Object.assign(page, { leave: () => following[Symbol.dispose]() });
}

test("a page that is opened, or comes back, takes nothing from those that are open", async () => {
  const words = new Words();
  const store = newStore();
  using watch = new Watch(store, words);
  words.now = { one: "1" };
  const first = openPage(watch);
  expect(first.shows).toEqual({ one: "1" });

  words.now = { one: "2" };
  // Before it is time to tell the first one of it.
  watch.newest();
  const second = openPage(watch);
  expect(second.shows).toEqual({ one: "2" });
  words.now = { one: "2", two: "3" };
  openPage(watch).leave();
  store.written();
  await eventually(
    () => Bun.deepEquals(first.shows, words.now) && Bun.deepEquals(second.shows, words.now),
    () => JSON.stringify([first.shows, second.shows]),
  );
});

test("what only an opened page has found is told to the others, although nobody writes any more", async () => {
  const words = new Words();
  using watch = new Watch(newStore(), words);
  const first = openPage(watch);
  words.now = { one: "1" };
  watch.newest();
  await eventually(
    () => Bun.deepEquals(first.shows, words.now),
    () => JSON.stringify(first.shows),
  );
});

test("who follows a watch that ends, or a store that is no more where it was, hears that it is over", async () => {
  const words = new Words();
  const store = newStore();
  const watch = new Watch(store, words);
  const pages = [openPage(watch), openPage(watch)];
  watch[Symbol.dispose]();
  expect(pages.map(({ isOver }) => isOver)).toEqual([true, true]);
  expect(store.listeners.size).toBe(0);

  const later = openPage(watch);
  store.isInPlace = false;
  store.written();
  await eventually(
    () => later.isOver,
    () => "it is not over",
  );
  expect(store.listeners.size).toBe(0);
});

test("what was forgotten and comes back is new, although it is the same", () => {
  const parts = new ChangedParts<string>();
  const take = (version: number, names: string[]) => {
    parts.keepOnly(new Set(names));
    return parts.take(
      version,
      names.map((name) => [name, `row ${name}`] as const),
    );
  };
  expect(take(1, ["a", "b"])).toBeTrue();
  expect(take(2, ["b"])).toBeFalse();
  expect(take(3, ["a", "b"])).toBeTrue();
  expect(parts.since(2)).toEqual([["a", "row a"]]);
});
