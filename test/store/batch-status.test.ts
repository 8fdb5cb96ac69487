// The state of a batch, as others see it from its row and the process table.
import { expect, test } from "bun:test";
import { ownIdentity } from "../../src/platform/process.ts";
import { heldNow, presenceOf, stateWordOf } from "../../src/store/batch-status.ts";
import type { BatchRow } from "../../src/store/store.ts";
import { Inside } from "../inside.ts";
import { batchOf, lost } from "./samples.ts";

const here = ownIdentity();
/** Its pid is another process's now. */
const gone = { ...here, startTicks: "0" };
const now = Date.now();
const freshAt = now - 59_000;
const staleAt = now - 61_000;

function rowOf(more: Partial<BatchRow>): BatchRow {
  using inside = new Inside();
  const { store } = inside.context();
  const row = store.row(store.create(batchOf(1), now).batchId);
  if (!row) throw new Error("the batch has no row");
  return { ...row, ...more };
}

test.each([
  ["by a runner that lives", { runner: here, keeper: gone, aliveAt: staleAt }, "here"],
  ["by a keeper that lives", { runner: gone, keeper: here, aliveAt: staleAt }, "here"],
  ["by one elsewhere that has said so a moment ago", { runner: lost, keeper: gone, aliveAt: freshAt }, "far"],
  ["by one elsewhere that has been silent for a minute", { runner: lost, aliveAt: staleAt }, "lost"],
  ["by processes that are being started", { aliveAt: freshAt }, "starting"],
  ["by processes that never came", { aliveAt: staleAt }, "nobody"],
  ["by processes that have died a moment ago", { runner: gone, keeper: gone, aliveAt: freshAt }, "nobody"],
] satisfies [string, Partial<BatchRow>, string][])("a batch is run %s", (_, more, presence) => {
  const row = rowOf(more);
  expect<string>(presenceOf(row, now)).toBe(presence);
  expect<string>(stateWordOf(row, now)).toBe(
    presence === "lost" || presence === "nobody" ? "interrupted" : "running",
  );
});

test("a hold is of a batch that somebody runs, and of no other", () => {
  const held = { because: "Waits for a login", until: now + 1 };
  expect(heldNow(rowOf({ held, runner: here }), now)).toEqual(held);
  expect(heldNow(rowOf({ held, runner: gone }), now)).toBeUndefined();
  expect(heldNow(rowOf({ held, runner: here, endedAt: now }), now)).toBeUndefined();
  expect(heldNow(rowOf({ runner: here }), now)).toBeUndefined();
});
