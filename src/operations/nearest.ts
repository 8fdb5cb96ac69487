// The known name next to a wrong one.

/** The known name that was probably meant; undefined if none is near, or several are equally near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const letters = name.toLowerCase();
  const most = letters.length <= 5 ? 1 : Math.max(2, Math.floor(letters.length / 3));
  const ranked = known
    // A larger difference in length is not near; a name may have millions of letters.
    .filter((candidate) => Math.abs(candidate.length - letters.length) <= most)
    .map((candidate) => ({
      candidate,
      distance: distance(letters, candidate.toLowerCase()),
      shared: sharedWords(name, candidate),
    }))
    .filter((one) => one.distance <= most)
    .sort((a, b) => a.distance - b.distance || b.shared - a.shared);
  const [best, second] = ranked;
  if (!best || (second?.distance === best.distance && second.shared === best.shared)) return undefined;
  return best.candidate;
}

function sharedWords(one: string, other: string): number {
  const words = (name: string) => name.split(/[-_\s]|(?=[A-Z])/).map((word) => word.toLowerCase());
  const known = new Set(words(other));
  return words(one).filter((word) => known.has(word)).length;
}

// Levenshtein distance, one row at a time; two swapped letters count as one mistake.
function distance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let index = 0; index < from.length; index++) {
    const next = [index + 1];
    for (let column = 0; column < to.length; column++) {
      const replaced = (row[column] ?? 0) + (from[index] === to[column] ? 0 : 1);
      const isSwapped = index > 0 && from[index] === to[column - 1] && from[index - 1] === to[column];
      const swapped = isSwapped ? (before[column - 1] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
