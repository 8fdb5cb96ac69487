// Runs a batch whose task somebody asks for again, with another directory, between the plan of its attempt and what the log
// says of it. Prints how it went then.
import { spyOn } from "bun:test";
import { Sweeper } from "../../src/claude/sweep.ts";
import { resultTextOf } from "../../src/engine/output/result-text.ts";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { StartBackoff } from "../../src/engine/scheduler/start-backoff.ts";
import { Store } from "../../src/store/store.ts";
import { began, id, log, store } from "./printed-batch.ts";

using other = new Store(store.layout.stateDirectory);
let isRetried = false;
function retryOnce(): void {
  if (isRetried) return;
  isRetried = true;
  const options = { workingDirectory: `${began}-elsewhere` };
  other.batch(id)?.append(() => [{ type: "retry-requested", tasks: [], options, changed: [1] }]);
}
// A session was started, or its directory was not there.
const start = Sweeper.prototype.started;
spyOn(Sweeper.prototype, "started").mockImplementation(function (this: Sweeper, ...session) {
  retryOnce();
  start.apply(this, session);
});
const { release } = StartBackoff.prototype;
spyOn(StartBackoff.prototype, "release").mockImplementation(function (this: StartBackoff, number) {
  retryOnce();
  release.call(this, number);
});
await runBatch(store, log);
const [task] = log.state.tasks;
const answer = task?.status === "done" ? resultTextOf(task, 1_000).text : task?.status;
console.log(JSON.stringify({ isRetried, answer, attempts: task?.attempts.length }));
