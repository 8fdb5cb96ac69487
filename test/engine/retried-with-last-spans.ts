// Runs a batch of one task that is asked for again while its runner waits for somebody who takes the last span, and prints
// what the runner has done about that. It is a program of its own, because a process that has run a batch takes in orphans
// from then on.
import { runBatch } from "../../src/engine/runner/runner.ts";
import { Store } from "../../src/store/store.ts";
import { OtlpReceiver } from "./otlp-receiver.ts";
import { id, log, retry, store } from "./printed-batch.ts";

await using receiver = new OtlpReceiver();
const { promise: never } = Promise.withResolvers<Response>();
const isLast = Promise.withResolvers<void>();
receiver.answers.push(
  // The span of the attempt.
  () => new Response(),
  () => {
    isLast.resolve();
    return never;
  },
);
process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.address;
// Longer than a runner needs to see what others ask for.
process.env["OTEL_EXPORTER_OTLP_TIMEOUT"] = "1500";
// That nobody has taken the span is said there.
console.error = () => undefined;
const running = runBatch(store, log);
await isLast.promise;
retry();
const hasRun = await running;
using other = new Store(store.layout.stateDirectory);
const task = other.batch(id)?.state.tasks[0];
console.log(JSON.stringify({ hasRun, status: task?.status, attempts: task?.attempts.length }));
process.exit();
