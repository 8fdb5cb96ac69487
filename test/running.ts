// Batches that a test meets while they run.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BatchId } from "../src/model/batch-id.ts";
import type { BatchRow } from "../src/store/store.ts";
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
