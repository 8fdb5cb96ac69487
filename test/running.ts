// Batches that a test meets while they run.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BatchId } from "../src/model/batch-id.ts";
import { livenessOf } from "../src/platform/process.ts";
import type { ProcessIdentity } from "../src/platform/process-identity.ts";
import type { BatchRow } from "../src/store/store.ts";
import { asked } from "./fake-notes.ts";
import { eventually, type Home, type TestClient } from "./harness.ts";

/** The row of the newest batch, once there is a store. */
export function newestRow(home: Home): BatchRow | undefined {
  if (!existsSync(join(home.state, "store.sqlite"))) return undefined;
  using store = home.store();
  return store.list({ limit: 1 })[0];
}

/** Resolves with the row of the newest batch once exactly this many of its tasks run. */
export async function untilRunning(home: Home, count = 1): Promise<BatchRow> {
  let row = newestRow(home);
  await eventually(
    () => {
      row = newestRow(home);
      return row?.counts.running === count;
    },
    () => `not ${count} running: ${JSON.stringify(row)}`,
  );
  if (!row) throw new Error("There is no batch");
  return row;
}

/**
 * Resolves with keeper and runner of the newest batch once both live. A batch may run before its keeper is noted, and after a
 * hand-over, the row names the last ones until the next ones are there.
 */
export async function untilKept(home: Home): Promise<[keeper: ProcessIdentity, runner: ProcessIdentity]> {
  let row = newestRow(home);
  const isAlive = (one?: ProcessIdentity) => one !== undefined && livenessOf(one) === "alive";
  await eventually(
    () => {
      row = newestRow(home);
      return isAlive(row?.keeper) && isAlive(row?.runner);
    },
    () => `no keeper or no runner: ${JSON.stringify(row)}`,
  );
  if (!row?.keeper || !row.runner) throw new Error("They have gone");
  return [row.keeper, row.runner];
}

/** Until `count` sessions were asked something: a task can be said to run a moment before, and a kill then finds no prompt. */
export async function untilAsked(home: Home, count = 1): Promise<void> {
  await eventually(
    () => asked(home).length >= count,
    () => `${asked(home).length} were asked instead of ${count}`,
  );
}

/** Starts a batch one task at a time, unless it says otherwise, and resolves with its id once `running` tasks run. */
export async function startRunning(
  home: Home,
  client: TestClient,
  batch: object,
  running = 1,
): Promise<BatchId> {
  await client.call("spawn_parallel_claude_sessions", { concurrency: running, ...batch, asyncMode: true });
  return (await untilRunning(home, running)).batchId;
}
