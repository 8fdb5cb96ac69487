// Runs a batch of one task that is asked for again at the moment the batch ends, and prints how many slots were taken
// then and afterwards. It is a program of its own, because a process that has run a batch takes in orphans from then
// on.
import { runBatch } from "../../src/engine/runner/runner.ts";
import { canRetry } from "../../src/model/state.ts";
import { eventually } from "../harness.ts";
import { began, gate, log, retry, store } from "./printed-batch.ts";

const slots = () =>
  store.database.query("SELECT count(*) AS n FROM pool_slots WHERE pool <> 'starting'").values()[0]?.[0];
let isRetried = false;
const running = runBatch(store, log, {
  watching: ({ tasks, endedAt }) => {
    if (isRetried || endedAt !== undefined || !tasks.every(canRetry)) return;
    isRetried = true;
    // The task has ended, and the batch has not yet.
    Bun.spawnSync(["rm", gate, began]);
    retry();
  },
});
await eventually(
  () => isRetried && log.state.counts.running === 1,
  () => `it does not run again: ${JSON.stringify(log.state.counts)}`,
);
const whileRunning = slots();
await Bun.write(gate, "");
const hasRun = await running;
console.log(
  JSON.stringify({
    whileRunning,
    afterwards: slots(),
    hasRun,
    attempts: log.state.tasks[0]?.attempts.length,
  }),
);
