// Numbers that follow one another, as ranges: for texts that name many tasks, written by us or by others.

export interface NumberRange {
  first: number;
  last: number;
}

/** [1, 2, 3, 7] → 1 to 3, 7 to 7. The numbers ascend. */
export function rangesOf(numbers: readonly number[]): NumberRange[] {
  const ranges: NumberRange[] = [];
  for (const number of numbers) {
    const open = ranges.at(-1);
    if (open && open.last === number - 1) open.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges;
}

/** A range of more numbers is no list that somebody means. */
const longestRange = 100_000;

/** All of "12-15"; nothing where a text is no range that goes up. */
export function numbersOfRange(text: string): number[] | undefined {
  const [, first, last] = /^\s*(\d{1,9})[-–](\d{1,9})\s*$/.exec(text) ?? [];
  const length = Number(last) - Number(first) + 1;
  // NaN where there is no range.
  if (!(length >= 1 && length <= longestRange)) return undefined;
  return Array.from({ length }, (_, index) => Number(first) + index);
}
