// Announces the end of a batch from a process with an output of its own, as that of a command in a terminal. Its arguments: the
// state directory, and the batch.
import "./of-program.ts";
import { startNotifier } from "../../src/engine/runner/start-processes.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { Store } from "../../src/store/store.ts";

const [stateDirectory = "", batchId = ""] = process.argv.slice(2);
using store = new Store(stateDirectory);
startNotifier(store, batchIdSchema.parse(batchId));
console.log('"started"');
