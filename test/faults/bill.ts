// What the sessions of a round have cost, against what its batch says.
import { answerIn } from "../../src/engine/attempt/check-answer.ts";
import type { BatchState, TaskState } from "../../src/model/state.ts";
import { notes } from "../fake-notes.ts";
import type { Home } from "../harness.ts";
import type { Random } from "./random.ts";
import type { Report } from "./verdict.ts";

/** What a task says, and what each of its sessions costs, in US dollars. */
export interface BilledWork {
  prompt: string;
  answer: string;
  costUsd: number;
}

/** One task, drawn. `number` is 1-based, and stands in the answer. */
export function billedWorkOf(number: number, random: Random): BilledWork {
  const answer = `answer of task ${number}.`;
  // So that each task can be told apart by its cost alone.
  const costUsd = Math.round(100 + number) / 1_000;
  const sleep = random.weighted([
    [3, 0],
    [5, random.between(0, 1_500)],
    [2, random.between(1_500, 5_000)],
  ]);
  return {
    prompt: `[[cost usd=${costUsd}]] [[sleep ms=${sleep}]] [[answer text="${answer}"]]`,
    answer,
    costUsd,
  };
}

interface Billed {
  works: readonly BilledWork[];
  /** Whether something was done that may lose a session, whose task then runs again. */
  mayBeLost: boolean;
}

/** What the sessions have cost, by their own notes, against what the batch says. Gives the sums in words. */
export function judgeBill(
  home: Home,
  { tasks }: BatchState,
  { works, mayBeLost }: Billed,
  report: Report,
): string {
  const all = notes(home);
  const sums = { asked: 0, billed: 0, said: 0, unknown: 0 };
  for (const [index, work] of works.entries()) {
    const of = (kind: string) =>
      all.filter((note) => note.kind === kind && note.prompt === work.prompt).length;
    const [asked, results] = [of("prompt"), of("result")];
    const task = tasks[index];
    if (task) judgeTask(task, work, { asked, results, mayBeLost }, report);
    const { costUsd = 0, atLeast = false } = task ? usageOf(task) : {};
    sums.asked += asked;
    sums.billed += results * work.costUsd;
    sums.said += costUsd;
    if (atLeast) sums.unknown++;
  }
  if (!mayBeLost && sums.asked > works.length)
    report("twice", `${sums.asked} sessions were asked for ${works.length} tasks, although none was lost`);
  return `${sums.asked} sessions asked, $${sums.billed.toFixed(3)} billed, $${sums.said.toFixed(3)} said, of which ${sums.unknown} tasks as a lower bound`;
}

function usageOf(task: TaskState): { costUsd: number; atLeast: boolean } {
  const usages = task.attempts.flatMap(({ usage }) => usage ?? []);
  return {
    costUsd: usages.reduce((sum, { costUsd }) => sum + costUsd, 0),
    atLeast: usages.some(({ atLeast }) => atLeast === true),
  };
}

function judgeTask(
  task: TaskState,
  { answer, costUsd: each }: BilledWork,
  { asked, results, mayBeLost }: { asked: number; results: number; mayBeLost: boolean },
  report: Report,
): void {
  const { number } = task;
  const outcome = task.status === "done" ? task.outcome : undefined;
  if (outcome?.kind !== "succeeded") {
    const as = task.status === "done" ? JSON.stringify(task.outcome).slice(0, 300) : task.status;
    report(
      task.status !== "done" ? "stuck" : results > 0 ? "lost" : "wrong",
      `task ${number} ended as ${as}`,
    );
    return;
  }
  const { text: said } = answerIn(task.attempts.at(-1)?.transcript ?? "", outcome);
  if (said !== answer) report("wrong", `task ${number} was answered ${said.slice(0, 100)}`);
  const { costUsd, atLeast } = usageOf(task);
  const billed = each * results;
  const cents = 1e-9;
  const says = `task ${number}: ${asked} asked, ${results} answered, ${billed} billed, ${costUsd} said${atLeast ? " at least" : ""}`;
  if (costUsd > billed + cents) report("wrong", `more than was billed, ${says}`);
  if (costUsd < each - cents) report("wrong", `less than its answer has cost, ${says}`);
  if (costUsd < billed - cents && !atLeast)
    report("wrong", `less than was billed, and not as a lower bound, ${says}`);
  if (asked === 1 && atLeast && !mayBeLost) report("wrong", `a lower bound although it ran once, ${says}`);
}
