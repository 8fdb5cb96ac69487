// What a sweep believes, and what it looks at again.
import { beforeAll, expect, test } from "bun:test";
import type { Surroundings } from "../../src/claude/left-behind.ts";
import { SharedDaemons } from "../../src/claude/shared-daemons.ts";
import { Sweeper } from "../../src/claude/sweep.ts";
import { becomeSubreaper } from "../../src/platform/orphans.ts";
import { identityOf, livenessOf, ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { markerVariable } from "../../src/platform/session-variables.ts";
import { describeNeeding, testNeeding } from "../facilities.ts";
import { startIdle } from "../idle.ts";

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

testNeeding("a system other than Windows")(
  "what was started by a process that ended during a look is found by the next one, and ended",
  async () => {
    await using child = await startIdle();
    const identity = identityOf(child.pid);
    if (!identity) throw new Error("no identity");
    const looks = [lookOf(false), lookOf(true, identity)];
    const sweeper = new Sweeper({ look: () => looks.shift() ?? lookOf(true) });
    expect(await sweeper.sweep(gone("m"))).toEqual([identity]);
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
  },
);

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

testNeeding("a system other than Windows")(
  "a daemon that sessions share is spared while a session runs that has begun since the last one ended",
  async () => {
    await using daemon = await startIdle();
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
    sweeper.started("n", ownIdentity());
    await last;
    expect(livenessOf(identity)).toBe("alive");
    await sweeper.sweep(gone("n"));
    const looked = looks;
    void sweeper.sweepShared(() => ["m"]);
    await daemon.exited;
    expect(daemon.signalCode).toBe("SIGKILL");
    expect(looks).toBeGreaterThan(looked);
  },
);

/** A session that has ended, of which something is left that carries its mark; and something of one that runs. */
async function withLeftovers(act: (left: ProcessIdentity, runs: ProcessIdentity) => Promise<void>) {
  const start = (marker: string) => startIdle({ env: { [markerVariable]: marker }, detached: true });
  await using left = await start("sweep-test-ended");
  await using runs = await start("sweep-test-runs");
  const [one, other] = [identityOf(left.pid), identityOf(runs.pid)];
  if (!one || !other) throw new Error("no identity");
  await act(one, other);
  await left.exited;
  expect(left.signalCode).toBe("SIGKILL");
  expect(livenessOf(other)).toBe("alive");
}

describeNeeding("Linux")("in the processes of this machine, what carries the mark of a session", () => {
  // As in a runner. Another test file of this process may have done so already.
  beforeAll(() => becomeSubreaper());

  for (const isOurs of [true, false]) {
    test(`is found once it has ended, ${isOurs ? "whether we started it" : "or an earlier runner"}`, () =>
      withLeftovers(async (left, runs) => {
        const sweeper = new Sweeper();
        sweeper.started("sweep-test-runs", runs);
        sweeper.started("sweep-test-ended", left);
        // The leader itself has gone long ago.
        const identity = { ...left, pid: 2 ** 22 - 1 };
        const ended = { marker: "sweep-test-ended", identity, isOurs, hadPidUntil: () => undefined };
        expect(await sweeper.sweep(ended)).toEqual([left]);
        expect(await sweeper.sweep(ended)).toEqual([]);
      }));
  }

  test("and what was seen in its tree, though it has emptied its environment", async () => {
    await using bare = await startIdle({ env: {}, detached: true });
    const identity = identityOf(bare.pid);
    if (!identity) throw new Error("no identity");
    await withLeftovers(async (left) => {
      const ended = {
        marker: "sweep-test-ended",
        identity: left,
        isOurs: true,
        hadPidUntil: () => undefined,
      };
      const swept = await new Sweeper().sweep(ended, [identity]);
      expect(swept.map(({ pid }) => pid).sort()).toEqual([left.pid, identity.pid].sort());
    });
    await bare.exited;
  });
});

test("a look that goes on finding something ends after twenty", async () => {
  await using child = await startIdle();
  const identity = identityOf(child.pid);
  if (!identity) throw new Error("no identity");
  let looks = 0;
  const look = () => {
    looks++;
    return lookOf(true, identity);
  };
  expect(await new Sweeper({ look }).sweep(gone("m"))).toEqual([identity]);
  expect(looks).toBe(20);
});

test("sessions that end together share a look", async () => {
  let looks = 0;
  const look = () => {
    looks++;
    return lookOf(true);
  };
  const sweeper = new Sweeper({ look });
  expect(await Promise.all([sweeper.sweep(gone("a")), sweeper.sweep(gone("b"))])).toEqual([[], []]);
  expect(looks).toBe(1);
});

test("shared daemons are looked for where some were spared, or an earlier runner may have spared some", async () => {
  let looks = 0;
  const look = () => {
    looks++;
    return lookOf(true);
  };
  await new Sweeper({ look }).sweepShared(() => ["m"]);
  expect(looks).toBe(0);
  await new Sweeper({ look, isHeir: true }).sweepShared(() => ["m"]);
  expect(looks).toBe(1);
});
