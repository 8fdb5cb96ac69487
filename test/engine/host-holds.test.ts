// Holds of a batch on several machines.
import { expect, test } from "bun:test";
import { HostHolds } from "../../src/engine/hosts/host-holds.ts";

type Machine =
  ConstructorParameters<typeof HostHolds>[0]["of"] extends ReadonlyMap<string, infer One> ? One : never;

/** A machine whose login nobody renews. */
const refused: Machine = {
  stopping: () => undefined,
  refresh: () => undefined,
  mayStart: () => true,
  allows: () => true,
  claim: () => true,
  adopt: () => undefined,
  answered: () => undefined,
  refused: () => undefined,
  failed: () => undefined,
  release: () => undefined,
  ended: () => ({ kind: "given-up", hold: { kind: "auth", model: "" } }),
};

const lost = {
  number: 1,
  model: undefined,
  outcome: { kind: "failed" as const, reason: "auth" as const, message: "Invalid API key" },
};

/** Those of two machines that refuse all logins. */
function holdsOfTwo(now: { placeOf(): string; monotonicNow(): number }): HostHolds {
  const of = new Map([
    ["box1", refused],
    ["box2", refused],
  ]);
  return new HostHolds({ of, isRunning: () => true, machinesOf: () => [...of.keys()], ...now });
}

test("a machine whose account is not waited for is tried again after ten minutes, as long as others can do its tasks", () => {
  let now = 0;
  let place = "box1";
  const holds = holdsOfTwo({ placeOf: () => place, monotonicNow: () => now });
  expect(holds.ended(lost, 0)).toEqual({ kind: "held" });
  expect([holds.isGivenUp("box1"), holds.isGivenUp("box2")]).toEqual([true, false]);
  now = 10 * 60_000;
  expect(holds.isGivenUp("box1")).toBe(false);
  // Meanwhile, none is left.
  holds.ended(lost, 0);
  place = "box2";
  expect(holds.ended(lost, 0)).toMatchObject({ kind: "given-up" });
});

test("two machines that are given up one long after the other are not waited for in turn without end", () => {
  let now = 0;
  let place = "box1";
  const holds = holdsOfTwo({ placeOf: () => place, monotonicNow: () => now });
  expect(holds.ended(lost, 0)).toEqual({ kind: "held" });
  now = 60 * 60_000;
  place = "box2";
  expect(holds.ended(lost, 0)).toMatchObject({ kind: "given-up" });
  // Somebody has logged in there.
  place = "box1";
  holds.answered(1, 0);
  place = "box2";
  expect(holds.ended(lost, 0)).toEqual({ kind: "held" });
});
