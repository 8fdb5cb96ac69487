// A few short rounds of what `bun run test:faults` does at length.
import { expect, test } from "bun:test";
import { runRound } from "./faults/round.ts";
import { runWholeRound } from "./faults/whole-round.ts";

for (const around of ["claude away", "output moved", "state removed"] as const) {
  test(`the same with ${around} now and then`, async () => {
    const plan = { seed: 3, tasks: 20, least: 1, most: 2, around };
    const { violations } = await runRound({ ...plan, reuseSessions: "auto" });
    expect(violations).toEqual([]);
  }, 240_000);
}

for (const seed of [1, 2]) {
  test(`whatever is killed, no answer is lost and nothing is done twice (seed ${seed})`, async () => {
    const { violations, faults } = await runRound({ seed, tasks: 40, least: 3, most: 5 });
    expect({ violations, faults }).toEqual({ violations: [], faults });
  }, 240_000);
}

test("whatever is killed of a batch with all parts, no answer is lost and nothing is paid twice", async () => {
  const { violations } = await runWholeRound({ seed: 1, least: 3, most: 5 });
  expect(violations).toEqual([]);
}, 240_000);
