// Runs a batch whose first task somebody asks for again while the session of the second one, which reads its answer, is
// started. Prints what was read, and which of both came last.
import { spyOn } from "bun:test";
import { Sweeper } from "../../src/claude/sweep.ts";
import { resultTextOf } from "../../src/engine/output/result-text.ts";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { Store } from "../../src/store/store.ts";
import { id, log, store } from "./printed-batch.ts";

using other = new Store(store.layout.stateDirectory);
let starts = 0;
const start = Sweeper.prototype.started;
spyOn(Sweeper.prototype, "started").mockImplementation(function (this: Sweeper, ...session) {
  starts++;
  if (starts === 2) other.batch(id)?.append(() => [{ type: "retry-requested", tasks: [], succeeded: [1] }]);
  start.apply(this, session);
});
await runBatch(store, log);
const [first, second] = log.state.tasks;
const answer = second?.status === "done" ? resultTextOf(second, 1_000).text : second?.status;
const readLast = (second?.attempts.at(-1)?.startedAt ?? 0) >= (first?.attempts.at(-1)?.endedAt ?? Infinity);
console.log(
  JSON.stringify({ answer, readLast, attempts: [first?.attempts.length, second?.attempts.length] }),
);
