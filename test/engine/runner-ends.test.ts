// How a runner begins and ends where that is not as simple as usual.
import { expect, spyOn } from "bun:test";
import { chmodSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { startNotifier } from "../../src/engine/runner/start-processes.ts";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";
import { failingBatch, printedBy } from "./gated-batch.ts";

testNeeding("programs that are scripts")(
  "a batch that is retried while its last processes are ended keeps the files that its session uses",
  async () => {
    await using home = new Home();
    using store = home.store();
    const log = failingBatch(home, store, { mcpConfig: { mcpServers: {} } });
    await Bun.write(home.file("gate"), "");
    expect(await printedBy("retried-in-last-sweep.ts", home, log)).toEqual({
      hasRun: true,
      folderAtSweep: [true, true],
      attempts: 2,
    });
    expect(existsSync(store.layout.privateFolder(log.batchId))).toBe(false);
  },
);

testNeeding("programs that are scripts")(
  "a disk that is full when a runner begins is waited for",
  async () => {
    await using home = new Home();
    using store = home.store();
    const log = failingBatch(home, store);
    await Bun.write(home.file("gate"), "");
    expect(await printedBy("full-at-its-start.ts", home, log)).toEqual({ hasRun: true, tries: 3 });
    log.refresh();
    expect(log.state).toMatchObject({ epoch: 1, counts: { failed: 1 } });
  },
);

testNeeding("programs that are scripts")(
  "a session whose task is cancelled before its start is in the log is ended with all that it started",
  async () => {
    await using home = new Home();
    using store = home.store();
    const claude = home.file("deaf-claude");
    const deaf = 'trap "" INT TERM HUP; setsid sleep 1000 & while true; do sleep 1; done';
    await Bun.write(claude, `#!/bin/sh\n${deaf}\n`);
    chmodSync(claude, 0o755);
    const log = failingBatch(home, store, {}, { claudePath: claude });
    expect(await printedBy("cancelled-at-its-start.ts", home, log)).toEqual({
      hasRun: true,
      cancelled: 1,
      attempts: 0,
    });
    await home.empty();
  },
);

testNeeding("programs that are scripts")(
  "a job of a worker goes on when another job, which writes through the same store, has lifted a hold",
  async () => {
    await using home = new Home();
    using store = home.store();
    const log = failingBatch(home, store);
    await Bun.write(home.file("gate"), "");
    expect(await printedBy("one-store-for-jobs.ts", home, log)).toEqual({
      hasRun: true,
      wasHeld: true,
      hasBegun: true,
    });
  },
);

testNeeding("programs that are scripts")(
  "a cancel that cannot be read at once, because the store is locked, is read on the next beat",
  async () => {
    await using home = new Home();
    using store = home.store();
    const log = failingBatch(home, store);
    expect(await printedBy("unread-at-a-cancel.ts", home, log)).toEqual({
      hasRun: true,
      failures: 1,
      cancelled: 1,
    });
  },
);

for (const [what, directory] of [
  ["its session", "."],
  ["the end of one that could not start", "gone"],
] as const)
  testNeeding("programs that are scripts")(
    `a task that gets other options before ${what} is in the log runs with these alone`,
    async () => {
      await using home = new Home();
      using store = home.store();
      const elsewhere = `${home.file("started")}-elsewhere`;
      mkdirSync(elsewhere);
      const options = { workingDirectory: join(home.work, directory) };
      const log = failingBatch(home, store, {}, { tasks: [{ prompt: "[[cwd]]", options }] });
      expect(await printedBy("retried-at-its-start.ts", home, log)).toEqual({
        isRetried: true,
        answer: realpathSync(elsewhere),
        attempts: 1,
      });
    },
  );

testNeeding("programs that are scripts")(
  "a task whose prerequisite is asked for again while its session starts waits for the new answer",
  async () => {
    await using home = new Home();
    using store = home.store();
    const tasks = [
      { prompt: '[[answer text="parsed"]]' },
      { prompt: '[[recite path="{{results.1}}"]]', after: [1], results: { 1: 1 } },
    ];
    const log = failingBatch(home, store, {}, { tasks });
    expect(await printedBy("prerequisite-retried-at-a-start.ts", home, log)).toEqual({
      answer: "parsed",
      readLast: true,
      attempts: [2, 1],
    });
  },
);

testNeeding("programs that are scripts")(
  "what sessions are doing is written down at most once a beat, however many there are",
  async () => {
    await using home = new Home();
    using store = home.store();
    const steps = Array.from({ length: 40 }, (_, at) => `[[tool name=Bash input="step ${at}" ms=60]]`);
    const tasks = Array.from({ length: 6 }, () => ({ prompt: `${steps.join(" ")} [[answer text="done"]]` }));
    const log = failingBatch(home, store, {}, { tasks, concurrency: 6, slots: 6 });
    const { writes, words, beats } = z
      .object({ writes: z.number(), words: z.number(), beats: z.number() })
      .parse(await printedBy("busy-sessions.ts", home, log));
    expect(writes).toBeGreaterThan(0);
    expect(words).toBeGreaterThan(writes);
    expect(writes).toBeLessThanOrEqual(beats);
  },
);

testNeeding("programs that are scripts")(
  "a notice that cannot be given is lost, and nothing else is",
  async () => {
    await using home = new Home();
    using store = home.store();
    const { batchId } = failingBatch(home, store);
    using complaints = spyOn(console, "error").mockImplementation(() => undefined);
    Bun.spawnSync(["rm", "-r", home.state]);
    startNotifier(store, batchId);
    expect(complaints.mock.calls[0]?.[0]).toContain(`The end of ${batchId} cannot be announced`);
  },
);
