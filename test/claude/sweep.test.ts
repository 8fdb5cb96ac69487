// What a sweep believes, and what it looks at again.
import { expect, test } from "bun:test";
import type { Surroundings } from "../../src/claude/left-behind.ts";
import { Sweeper } from "../../src/claude/sweep.ts";
import { identityOf, ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";

const gone = (marker: string) => ({
  marker,
  identity: ownIdentity(),
  isOurs: true,
  hadPidUntil: () => undefined,
});

function lookOf(isWhole: boolean, ...found: ProcessIdentity[]): Surroundings {
  const row = (one: ProcessIdentity) => ({
    state: "S",
    parent: 1,
    group: 0,
    session: 0,
    startTicks: one.startTicks,
  });
  return {
    byMarker: new Map(found.length === 0 ? [] : [["m", found]]),
    table: new Map(found.map((one) => [one.pid, row(one)])),
    orphans: [],
    isWhole,
  };
}

test("what was started by a process that ended during a look is found by the next one, and ended", async () => {
  await using child = Bun.spawn(["sleep", "1000"]);
  const identity = identityOf(child.pid);
  if (!identity) throw new Error("no identity");
  const looks = [lookOf(false), lookOf(true, identity)];
  const sweeper = new Sweeper({ look: () => looks.shift() ?? lookOf(true) });
  expect(await sweeper.sweep(gone("m"))).toEqual([identity]);
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
});

test("a whole look that finds nothing is believed; of others, two are, for somewhere some process always ends", async () => {
  let looks = 0;
  const sweeper = (isWhole: boolean) =>
    new Sweeper({
      look: () => {
        looks++;
        return lookOf(isWhole);
      },
    });
  await sweeper(true).sweep(gone("m"));
  expect(looks).toBe(1);
  await sweeper(false).sweep(gone("m"));
  expect(looks).toBe(3);
});
