// Runs a batch of one task that is retried while the runner ends the last processes of its sessions, and whose session
// then runs before that is over. Prints whether the files that the session uses were there at each of these sweeps.
// Its arguments: the state directory, the batch, the gate that its task waits for, and the file that the task creates.
import { spyOn } from "bun:test";
import { existsSync } from "node:fs";
import { Sweeper } from "../../src/claude/sweep.ts";
import { runBatch } from "../../src/engine/runner.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { Store } from "../../src/store/store.ts";
import { eventually } from "../harness.ts";

const [stateDirectory = "", batchId = "", gate = "", began = ""] = process.argv.slice(2);
const id = batchIdSchema.parse(batchId);
using store = new Store(stateDirectory);
using other = new Store(stateDirectory);
const log = store.batch(id);
if (!log) throw new Error("There is no such batch");

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
  other.batch(id)?.append(() => [{ type: "retry-requested", tasks: [1] }]);
  await runsAgain();
  Bun.spawnSync(["touch", gate]);
};
spyOn(Sweeper.prototype, "sweepShared").mockImplementation(retriedOnce);
const isCarried = await runBatch(store, log);
console.log(JSON.stringify({ isCarried, folderAtSweep, attempts: log.state.tasks[0]?.attempts.length }));
