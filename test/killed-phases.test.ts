// A batch with all parts whose processes are killed at fixed points of each phase, each once: nothing is lost, and nothing is paid
// twice. What `scenario.ts` expects in the end is the same wherever they were killed.
import { setDefaultTimeout, test } from "bun:test";
import type { Kill } from "./kills/kill.ts";
import { type Losses, Scenario } from "./kills/scenario.ts";

setDefaultTimeout(180_000);

const door = (at: string): Kill => ({ at });
const runner = (at: string): Kill => ({ at });
const both = (at: string): Kill => ({ at, keeper: true });

function survives(title: string, kills: readonly Kill[], losses: Losses = {}): void {
  test(title, async () => {
    await using scenario = new Scenario();
    await scenario.survives(kills, losses);
  });
}

survives("the door while it plans and creates the batch, and the first keeper and runner", [
  door("before batch-created"),
  door("after batch-created"),
  runner("after keeper"),
  both("after runner 1"),
]);

survives("runners that look for remembered answers", [
  runner("in a look-up"),
  both("before reuse-checked"),
  both("before use is noted"),
]);

survives(
  "runners at the starts of sessions, of a task and of a question, and at the end of an answer that did not pass",
  [
    runner("before attempt-started 3"),
    both("after attempt-started 3"),
    both("before attempt-ended 3"),
    both("after attempt-ended 3"),
    both("after attempt-started 3.2"),
    both("before check-started 3"),
    both("after check-started 3"),
  ],
  { unprompted: [5], forgotten: [1] },
);

survives("runners that pause after the sample, and doors that continue", [
  runner("before batch-paused"),
  both("after batch-paused"),
  door("before continue-requested"),
  door("after continue-requested"),
]);

survives(
  "runners that remember an answer",
  [
    runner("before an answer is remembered"),
    both("between transcript and row of an answer"),
    both("after an answer is remembered"),
  ],
  { forgotten: [2, 3] },
);

survives(
  "runners that end an equal task, between the last task and its summary, and in groups and whole of it",
  [
    runner("after attempt-ended 2"),
    // The session of the next task may run by then.
    both("before attempt-ended 4"),
    both("before tasks-added"),
    both("after tasks-added"),
    both("after attempt-started 7"),
    both("before attempt-ended 8"),
    both("before attempt-started 9"),
    both("before attempt-ended 9"),
    both("after attempt-ended 9"),
  ],
  { unprompted: [2], forgotten: [1, 2] },
);

survives(
  "runners that write files, and a door that exports",
  [
    // Whatever the next session does by then.
    runner("in result.html"),
    both("in results.jsonl"),
    both("in report.html"),
    both("in results.csv"),
    both("after results.csv"),
    both("in summary.json"),
    both("before batch-ended"),
    both("after batch-ended"),
    door("in export.csv"),
  ],
  { unprompted: [0, 1, 2, 3], forgotten: [0, 1, 2, 3] },
);
