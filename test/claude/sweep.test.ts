// What a sweep believes, and what it looks at again.
import { expect, test } from "bun:test";
import { Sweeper } from "../../src/claude/sweep.ts";
import { identityOf } from "../../src/platform/process.ts";
import type { Look } from "../../src/platform/process-table.ts";

test("what was started by a process that ended during a look is found by the next one, and ended", async () => {
  await using child = Bun.spawn(["sleep", "1000"]);
  const identity = identityOf(child.pid);
  if (!identity) throw new Error("no identity");
  const looks: Look[] = [
    { byMarker: new Map(), isWhole: false },
    { byMarker: new Map([["m", [identity]]]), isWhole: true },
  ];
  const sweeper = new Sweeper(() => looks.shift() ?? { byMarker: new Map(), isWhole: true });
  expect(await sweeper.sweep("m")).toEqual([identity]);
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
});

test("a whole look that finds nothing is believed; of others, two are, for somewhere some process always ends", async () => {
  let looks = 0;
  const sweeper = (isWhole: boolean) =>
    new Sweeper(() => {
      looks++;
      return { byMarker: new Map(), isWhole };
    });
  await sweeper(true).sweep("m");
  expect(looks).toBe(1);
  await sweeper(false).sweep("m");
  expect(looks).toBe(3);
});
