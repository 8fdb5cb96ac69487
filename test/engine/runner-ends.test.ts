// How a runner begins and ends where that is not as simple as usual.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { Home } from "../harness.ts";
import { failingBatch, printedBy } from "./failing-batch.ts";

test("a batch that is retried while its last processes are ended keeps the files that its session uses", async () => {
  await using home = new Home();
  using store = home.store();
  const log = failingBatch(home, store, { mcpConfig: { mcpServers: {} } });
  await Bun.write(home.file("gate"), "");
  expect(await printedBy("retried-in-last-sweep.ts", home, log)).toEqual({
    isCarried: true,
    folderAtSweep: [true, true],
    attempts: 2,
  });
  expect(existsSync(store.layout.privateFolder(log.batchId))).toBe(false);
});
