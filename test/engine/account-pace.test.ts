// The pace of an account as several runners see it.
import { expect, test } from "bun:test";
import { AccountPace } from "../../src/engine/account/account-pace.ts";
import { paceFrom } from "../../src/engine/account/pace.ts";
import { Inside } from "../inside.ts";

function pacesIn(inside: Inside, running = 4) {
  const { capacity } = inside.context().store;
  let changes = 0;
  const counted = {
    pace: (account: string) => capacity.pace(account),
    changePace: (account: string, change: (kept: string | undefined) => string) => {
      changes++;
      return capacity.changePace(account, change);
    },
  };
  const runner = ({ isForOne = false } = {}) =>
    new AccountPace({ capacity: counted, account: "a", running: () => running, isForOne });
  return { runner, changes: () => changes, kept: () => paceFrom(capacity.pace("a"), Date.now()) };
}

test("replies raise the ceiling when it is asked for, in one commit", () => {
  using inside = new Inside();
  const { runner, changes, kept } = pacesIn(inside, 6);
  const pace = runner();
  expect(pace.ceiling()).toBe(4);
  pace.replied(1);
  pace.replied(2);
  expect([changes(), kept().ceiling]).toEqual([0, 4]);
  expect(pace.ceiling()).toBe(7);
  expect([changes(), kept().ceiling]).toEqual([1, 7]);
  // What was counted counts once.
  expect(pace.ceiling()).toBe(7);
  expect(changes()).toBe(1);
});

test("what one task alone hears is stored at once, and then at most once a second", () => {
  using inside = new Inside();
  const { runner, changes, kept } = pacesIn(inside);
  const pace = runner({ isForOne: true });
  pace.replied(1);
  pace.replied(1);
  expect([changes(), kept().ceiling]).toEqual([1, 5]);
  pace.refresh();
  expect(changes()).toBe(2);
});

test("what one runner meets, another one hears, and says what it knows itself", () => {
  using inside = new Inside();
  const { runner, kept, changes } = pacesIn(inside);
  const [one, other] = [runner(), runner()];
  one.throttled();
  expect([one.ceiling(), other.ceiling()]).toEqual([2, 4]);
  other.refresh();
  expect(other.ceiling()).toBe(2);
  const before = changes();
  other.replied(1);
  other.refresh();
  expect(changes()).toBe(before + 1);
  expect(kept().rounds).toBe(0.5);
  // One that comes later begins with what was learned.
  expect(runner().ceiling()).toBe(other.ceiling());
});
