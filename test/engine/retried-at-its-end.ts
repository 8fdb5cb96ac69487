// Carries a batch of one task that is asked for again at the moment the batch ends, and prints how many slots were taken
// then and afterwards. It is a program of its own, because a process that has carried a batch takes in orphans from then
// on. Its arguments: the state directory, the batch, the gate that its task waits for, and the file that the task makes.
import { runBatch } from "../../src/engine/runner.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { canRetry } from "../../src/model/state.ts";
import { Store } from "../../src/store/store.ts";
import { eventually } from "../harness.ts";

const [stateDirectory = "", batchId = "", gate = "", began = ""] = process.argv.slice(2);
const id = batchIdSchema.parse(batchId);
using store = new Store(stateDirectory);
using other = new Store(stateDirectory);
const log = store.batch(id);
if (!log) throw new Error("There is no such batch");

const slots = () =>
  store.database.query("SELECT count(*) AS n FROM pool_slots WHERE pool <> 'starting'").values()[0]?.[0];
let isRetried = false;
const running = runBatch(store, log, {
  watching: ({ tasks, endedAt }) => {
    if (isRetried || endedAt !== undefined || !tasks.every(canRetry)) return;
    isRetried = true;
    // The task has ended, and the batch has not yet.
    Bun.spawnSync(["rm", gate, began]);
    other.batch(id)?.append(() => [{ type: "retry-requested", tasks: [1] }]);
  },
});
await eventually(
  () => isRetried && log.state.counts.running === 1,
  () => `it does not run again: ${JSON.stringify(log.state.counts)}`,
);
const whileRunning = slots();
await Bun.write(gate, "");
const isCarried = await running;
console.log(
  JSON.stringify({
    whileRunning,
    afterwards: slots(),
    isCarried,
    attempts: log.state.tasks[0]?.attempts.length,
  }),
);
