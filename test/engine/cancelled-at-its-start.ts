// Runs a batch whose task somebody cancels after its session was started and before that is in the log. Prints what is
// in the log then.
import { spyOn } from "bun:test";
import { Sweeper } from "../../src/claude/sweep.ts";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { Store } from "../../src/store/store.ts";
import { id, log, store } from "./printed-batch.ts";

using other = new Store(store.layout.stateDirectory);
const { started } = Sweeper.prototype;
spyOn(Sweeper.prototype, "started").mockImplementation(function (this: Sweeper, ...session) {
  other.batch(id)?.append(() => [{ type: "cancel-requested", by: "user" }]);
  started.apply(this, session);
});
const hasRun = await runBatch(store, log);
const { counts, tasks } = log.state;
console.log(JSON.stringify({ hasRun, cancelled: counts.cancelled, attempts: tasks[0]?.attempts.length }));
