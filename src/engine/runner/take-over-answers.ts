// Before anything starts, a summary included: the tasks that an earlier answer is right for end with it, all at once.
import type { EventBody } from "../../model/event.ts";
import type { Success } from "../../model/outcome.ts";
import type { BatchState } from "../../model/state.ts";
import { taskOf } from "../../model/state.ts";
import { endedEvent, whenFound } from "../attempt/attempt-events.ts";
import { answerIn, isMatch } from "../attempt/check-answer.ts";
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
  const outcomes = new Map(hits.map((hit) => [hit.number, outcomeIn(log.state, hit)]));
  await log.commit((state) => {
    // Some may have been cancelled meanwhile.
    const taken = hits.filter(({ number }) => isNew(state, number));
    const numbers = taken.map(({ number }) => number);
    const ends = numbers.flatMap((number) => outcomes.get(number) ?? []);
    return [
      ...taken.map((hit) => takenOver(hit, outcomes.get(hit.number) ?? hit.answer.outcome)),
      // After them, because a sample is one of what is left then. Of the sessions of a summary nothing else is said.
      ...(missed.length > 0 || state.missed === undefined
        ? [{ type: "reuse-checked" as const, missed }]
        : []),
      ...whenFound(state, ends),
    ];
  });
  reuse.used(hits);
  for (const { number } of hits) void files.writeTask(number);
}

function isNew(state: BatchState, number: number): boolean {
  const { status, attempts } = taskOf(state, number);
  return status === "queued" && attempts.length === 0;
}

// Whether it counts for `stopWhen` is this batch's to say.
function outcomeIn({ batch: { stopWhen } }: BatchState, { answer, transcript }: Hit): Success {
  const { matched: _, ...outcome } = answer.outcome;
  if (!stopWhen?.where) return outcome;
  return { ...outcome, matched: isMatch(stopWhen.where, answerIn(transcript, outcome)) };
}

// It costs nothing, and takes no time.
function takenOver({ number, answer, transcript }: Hit, outcome: Success): EventBody {
  const { batchId, task, taskKey, at, model, sessionId } = answer;
  const key = taskKey === undefined ? {} : { key: taskKey };
  const reused = { batchId, task, ...key, at, sessionId, transcript };
  const usage = { costUsd: 0, numTurns: 0, durationMs: 0 };
  return endedEvent(number, 0, { outcome: { ...outcome, reused }, usage, model }, undefined);
}
