// Runs a batch of one task as a worker does, with one store for all: the hold that stops the task is lifted through the same
// connection. Prints what became of it.
import { runBatch } from "../../src/engine/runner/runner.ts";
import { clock } from "../../src/platform/clock.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Holds } from "../../src/store/holds.ts";
import { id, log, store } from "./printed-batch.ts";

const hold = { kind: "usage-limit", model: "" } as const;
const holds = new Holds(store.database, log.state.account.hash);
const now = Date.now();
holds.place({ ...hold, since: now, until: now + 3_600_000, because: "held", tries: 0 });
// A keeper would have a connection of its own.
store.claimKeeper(id, ownIdentity());
let beats = 0;
using _beats = clock.on("beat", () => {
  // The first looks read everything.
  if (++beats === 4) holds.lift(hold);
  // As long as it waits for an hour, it looks rarely.
  clock.soon("rest");
});
const hasRun = await runBatch(store, log, { isUnseen: true });
const { attempts = [] } = log.state.tasks[0] ?? {};
console.log(JSON.stringify({ hasRun, wasHeld: beats >= 4, hasBegun: attempts.length > 0 }));
