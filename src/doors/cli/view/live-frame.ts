// One frame of the terminal view: a line for each running session, a bar, and the hold.
import { estimateOf } from "../../../model/estimate.ts";
import { type BatchState, doneCount, type TaskState } from "../../../model/state.ts";
import { type WaitReason, waitingForPrefix } from "../../../model/wait-reason.ts";
import { costText, elapsedText, numberText } from "../../../report/amounts.ts";
import { costToComeText, timeToComeText } from "../../../report/estimate-text.ts";
import { oneLine } from "../../../report/harmless.ts";
import { labelOf } from "../../../report/label.ts";
import { fit } from "../terminal/fit.ts";
import type { Printer } from "../terminal/terminal.ts";

/** Everything that a frame shows. */
export interface Snapshot {
  state: BatchState;
  activities: ReadonlyMap<number, string>;
  held?: WaitReason | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /** What is said of the keys, if there are any. `isAsked`: somebody has asked for it, or is asked. */
  keys?: { lines: readonly string[]; isAsked: boolean };
}

/** Terminals with fewer rows have none for what nobody has asked for. */
const fewRows = 12;

interface Canvas {
  columns: number;
  rows: number;
  paint: Printer["paint"];
}

type Running = Extract<TaskState, { status: "running" }>;

/** The lines of a frame. None is wider than the terminal, and together they leave at least one row free. */
export function frameLines(snapshot: Snapshot, canvas: Canvas): string[] {
  const { state } = snapshot;
  // After a line that fills the last column, some terminals begin a new line.
  const width = Math.max(1, canvas.columns - 1);
  const foot = [
    barLine(state, width, canvas),
    ...countLines(snapshot, width),
    ...heldLines(snapshot, width, canvas),
    ...keyLines(snapshot, width, canvas),
  ];
  const room = Math.max(0, canvas.rows - 1 - foot.length);
  const running = state.tasks.filter((task) => task.status === "running");
  const shown = running.length <= room ? running : running.slice(0, Math.max(0, room - 1));
  const left = running.length - shown.length;
  const more = left === 0 || room === 0 ? [] : [fit(`  … and ${numberText(left)} more running`, width)];
  const digits = String(state.tasks.length).length;
  return [
    ...shown.map((task) => sessionLine(task, snapshot, { ...canvas, width, digits })),
    ...more,
    ...foot,
  ].slice(-Math.max(1, canvas.rows - 1));
}

function sessionLine(
  task: Running,
  { state, activities, now }: Snapshot,
  { width, digits, paint }: Canvas & { width: number; digits: number },
): string {
  const number = String(task.number).padStart(digits);
  const before = `  ${number}  ${elapsedText(now - task.startedAt).padStart(11)}  `;
  const doing = task.cancelling ? "is being ended" : oneLine(activities.get(task.number) ?? "starts", 400);
  const room = width - before.length;
  const line =
    fit(`  ${number}  `, width) + paint("faint", fit(before.slice(digits + 4), width - digits - 4));
  // If there is room, the task's label follows, so that nobody has to remember numbers.
  const activity = fit(doing, room);
  const left = room - Bun.stringWidth(activity) - 3;
  const label = labelOf(state, task.number);
  const about = left < leastLabel || label === "" ? "" : paint("faint", ` · ${fit(label, left)}`);
  return `${line}${activity}${about}`;
}

/** Fewer columns of a label are useless. */
const leastLabel = 12;

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

const parts = [
  ["succeeded", "green", "━"],
  ["failed", "red", "━"],
  ["cancelled", "yellow", "━"],
  ["running", "cyan", "╍"],
] as const;

function barLine({ counts, tasks }: BatchState, width: number, { paint }: Canvas): string {
  const total = tasks.length;
  const text = ` ${numberText(doneCount(counts))}/${numberText(total)}`;
  const columns = Math.min(longestBar, width - 2 - text.length);
  if (columns < 5) return fit(text.trim(), width);
  let sum = 0;
  let drawn = 0;
  const bar = parts.map(([name, colour, sign]) => {
    sum += counts[name];
    // Rounded as a running sum, so that the parts together have the right length.
    const end = Math.min(columns, Math.round((sum / total) * columns));
    const piece = sign.repeat(Math.max(0, end - drawn));
    drawn = Math.max(drawn, end);
    return piece === "" ? "" : paint(colour, piece);
  });
  return `  ${bar.join("")}${paint("faint", "─".repeat(columns - drawn))}${text}`;
}

const longestBar = 60;

// As many facts as fit on a line; several lines in a narrow terminal.
function countLines({ state, activities, held, now }: Snapshot, width: number): string[] {
  const { counts, totalCostUsd, costAtLeast } = state;
  const estimate = estimateOf(state, { now, heldUntil: held?.until });
  const whole = estimate && costToComeText(estimate, totalCostUsd);
  // During a hold without a known end, the rest cannot be estimated.
  const left = estimate && !(held && held.until === undefined) ? timeToComeText(estimate) : undefined;
  const facts = [
    ...(["running", "queued", "succeeded", "failed", "cancelled"] as const).flatMap((name) =>
      counts[name] > 0 ? [`${numberText(counts[name])} ${name}`] : [],
    ),
    ...readyText(state, activities),
    `${costText(totalCostUsd, costAtLeast)}${whole === undefined ? "" : ` of about ${whole}`}`,
    `${elapsedText(now - state.createdAt)} so far`,
    ...(left === undefined ? [] : [`${left} left`]),
    ...(state.sample === undefined ? [] : [`pauses after a sample of ${numberText(state.sample.size)}`]),
    ...(state.cancelledBy === undefined ? [] : ["being cancelled"]),
  ];
  return joined(facts, width - 2).map((line) => fit(`  ${line}`, width));
}

// What started, and is not asked yet, is queued for the log.
function readyText(state: BatchState, activities: Snapshot["activities"]): string[] {
  const ready = waitingForPrefix(state, (number) => activities.get(number));
  return ready.length === 0
    ? []
    : [`${numberText(ready.length)} ready to share the first answer's cached prompt`];
}

function joined(facts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const fact of facts) {
    const longer = lines.length === 0 ? fact : `${lines.at(-1)} · ${fact}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(fact);
  }
  return lines;
}

function heldLines({ held, now }: Snapshot, width: number, { paint }: Canvas): string[] {
  if (!held) return [];
  const end =
    held.until === undefined
      ? ""
      : ` until ${clockText(held.until, now)} (${elapsedText(held.until - now)} left)`;
  return [paint("yellow", fit(`  Held${end}: ${oneLine(held.because, 500)}`, width))];
}

function keyLines({ keys }: Snapshot, width: number, { rows, paint }: Canvas): string[] {
  if (!keys || (!keys.isAsked && rows < fewRows)) return [];
  return keys.lines.map((line) => paint("faint", fit(`  ${line}`, width)));
}

// With the date only if it is another day.
function clockText(at: number, now: number): string {
  const [date, nowDate] = [new Date(at), new Date(now)];
  const time = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
  if (date.toDateString() === nowDate.toDateString()) return time;
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${time}`;
}
