// Runs a batch that somebody cancels at a moment in which the store cannot be read. Prints how often it could not be, and
// what was cancelled.
import "./of-program.ts";
import { spyOn } from "bun:test";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { Holds } from "../../src/store/holds.ts";
import { Store } from "../../src/store/store.ts";
import { eventually } from "../harness.ts";
import { id, log, store } from "./printed-batch.ts";

using other = new Store(store.layout.stateDirectory);
const { all } = Holds.prototype;
let mustFail = false;
let failures = 0;
spyOn(Holds.prototype, "all").mockImplementation(function (this: Holds) {
  if (!mustFail) return all.call(this);
  mustFail = false;
  failures++;
  throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
});
const running = runBatch(store, log);
const row = () => other.row(id);
// Its keeper is the last one to write to the store, except for us.
await eventually(
  () => row()?.counts.running === 1 && row()?.keeper !== undefined,
  () => JSON.stringify(row()),
);
mustFail = true;
other.batch(id)?.append(() => [{ type: "cancel-requested", by: "user" }]);
const hasRun = await running;
console.log(JSON.stringify({ hasRun, failures, cancelled: log.state.counts.cancelled }));
