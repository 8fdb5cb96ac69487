// A retry that comes in the moment in which its batch ends.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { fakeDirectory, Home } from "../harness.ts";
import { batchOf } from "../store/samples.ts";

test("a batch that is retried as it ends runs no session without a slot", async () => {
  await using home = new Home();
  using store = home.store();
  const [gate, began] = [home.file("gate"), home.file("began")];
  const founding = batchOf(1);
  const log = store.create(
    {
      ...founding,
      batch: {
        ...founding.batch,
        // Fails at once for as long as the gate is open.
        tasks: [{ prompt: `[[touch path=${began}]] [[wait-for-file path=${gate}]] [[max-turns]]` }],
        sessionOptions: { retries: 0 },
        concurrency: 1,
        slots: 1,
        outputDirectory: home.output,
        claudePath: join(fakeDirectory, "claude"),
        workingDirectory: home.work,
      },
    },
    Date.now(),
  );
  await Bun.write(gate, "");
  const carrier = Bun.spawn(
    [process.execPath, join(import.meta.dir, "retried-at-its-end.ts"), home.state, log.batchId, gate, began],
    { env: home.environment, stdout: "pipe", stderr: "pipe" },
  );
  const [out, err] = await Promise.all([carrier.stdout.text(), carrier.stderr.text()]);
  expect(err).toBe("");
  expect(JSON.parse(out)).toEqual({ whileRunning: 1, afterwards: 0, isCarried: true, attempts: 2 });
});
