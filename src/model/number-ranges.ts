// Numbers that follow one another, as ranges: for texts that name many tasks.

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
