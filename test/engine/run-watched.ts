// Runs a batch as the program does, and prints whether it did so to the end. Its arguments: the state directory, the batch,
// and `unattended` where nobody is there who could log in.
import "./of-program.ts";
import { runBatch } from "../../src/engine/runner/runner.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { Store } from "../../src/store/store.ts";

const [stateDirectory = "", batchId = "", unattended] = process.argv.slice(2);
const store = new Store(stateDirectory);
const log = store.batch(batchIdSchema.parse(batchId));
if (!log) throw new Error("There is no such batch");
const isAttended = unattended === undefined;
console.log(await runBatch(store, log, isAttended ? {} : { isAttended }));
// What is left of a runner that was replaced has no business here any more.
process.exit();
