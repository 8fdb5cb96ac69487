// The order of cells, whatever they hold.

/**
 * The place of each value of a column among all; values that are equal have the same. Numbers go by size, all else as text, in which
 * numbers count by size, too, and neither capitals nor accents count.
 */
export function ranked(values: readonly (number | string)[]): number[] {
  const isNumeric = values.every((value) => typeof value === "number");
  // A text is made comparable once; `Intl.Collator` would look into it with each comparison, and takes ten times as long.
  const keys = new Map(
    [...new Set(values)].map((value) => [value, isNumeric ? value : keyOf(String(value))]),
  );
  const sorted = [...new Set(keys.values())].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const ranks = new Map(sorted.map((key, rank) => [key, rank]));
  return values.map((value) => ranks.get(keys.get(value) ?? "") ?? 0);
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
