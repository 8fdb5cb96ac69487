// The differences between two texts, line by line, for people.
import { countText } from "../amounts.ts";
import { blocksOf } from "./edits.ts";

/** A line of a diff, or a number of equal lines that are left out. */
export type DiffLine =
  | { kind: "same" | "removed" | "added"; text: string }
  | { kind: "left-out"; count: number };

/** Equal lines around a change. */
const contextLines = 2;

/** Removed (`-`) and added (`+`) lines, with a few lines of context. Empty if nothing differs. */
export function diffOf(before: string, after: string): string {
  return diffText(diffLines(linesOf(before), linesOf(after)));
}

/** The lines of a diff, without the equal ones that are far from a change. Empty if nothing differs. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const blocks = blocksOf(before, after);
  if (blocks.every(({ kind }) => kind === "same")) return [];
  return blocks.flatMap((block, index): DiffLine[] => {
    const old = before.slice(block.from, block.to);
    if (block.kind === "changed")
      return [...linesAs("removed", old), ...linesAs("added", after.slice(block.freshFrom, block.freshTo))];
    return around(old, { isFirst: index === 0, isLast: index === blocks.length - 1 });
  });
}

/** As text: two characters before each line. */
export function diffText(lines: readonly DiffLine[]): string {
  return lines.map(lineText).join("\n");
}

/** A line of a diff with its sign. */
export function lineText(line: DiffLine): string {
  switch (line.kind) {
    case "same":
      return `  ${line.text}`;
    case "removed":
      return `- ${line.text}`;
    case "added":
      return `+ ${line.text}`;
    case "left-out":
      return `  … ${leftOutText(line.count)}`;
  }
}

/** "12 equal lines". */
export function leftOutText(count: number): string {
  return countText(count, "equal line");
}

/** The lines of a text, without an empty one after its end. */
export function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
}

/** Longer lines are split at the ends of sentences, in characters. */
const longLine = 160;

/** The same, and each sentence of a long line is a line of its own: an answer may be one paragraph. */
export function sentencesOf(text: string): string[] {
  return linesOf(text).flatMap((line) =>
    line.length <= longLine ? [line] : line.split(/(?<=[.!?;:,])\s+(?=\S)/).reduce(together, []),
  );
}

// Short sentences stay together: a line for each would be hard to read.
function together(lines: string[], sentence: string): string[] {
  const last = lines.at(-1);
  const isEnded = last === undefined || /[.!?]$/.test(last) || last.length > longLine / 2;
  if (isEnded) lines.push(sentence);
  else lines[lines.length - 1] = `${last} ${sentence}`;
  return lines;
}

function linesAs(kind: "same" | "removed" | "added", texts: readonly string[]): DiffLine[] {
  return texts.map((text) => ({ kind, text }));
}

// Of a run of equal lines, those beside a change. A single line takes no more room than the words that it was left out.
function around(
  lines: readonly string[],
  { isFirst, isLast }: { isFirst: boolean; isLast: boolean },
): DiffLine[] {
  const begin = isFirst ? 0 : contextLines;
  const end = isLast ? 0 : contextLines;
  const left = lines.length - begin - end;
  const isWhole = left <= 0 || (left === 1 && !isFirst && !isLast);
  if (isWhole) return linesAs("same", lines);
  const gap: DiffLine[] = isFirst || isLast ? [] : [{ kind: "left-out", count: left }];
  return [
    ...linesAs("same", lines.slice(0, begin)),
    ...gap,
    ...linesAs("same", lines.slice(lines.length - end)),
  ];
}
