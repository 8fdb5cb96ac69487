// The order of cells, whatever they hold.

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Two values of a column: numbers by size, all else as text, in which numbers count by size, too. */
export function compared(a: number | string, b: number | string): number {
  return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
}
