// `bun run bench:estimate`: how often the estimate after 2 % of the tasks holds what the rest then costs, and how wide it is.
import { families } from "../../test/fixtures/costs/families.ts";
import { batchSizes, simulated } from "../../test/fixtures/costs/simulated.ts";

const batches = Number(process.argv[2] ?? 1_000);
console.log(`Of ${batches} simulated batches each, after 2 % of the tasks. Width: high / low.\n`);
console.log("distribution                        tasks   held   above   width, median   9 in 10");
for (const family of families)
  for (const tasks of batchSizes) {
    const { heldPercent, abovePercent, medianRatio, ninthRatio } = simulated(family, tasks, { batches });
    console.log(
      [
        family.name.padEnd(34),
        String(tasks).padStart(6),
        `${heldPercent.toFixed(1)} %`.padStart(8),
        `${abovePercent.toFixed(1)} %`.padStart(7),
        medianRatio.toFixed(1).padStart(15),
        ninthRatio.toFixed(1).padStart(9),
      ].join(""),
    );
  }
