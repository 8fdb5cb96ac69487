// The batch that a program of these tests runs, as `printedBy` names it: the state directory, the batch, the gate that its
// task waits for, and the file that the task makes.
import { batchIdSchema } from "../../src/model/batch-id.ts";
import { Store } from "../../src/store/store.ts";

const [stateDirectory = "", batchId = "", gate = "", began = ""] = process.argv.slice(2);

export { began, gate };
export const id = batchIdSchema.parse(batchId);
export const store = new Store(stateDirectory);

const found = store.batch(id);
if (!found) throw new Error("There is no such batch");
export const log = found;

/** As somebody else asks for the task again. */
export function retry(): void {
  using other = new Store(stateDirectory);
  other.batch(id)?.append(() => [{ type: "retry-requested", tasks: [1] }]);
}
