// Runs jobs as a worker does, and prints what became of them. A process that has run a batch takes in orphans from then on, so no
// test runs one in its own process. `gate`: the file that the first one waits for.
import { existsSync } from "node:fs";
import { newContext } from "../../src/operations/context.ts";
import { JobBatches, type JobTask } from "../../src/operations/job-batches.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import "../engine/of-program.ts";
import { eventually } from "../harness.ts";

const [gate = ""] = process.argv.slice(2);
const context = newContext("tools");
const batches = new JobBatches(context);

async function begin(task: string, options: object = {}): Promise<JobTask> {
  const input = { tasks: [{ task, workingDirectory: process.cwd() }], ...options };
  // No keeper of its own is started then.
  const keeper = ownIdentity();
  const begun = await batches.begin(input, { keeper, keepsSpending: true, changed: () => undefined });
  if (!begun.ok) throw new Error(JSON.stringify(begun.faults));
  return begun.value;
}

async function endOf(task: JobTask): Promise<string> {
  await task.ended;
  return task.state.status === "done" ? task.state.outcome.kind : task.state.status;
}

const place = ({ batch, state }: JobTask) => [batch.batchId, state.number] as const;

const waits = await begin(`[[wait-for-file path=${gate}]] [[answer text=first]]`);
const [shared] = place(waits);
const hangs = await begin("[[hang]]");
const budget = { batchBudgetUsd: 5 };
const alone = await begin("[[answer text=alone]]", budget);
const beside = await begin("[[answer text=beside]]", budget);
const alike = [hangs, alone, beside].map((one) => place(one)[0] === shared);
const apart = place(alone)[0] !== place(beside)[0];
await eventually(
  () => hangs.state.status === "running",
  () => hangs.state.status,
);
hangs.stop();
const stopped = await endOf(hangs);
const whileStopped = waits.state.status;
const others = [await endOf(alone), await endOf(beside)];
await Bun.write(gate, "");
const answered = await endOf(waits);
const [attempt] = waits.state.attempts;
const transcript = attempt?.transcript ?? "";
const before = existsSync(transcript);
waits.tidy();
const after = existsSync(transcript);
const stays = context.store.row(shared) !== undefined;
hangs.tidy();
await eventually(
  () => context.store.row(shared) === undefined,
  () => "the batch is still there",
);
const both = ["[[answer text=next]]", "[[answer text=last]]"];
const next = await Promise.all(both.map((task) => begin(task)));
const [first, second] = next.map((one) => place(one)[0]);
await Promise.all(next.map(endOf));
console.log(
  JSON.stringify({
    alike,
    apart,
    stopped,
    whileStopped,
    others,
    answered,
    transcript: [before, after],
    stays,
    folder: existsSync(context.store.layout.batchDirectory(shared)),
    isNew: first !== shared,
    together: first === second,
  }),
);
