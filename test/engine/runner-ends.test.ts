// How a runner begins and ends where that is not as simple as usual.
import { expect, spyOn, test } from "bun:test";
import { existsSync } from "node:fs";
import { startNotifier } from "../../src/engine/start.ts";
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

test("a disk that is full when a runner begins is waited for", async () => {
  await using home = new Home();
  using store = home.store();
  const log = failingBatch(home, store);
  await Bun.write(home.file("gate"), "");
  expect(await printedBy("full-at-its-start.ts", home, log)).toEqual({ isCarried: true, tries: 3 });
  log.refresh();
  expect(log.state).toMatchObject({ epoch: 1, counts: { failed: 1 } });
});

test("a notice that cannot be given is lost, and nothing else is", async () => {
  await using home = new Home();
  using store = home.store();
  const { batchId } = failingBatch(home, store);
  using complaints = spyOn(console, "error").mockImplementation(() => undefined);
  Bun.spawnSync(["rm", "-r", home.state]);
  startNotifier(store, batchId);
  expect(complaints.mock.calls[0]?.[0]).toContain(`The end of ${batchId} cannot be announced`);
});
