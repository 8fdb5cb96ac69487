// The facts for an ended task's own file, from the state of its batch.
import { taskVariableNames } from "../../model/session-values.ts";
import { type BatchState, conversationHere, type DoneTask, machineOf } from "../../model/state.ts";
import { directoryOf } from "../../model/task-options.ts";
import { adviceFactsOf } from "../../report/advice-facts.ts";
import { labelOf } from "../../report/label.ts";
import { doorOf } from "../../report/option-words.ts";
import type { TaskFacts } from "../../report/task-facts.ts";

/** The facts of a task that its result page and its error text share. */
export function taskFactsOf(state: BatchState, task: DoneTask): TaskFacts {
  const { batch } = state;
  const attempt = task.attempts.at(-1);
  return {
    batchId: batch.batchId,
    batchName: batch.name,
    taskNumber: task.number,
    totalTasks: batch.tasks.length,
    prompt: batch.tasks[task.number - 1]?.prompt ?? "",
    key: batch.tasks[task.number - 1]?.key,
    label: labelOf(state, task.number),
    usage: task.usage,
    advice: adviceFactsOf(state, task, doorOf(batch.startedBy)),
    attempts: task.attempts.length,
    checks: task.checks,
    leaked: task.leaked?.length,
    model: task.model,
    sessionId: conversationHere(attempt),
    workingDirectory: directoryOf(batch, task.number, attempt),
    host: machineOf(task),
    variables: taskVariableNames(batch, task.number),
    startedAt: task.startedAt,
    endedAt: task.endedAt,
  };
}
