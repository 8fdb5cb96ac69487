// A retry that comes in the moment in which its batch ends.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { runBatch } from "../../src/engine/runner.ts";
import { canRetry } from "../../src/model/state.ts";
import { eventually, fakeDirectory, Home } from "../harness.ts";
import { batchOf } from "../store/samples.ts";

test("a batch that is retried as it ends runs no session without a slot", async () => {
  await using home = new Home();
  using store = home.store();
  using other = home.store();
  const gate = home.file("gate");
  const founding = batchOf(1);
  const log = store.create(
    {
      ...founding,
      batch: {
        ...founding.batch,
        // Fails at once for as long as the gate is closed.
        tasks: [
          { prompt: `[[touch path=${home.file("began")}]] [[wait-for-file path=${gate}]] [[max-turns]]` },
        ],
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
  const before = { ...process.env };
  Object.assign(process.env, home.environment);
  let retried = false;
  const slots = () =>
    store.database.query("SELECT count(*) AS n FROM pool_slots WHERE pool <> 'starting'").get();
  const running = runBatch(store, log, {
    watching: ({ tasks, endedAt }) => {
      if (retried || endedAt !== undefined || !tasks.every(canRetry)) return;
      retried = true;
      // The task has ended, and the batch has not yet.
      Bun.spawnSync(["rm", gate, home.file("began")]);
      other.batch(log.batchId)?.append(() => [{ type: "retry-requested", tasks: [1] }]);
    },
  });
  try {
    await eventually(
      () => retried && log.state.counts.running === 1,
      () => `it does not run again: ${JSON.stringify(log.state.counts)}`,
    );
    expect(slots()).toEqual({ n: 1 });
    await Bun.write(gate, "");
    expect(await running).toBe(true);
    expect(log.state.tasks[0]?.attempts).toHaveLength(2);
    expect(slots()).toEqual({ n: 0 });
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
});
