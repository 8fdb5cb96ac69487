// The shortest way from one list to another: what stays, what goes, what comes. Myers' algorithm, within limits.

/** A run of equal items, or a place where the lists differ. Indexes are 0-based, and ends exclusive. */
export interface Block {
  kind: "same" | "changed";
  /** In the list before. */
  from: number;
  to: number;
  /** In the list after. */
  freshFrom: number;
  freshTo: number;
}

/**
 * Most items that may go and come. Time and memory grow with the square; two texts that differ more have nothing in common
 * that would help a reader.
 */
const mostEdits = 1_000;

/** Blocks that cover both lists, in order; kinds alternate. Beyond `mostEdits`, all between the equal ends has changed. */
export function blocksOf(before: readonly string[], after: readonly string[]): Block[] {
  let head = 0;
  const shorter = Math.min(before.length, after.length);
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const middle = {
    before: before.slice(head, before.length - tail),
    after: after.slice(head, after.length - tail),
  };
  const isKept = keptItems(middle.before, middle.after);
  return joined(before.length, after.length, [
    ...range(head).map((index): Pair => [index, index]),
    ...isKept.map(([one, other]): Pair => [head + one, head + other]),
    ...range(tail).map((index): Pair => [before.length - tail + index, after.length - tail + index]),
  ]);
}

/** Places of an item that both lists keep: in the one before, and in the one after. */
type Pair = [before: number, after: number];

// Blocks between, and of, the kept items.
function joined(length: number, freshLength: number, kept: readonly Pair[]): Block[] {
  const blocks: Block[] = [];
  let [at, freshAt] = [0, 0];
  const change = (to: number, freshTo: number) => {
    if (to > at || freshTo > freshAt)
      blocks.push({ kind: "changed", from: at, to, freshFrom: freshAt, freshTo });
  };
  for (const [index, fresh] of kept) {
    change(index, fresh);
    const last = blocks.at(-1);
    if (last?.kind === "same") [last.to, last.freshTo] = [index + 1, fresh + 1];
    else blocks.push({ kind: "same", from: index, to: index + 1, freshFrom: fresh, freshTo: fresh + 1 });
    [at, freshAt] = [index + 1, fresh + 1];
  }
  change(length, freshLength);
  return blocks;
}

// What only one list has cannot stay, so the search is among the others: two texts may have few lines in common.
function keptItems(before: readonly string[], after: readonly string[]): Pair[] {
  const [known, fresh] = [new Set(before), new Set(after)];
  const old = placesIn(before, fresh);
  const later = placesIn(after, known);
  const itemsAt = (list: readonly string[], places: readonly number[]) =>
    places.map((place) => list[place] ?? "");
  return commonItems(itemsAt(before, old), itemsAt(after, later)).map(([one, other]) => [
    old[one] ?? 0,
    later[other] ?? 0,
  ]);
}

function placesIn(list: readonly string[], others: ReadonlySet<string>): number[] {
  return list.flatMap((item, index) => (others.has(item) ? [index] : []));
}

// For each number of edits, how far each diagonal gets; walked back from the end. Nothing is kept if there are too many.
function commonItems(before: readonly string[], after: readonly string[]): Pair[] {
  if (before.length === 0 || after.length === 0) return [];
  const most = Math.min(before.length + after.length, mostEdits);
  const reached: Int32Array[] = [];
  let furthest = new Int32Array(2 * most + 3);
  const at = (diagonal: number) => furthest[most + 1 + diagonal] ?? 0;
  for (let edits = 0; edits <= most; edits++) {
    reached.push(furthest.slice(most - edits, most + edits + 3));
    const next = furthest.slice();
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const comes = diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
      let index = comes ? at(diagonal + 1) : at(diagonal - 1) + 1;
      while (
        index < before.length &&
        index - diagonal < after.length &&
        before[index] === after[index - diagonal]
      )
        index++;
      next[most + 1 + diagonal] = index;
      if (index >= before.length && index - diagonal >= after.length)
        return walkedBack(reached, before.length, after.length);
    }
    furthest = next;
  }
  return [];
}

function walkedBack(reached: readonly Int32Array[], length: number, freshLength: number): Pair[] {
  const pairs: Pair[] = [];
  let [index, fresh] = [length, freshLength];
  for (let edits = reached.length - 1; edits >= 0; edits--) {
    const row = reached[edits];
    // The row begins at the diagonal `-edits - 1`.
    const at = (diagonal: number) => row?.[diagonal + edits + 1] ?? 0;
    const diagonal = index - fresh;
    const comes = diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
    const before = comes ? diagonal + 1 : diagonal - 1;
    const start = edits === 0 ? 0 : at(before);
    const freshStart = edits === 0 ? 0 : start - before;
    while (index > start && fresh > freshStart) pairs.push([--index, --fresh]);
    [index, fresh] = [start, freshStart];
  }
  return pairs.reverse();
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
