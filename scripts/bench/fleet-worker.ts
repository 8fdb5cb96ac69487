// A worker of a fleet whose tasks take no time: what is left is the cost of queue and ledger. Run by `fleet.ts`.
import { fleetTiming } from "../../src/fleet/timing.ts";
import { FleetWorker } from "../../src/fleet/worker-queue.ts";

const [url = "", key = "", name = "", slots = "8"] = process.argv.slice(2);
await FleetWorker.start({
  place: { url },
  key,
  name,
  slots: Number(slots),
  timing: fleetTiming(),
  run: async () => ({
    kind: "result",
    result: {
      kind: "ended",
      worker: name,
      outcome: { kind: "succeeded", length: 1, offset: 0 },
      attempts: 1,
      usage: { costUsd: 0, numTurns: 1, durationMs: 1 },
    },
  }),
  putAside: () => Promise.reject(new Error("Nothing here is that long")),
  say: (text) => console.error(text),
});
console.log("ready");
