// The help of flags and commands, wrapped to the width of a terminal.
import type { ShownFlag } from "../input/flag.ts";
import { wrap } from "../terminal/wrapped.ts";

/** Where the second column begins. */
const indent = 28;

/** With fewer columns than this, a description goes below its flag. */
const narrow = 64;

/** Lines for each flag: its spelling, meaning, choices and default. */
export function helpLines(flags: readonly ShownFlag[], width: number): string[] {
  return flags.flatMap((flag) => {
    const said = [flag.description, choiceText(flag), repeatText(flag), defaultText(flag)];
    return twoColumns(writtenAs(flag), said.filter(Boolean).join(" "), width);
  });
}

/** `left`, with `right` wrapped beside it, or below it if there is no room. */
export function twoColumns(left: string, right: string, width: number): string[] {
  const column = width < narrow ? 6 : indent;
  const [first = "", ...others] = wrap(right, Math.max(20, width - column));
  const margin = " ".repeat(column);
  if (`  ${left}  `.length > column) return [`  ${left}`, ...[first, ...others].map((line) => margin + line)];
  return [`  ${left}`.padEnd(column) + first, ...others.map((line) => margin + line)];
}

function writtenAs({ name, short, kind, placeholder, fallback, mayBeBare }: ShownFlag): string {
  const long = kind === "boolean" && fallback === true ? `--no-${name}` : `--${name}`;
  const value = kind === "boolean" ? "" : mayBeBare ? ` [${placeholder}]` : ` ${placeholder}`;
  return `${short === undefined ? "" : `-${short}, `}${long}${value}`;
}

function choiceText({ choices }: ShownFlag): string {
  return choices.length === 0 ? "" : `One of ${choices.join(", ")}.`;
}

function repeatText({ kind }: ShownFlag): string {
  return kind === "list" || kind === "joined" ? "Can be repeated." : "";
}

function defaultText({ kind, fallback }: ShownFlag): string {
  if (fallback === undefined || kind === "boolean") return "";
  return `[default: ${typeof fallback === "string" ? fallback : JSON.stringify(fallback)}]`;
}
