// What batches of an account know of the cache of the API.
import { expect, test } from "bun:test";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { isNow, Prefixes } from "../../src/store/prefixes.ts";
import { Home } from "../harness.ts";

const [one, other] = [batchIdSchema.parse("bbbbbbbb"), batchIdSchema.parse("cccccccc")];

test("one batch of an account leads at a time, until it is over, given up, or in the cache", async () => {
  await using home = new Home();
  using store = home.store();
  const [prefixes, others] = [new Prefixes(store.database, "a"), new Prefixes(store.database, "b")];
  const span = { since: 1_000, until: 11_000 };
  expect([prefixes.lead("p", one, span), prefixes.lead("p", other, span)]).toEqual([true, false]);
  // Again, by the batch that leads; of something else; and for another account.
  expect(prefixes.lead("p", one, { since: 2_000, until: 12_000 })).toBe(true);
  expect([prefixes.lead("q", other, span), others.lead("p", other, span)]).toEqual([true, true]);
  expect(prefixes.lead("p", other, { since: 11_999, until: 21_999 })).toBe(false);
  expect(prefixes.lead("p", other, { since: 12_000, until: 22_000 })).toBe(true);
  prefixes.free("p", one);
  expect(prefixes.all().get("p")?.leader).toBe(other);
  prefixes.free("p", other);
  expect(prefixes.lead("p", one, { since: 12_001, until: 22_001 })).toBe(true);
  prefixes.keep("p", { since: 13_000, until: 99_000 });
  expect(prefixes.lead("p", one, { since: 14_000, until: 24_000 })).toBe(false);
  // What is in the cache is nobody's to give up; what was over is forgotten.
  prefixes.free("p", one);
  expect([...prefixes.all()]).toEqual([["p", { leader: undefined, since: 13_000, until: 99_000 }]]);
  expect(others.all().size).toBe(1);
});

test("what begins in the future is from before the clock was set back, and does not count", () => {
  const span = { since: 1_000_000, until: 2_000_000 };
  const now = [939_999, 940_000, 1_999_999, 2_000_000];
  expect(now.map((at) => isNow(span, at))).toEqual([false, true, true, false]);
});
