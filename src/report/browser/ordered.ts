// The order of cells, whatever they hold.

/**
 * The place of each value of a column among all; values that are equal have the same. First comes what is blank, then numbers by
 * size, then all else as text, in which numbers count by size, too, and neither capitals nor accents count.
 */
export function ranked(values: readonly (number | string)[]): number[] {
  // A text is made comparable once; `Intl.Collator` would look into it with each comparison, and takes ten times as long.
  const keys = new Map(
    [...new Set(values)].map((value) => [value, typeof value === "number" ? value : keyOf(value)]),
  );
  const ranks = new Map([...new Set(keys.values())].sort(compared).map((key, rank) => [key, rank]));
  return values.map((value) => ranks.get(keys.get(value) ?? "") ?? 0);
}

function compared(a: number | string, b: number | string): number {
  return groupOf(a) - groupOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function groupOf(key: number | string): number {
  if (typeof key === "number") return 1;
  return key.trim() === "" ? 0 : 2;
}

// Before each number stands how many digits it has.
function keyOf(text: string): string {
  const plain = text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase();
  return plain.replace(/\d+/g, (digits) => {
    const number = digits.replace(/^0+(?=\d)/, "");
    return `${String(number.length).padStart(3, "0")}${number}`;
  });
}
