// Resumes what has lost its processes in a store, as every call of the program does first. Prints the batches that it
// found. Its arguments: the state directory, and the account.
import "./of-program.ts";
import { resumeBatches } from "../../src/engine/runner/resume-batches.ts";
import { Store } from "../../src/store/store.ts";

const [stateDirectory = "", hash = ""] = process.argv.slice(2);
using store = new Store(stateDirectory);
const resumed = await resumeBatches(store, { hash, environment: {} });
console.log(JSON.stringify(resumed.map(({ batchId }) => batchId).sort()));
