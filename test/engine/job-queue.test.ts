// Jobs are done one after another, and none after one that failed or a stop.
import { expect, test } from "bun:test";
import { JobQueue } from "../../src/engine/output/job-queue.ts";

function queue() {
  const done: string[] = [];
  const failures: unknown[] = [];
  const jobs = new JobQueue((error) => failures.push(error));
  const add = (name: string, wait?: Promise<unknown>) =>
    jobs.add(async () => {
      await wait;
      done.push(name);
    });
  return { jobs, done, failures, add };
}

test("a job begins when the one before it has ended", async () => {
  const { done, add } = queue();
  const gate = Promise.withResolvers<void>();
  const first = add("first", gate.promise);
  const second = add("second");
  gate.resolve();
  await second;
  expect(done).toEqual(["first", "second"]);
  await first;
  await add("third");
  expect(done).toEqual(["first", "second", "third"]);
});

test("after a job that failed none is done, and whoever waits goes on", async () => {
  const { jobs, done, failures, add } = queue();
  const error = new Error("broken");
  await jobs.add(() => Promise.reject(error));
  await add("next");
  expect({ done, failures }).toEqual({ done: [], failures: [error] });
});

test("a stop leaves the job at hand to its end, and does no other", async () => {
  const { jobs, done, failures, add } = queue();
  const gate = Promise.withResolvers<void>();
  const first = add("first", gate.promise);
  // It has begun by the next turn.
  await Promise.resolve();
  const second = add("second");
  jobs.stop();
  gate.resolve();
  await Promise.all([first, second]);
  expect({ done, failures }).toEqual({ done: ["first"], failures: [] });
});
