// A batch with all parts, each of whose sessions outlives a kill beside it: tasks, a continued conversation, questions about
// answers, groups of a summary and the whole, and an equal task that waits for one of them.
import { setDefaultTimeout, test } from "bun:test";
import { Scenario, type Victim } from "./kills/scenario.ts";

setDefaultTimeout(180_000);

const victims = ["runner", "runner and keeper", "door"] as const satisfies Victim[];

for (const [index, victim] of victims.entries())
  test(`each session is adopted and paid once, when ${victim}, then others in turn, are killed while it runs`, async () => {
    await using scenario = new Scenario();
    // Of the four tasks that run, each meets a kill of its runner, at its own session or at that of its question.
    await scenario.adopts([...victims.slice(index), ...victims.slice(0, index)], { forgotten: [4] });
  });
