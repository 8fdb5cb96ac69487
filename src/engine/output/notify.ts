// Announces the end of a batch that nobody waits for: by a desktop notification, and by the user's own command.
import { cleanEnvironment } from "../../claude/environment.ts";
import { endOfState } from "../../model/batch-end.ts";
import { product } from "../../model/product.ts";
import type { BatchState } from "../../model/state.ts";
import { endedWord } from "../../model/state-word.ts";
import { type Notice, notificationCommand } from "../../platform/desktop.ts";
import type { Environment } from "../../platform/environment.ts";
import { join } from "../../platform/paths.ts";
import { signalGroup } from "../../platform/process.ts";
import { messageOf } from "../../platform/system-error.ts";
import { statusText } from "../../report/answer.ts";
import { endFactsOf, endLabel, endText, nextCommand } from "../../report/batch-end.ts";
import { causeRemedy, causesSentence, happenedText, lackText } from "../../report/cause-text.ts";
import { causesOf } from "../../report/causes.ts";
import { oneLine } from "../../report/harmless.ts";
import { outputFiles } from "../../store/layout.ts";
import { reportFileOf } from "./answer.ts";
import { summaryTextOf } from "./summary-text.ts";

/** For shorter batches, the user is probably still watching, in milliseconds. */
const leastMs = 60_000;
/** How long a command may take, in milliseconds. */
const mostMs = 30_000;

/** The commands that announce the end of a batch; none if somebody waits for it, or no notification was requested. */
export function noticesOf(state: BatchState, environment: Environment = process.env): Notice[] {
  const { batch, leash, createdAt, endedAt, cancelledBy } = state;
  if (leash || endedAt === undefined) return [];
  const isNews = batch.notifications === true && endedAt - createdAt >= leastMs && cancelledBy !== "user";
  const desktop = isNews
    ? notificationCommand({ program: product.name, title: titleOf(state), text: textOf(state) }, environment)
    : undefined;
  const own = batch.notifyCommand ? { command: batch.notifyCommand, variables: {} } : undefined;
  return [desktop, own].filter((notice) => notice !== undefined);
}

/** The environment variables that describe the batch to a command. */
export function factsOf(state: BatchState): Record<string, string> {
  const { batch, counts, totalCostUsd, createdAt, endedAt, outputDirectory } = state;
  const end = endOfState(state, endedWord(state));
  const facts = end && endFactsOf(state, end);
  return {
    BATCH_ID: batch.batchId,
    BATCH_NAME: batch.name ?? "",
    BATCH_STATE: endedWord(state),
    BATCH_END: end?.kind ?? "",
    BATCH_STOPPED_BY: end?.kind === "stopped" ? end.by : "",
    BATCH_REASON: facts ? endText(facts) : "",
    BATCH_NEXT: (facts && nextCommand(facts)) ?? "",
    BATCH_CAUSES: causesText(state),
    BATCH_TOTAL: String(state.tasks.length),
    BATCH_SUCCEEDED: String(counts.succeeded),
    BATCH_FAILED: String(counts.failed),
    BATCH_CANCELLED: String(counts.cancelled),
    BATCH_COST_USD: totalCostUsd.toFixed(4),
    BATCH_SECONDS: String(Math.round(((endedAt ?? createdAt) - createdAt) / 1000)),
    BATCH_REPORT: reportFileOf(state),
    BATCH_SUMMARY_TEXT: summaryText(state, longestSummary),
    BATCH_SUMMARY: join(outputDirectory, outputFiles.summary(batch.batchId)),
    BATCH_OUTPUT_DIRECTORY: outputDirectory,
  };
}

/** Runs these commands, each for at most half a minute. Reports failures on our output, without further effect. */
export async function notifyOf(state: BatchState): Promise<void> {
  const environment = { ...cleanEnvironment(process.env), ...factsOf(state) };
  await Promise.all(noticesOf(state).map((notice) => run(notice, environment, state.outputDirectory)));
}

async function run(
  { command, variables }: Notice,
  environment: Record<string, string>,
  cwd: string,
): Promise<void> {
  const complain = (what: string) =>
    console.error(`${new Date().toISOString()} The notification \`${command.join(" ")}\` ${what}.`);
  try {
    const child = Bun.spawn(command, {
      cwd,
      env: { ...environment, ...variables },
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
      detached: true,
      windowsHide: true,
    });
    const timer = setTimeout(() => {
      complain(`took longer than ${mostMs / 1000} s and was stopped`);
      signalGroup(child.pid, "SIGKILL");
    }, mostMs);
    const code = await child.exited;
    clearTimeout(timer);
    if (code !== 0 && child.signalCode !== "SIGKILL") complain(`ended with ${child.signalCode ?? code}`);
  } catch (error) {
    complain(`could not be started: ${messageOf(error)}`);
  }
}

function titleOf(state: BatchState): string {
  const name = oneLine(state.batch.name ?? state.batch.batchId, 60);
  const end = endOfState(state, endedWord(state));
  if (end?.kind === "paused")
    return state.paused ? `Batch ${name} is paused` : `Batch ${name} waits for you after its sample`;
  return end ? `Batch ${name}: ${endLabel({ end, counts: state.counts })}` : `Batch ${name} has ended`;
}

function textOf(state: BatchState): string {
  const ended = statusText(state, endedWord(state), { door: "command-line" });
  const status = [ended, causesSentence(state)].filter(Boolean).join(" ");
  const summary = oneLine(summaryText(state, shownSummary), shownSummary);
  return summary === "" ? status : `Summary: ${summary}\n${status}`;
}

/** How many causes a variable names. */
const mostCauses = 10;

// A line for each cause: how many tasks, what happened, and the command that runs them again.
function causesText(state: BatchState): string {
  const lines = causesOf(state)
    .slice(0, mostCauses)
    .map((cause) => {
      const { retry, lacks } = causeRemedy(state, cause, "command-line");
      const happened = oneLine(happenedText(cause.tasks[0]), longestCause);
      return `${cause.tasks.length} × ${happened}${retry === undefined ? "" : ` ${retry}${lackText(lacks)}`}`;
    });
  return lines.join("\n");
}

/** In characters. */
const longestCause = 300;

/** How much of a summary a notification shows, and a variable holds, in characters. */
const shownSummary = 200;
const longestSummary = 10_000;

// Of the summary that the batch has now; empty without one. No variable can hold a NUL.
function summaryText(state: BatchState, limit: number): string {
  return (summaryTextOf(state, limit)?.text ?? "").replaceAll("\0", "");
}
