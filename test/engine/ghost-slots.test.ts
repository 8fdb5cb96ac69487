// A retry that comes in the moment in which its batch ends, or directly afterwards.
import { expect } from "bun:test";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";
import { failingBatch, printedBy } from "./gated-batch.ts";

testNeeding("programs that are scripts")(
  "a batch that is retried as it ends runs no session without a slot",
  async () => {
    await using home = new Home();
    using store = home.store();
    const log = failingBatch(home, store);
    await Bun.write(home.file("gate"), "");
    expect(await printedBy("retried-at-its-end.ts", home, log)).toEqual({
      whileRunning: 1,
      afterwards: 0,
      hasRun: true,
      attempts: 2,
    });
  },
);

testNeeding("programs that are scripts")(
  "a batch that is retried while its runner still sends the last span is left to the next runner",
  async () => {
    await using home = new Home();
    using store = home.store();
    const log = failingBatch(home, store);
    await Bun.write(home.file("gate"), "");
    expect(await printedBy("retried-with-last-spans.ts", home, log)).toEqual({
      hasRun: true,
      status: "queued",
      attempts: 1,
    });
  },
);
