// What a sweep believes, and what it looks at again.
import { expect, test } from "bun:test";
import type { Surroundings } from "../../src/claude/left-behind.ts";
import { SharedDaemons } from "../../src/claude/shared-daemons.ts";
import { Sweeper } from "../../src/claude/sweep.ts";
import { identityOf, livenessOf, ownIdentity } from "../../src/platform/process.ts";
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

test("a daemon that sessions share is spared while a session runs that has begun since the last one ended", async () => {
  await using daemon = Bun.spawn(["sleep", "1000"]);
  const identity = identityOf(daemon.pid);
  if (!identity) throw new Error("no identity");
  const shared = new SharedDaemons(["sleep"]);
  let looks = 0;
  const sweeper: Sweeper = new Sweeper({
    shared,
    look: () => {
      looks++;
      return lookOf(true, identity);
    },
  });
  expect(await sweeper.sweep(gone("m"))).toEqual([]);
  const last = sweeper.sweepShared(() => ["m"]);
  // Of a retry, which came in this moment.
  sweeper.began("n", ownIdentity());
  await last;
  expect(livenessOf(identity)).toBe("alive");
  await sweeper.sweep(gone("n"));
  const looked = looks;
  void sweeper.sweepShared(() => ["m"]);
  await daemon.exited;
  expect(daemon.signalCode).toBe("SIGKILL");
  expect(looks).toBeGreaterThan(looked);
});
