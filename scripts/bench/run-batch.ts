// Has the runner process run a batch, as its keeper would, and tells what that process cost.
import { join } from "node:path";
import { hiddenCommands } from "../../src/engine/runner/hidden-commands.ts";
import { bunSwitches } from "../../src/engine/runner/spawn-self.ts";
import { newBatchId } from "../../src/model/batch-id.ts";
import { accountOf } from "../../src/operations/account.ts";
import { Store } from "../../src/store/store.ts";
import type { Cost, Workshop } from "./workshop.ts";

/** A batch of this many tasks in its own store, with log, transcripts, result files and page. */
export async function runBatch(workshop: Workshop, tasks: number): Promise<Cost> {
  const [program, child] = [await workshop.program(), await workshop.child()];
  const directory = workshop.newDirectory();
  const stateDirectory = join(directory, "state");
  const batchId = newBatchId();
  {
    using store = new Store(stateDirectory);
    const batch = {
      batchId,
      startedBy: "spawn_parallel_claude_sessions" as const,
      asyncMode: true,
      tasks: Array.from({ length: tasks }, (_, index) => ({ prompt: `What is 2 + ${index}?` })),
      sessionOptions: { allowedTools: "Read,Edit,Bash(git log:*)", model: "opus" },
      concurrency: workshop.extent.concurrency,
      failureMode: "continue" as const,
      outputDirectory: join(directory, "output"),
      claudePath: child,
      workingDirectory: directory,
    };
    const account = accountOf(workshop.environment, store.salt());
    store.create({ type: "batch-created", batch, account }, Date.now());
  }
  const environment = { ...workshop.environment, ...bunSwitches };
  const cost = await workshop.cost([program, hiddenCommands.runner, stateDirectory, batchId], environment);
  using store = new Store(stateDirectory);
  const row = store.row(batchId);
  if (row?.endedAt === undefined || row.counts.succeeded !== tasks)
    throw new Error(`Batch ${batchId} did not end well: ${JSON.stringify(row?.counts)}`);
  return cost;
}
