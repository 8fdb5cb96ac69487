// What a row of the benchmark is, and how its figures are put into words.
import type { Workshop } from "./workshop.ts";

/** One line of the table. */
export interface Line {
  figure: string;
  value: string;
  /** What it is compared with, measured in the same run. */
  beside?: string;
  ratio?: number;
  target?: string;
  /** Whether the target is met; absent where there is none. */
  met?: boolean;
}

/** Something that can be measured, by its name on the command line. */
export interface Row {
  name: string;
  measure(workshop: Workshop): Promise<Line[]>;
}

/** Why a row cannot be measured here. */
export class Skipped extends Error {}

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const upper = ascending[Math.floor(ascending.length / 2)] ?? Number.NaN;
  const lower = ascending[Math.ceil(ascending.length / 2) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}

/** Milliseconds for people. */
export function msText(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

/** Bytes for people. */
export function megabytesText(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** A line for two things measured side by side, with the ratio of the first to the second. */
export function ratioLine(figure: string, [ours, theirs]: [number, number], mostRatio?: number): Line {
  const ratio = ours / theirs;
  return {
    figure,
    value: msText(ours),
    beside: msText(theirs),
    ratio,
    ...(mostRatio === undefined ? {} : { target: `ratio ≤ ${mostRatio}`, met: ratio <= mostRatio }),
  };
}

/** A line for a figure that should stay below a limit. */
export function limitLine(
  figure: string,
  value: number,
  text: (value: number) => string,
  most?: number,
): Line {
  return {
    figure,
    value: text(value),
    ...(most === undefined ? {} : { target: `≤ ${text(most)}`, met: value <= most }),
  };
}
