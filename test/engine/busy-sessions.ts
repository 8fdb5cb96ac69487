// Runs a batch and prints how often its runner wrote down what sessions are doing, how many such words there were, and on
// how many beats it looked around.
import { spyOn } from "bun:test";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { Store } from "../../src/store/store.ts";
import { log, store } from "./printed-batch.ts";

const writes = spyOn(Store.prototype, "setActivities");
const beats = spyOn(Store.prototype, "changeCount");
await runBatch(store, log);
const words = writes.mock.calls.reduce((sum, [, activities]) => sum + activities.size, 0);
console.log(JSON.stringify({ writes: writes.mock.calls.length, words, beats: beats.mock.calls.length }));
