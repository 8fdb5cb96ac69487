// Consecutive numbers as ranges, for texts that list many tasks.

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

/** [1, 2, 3, 7] → "1-3", "7", as commands and tools take them. The numbers ascend. */
export function rangeWords(numbers: readonly number[]): string[] {
  return rangesOf(numbers).map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
}

/** A range of more numbers is a mistake. */
const longestRange = 100_000;

/** All of "12-15"; undefined if a text is no ascending range. */
export function numbersOfRange(text: string): number[] | undefined {
  const [, first, last] = /^\s*(\d{1,9})[-–](\d{1,9})\s*$/.exec(text) ?? [];
  const length = Number(last) - Number(first) + 1;
  // NaN if there is no range.
  if (!(length >= 1 && length <= longestRange)) return undefined;
  return Array.from({ length }, (_, index) => Number(first) + index);
}
