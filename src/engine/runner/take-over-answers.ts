// Before anything starts: the tasks that an earlier answer is right for end with it, all at once.
import type { EventBody } from "../../model/event.ts";
import type { BatchState } from "../../model/state.ts";
import { taskOf } from "../../model/state.ts";
import { endedEvent } from "../attempt/attempt-events.ts";
import type { OutputFiles } from "../output/output-files.ts";
import type { Hit, Reuse } from "../reuse/reuse.ts";
import type { RunnerLog } from "./runner-log.ts";

interface Parts {
  log: RunnerLog;
  files: OutputFiles;
  reuse: Reuse;
}

/**
 * Ends the tasks whose answers are remembered, and notes why the others have to run. A runner that dies before the commit
 * leaves copies of transcripts that nobody reads, in the batch's own folder. Throws `Replaced` if another runner has the
 * batch.
 */
export async function takeOverAnswers({ log, files, reuse }: Parts): Promise<void> {
  const found = await reuse.lookUp();
  if (!found) return;
  const { hits, missed } = found;
  await log.commit((state) => [
    { type: "reuse-checked", missed },
    // Some may have been cancelled meanwhile.
    ...hits.filter(({ number }) => isNew(state, number)).map((hit) => takenOver(hit)),
  ]);
  reuse.used(hits);
  for (const { number } of hits) void files.writeTask(number);
}

function isNew(state: BatchState, number: number): boolean {
  const { status, attempts } = taskOf(state, number);
  return status === "queued" && attempts.length === 0;
}

// It costs nothing, and takes no time.
function takenOver({ number, answer, transcript }: Hit): EventBody {
  const { batchId, task, taskKey, at, model, sessionId, outcome } = answer;
  const key = taskKey === undefined ? {} : { key: taskKey };
  const reused = { batchId, task, ...key, at, sessionId, transcript };
  const usage = { costUsd: 0, numTurns: 0, durationMs: 0 };
  return endedEvent(number, 0, { outcome: { ...outcome, reused }, usage, model }, undefined);
}
