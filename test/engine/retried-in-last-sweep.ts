// Runs a batch of one task that is retried while the runner ends the last processes of its sessions, and whose session
// then runs before that is over. Prints whether the files that the session uses were there at each of these sweeps.
import { spyOn } from "bun:test";
import { existsSync } from "node:fs";
import { Sweeper } from "../../src/claude/sweep.ts";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { eventually } from "../harness.ts";
import { began, gate, id, log, retry, store } from "./printed-batch.ts";

const folderAtSweep: boolean[] = [];
const runsAgain = () =>
  eventually(
    () => existsSync(began),
    () => `it does not run again: ${JSON.stringify(log.state.counts)}`,
  );
const retriedOnce = async () => {
  folderAtSweep.push(existsSync(store.layout.privateFolder(id)));
  if (folderAtSweep.length > 1) return;
  Bun.spawnSync(["rm", gate, began]);
  retry();
  await runsAgain();
  Bun.spawnSync(["touch", gate]);
};
spyOn(Sweeper.prototype, "sweepShared").mockImplementation(retriedOnce);
const hasRun = await runBatch(store, log);
console.log(JSON.stringify({ hasRun, folderAtSweep, attempts: log.state.tasks[0]?.attempts.length }));
