// Two texts beside one another: equal lines at the same height, and in lines that changed a little, the words that did.
import { blocksOf } from "./edits.ts";

/** A part of a line. */
export interface Piece {
  text: string;
  /** Whether only this side has it. */
  isMarked: boolean;
}

/** A line of each side, or a number of equal lines that are left out. A side is absent where the other has a line more. */
export type SideRow =
  | { kind: "same"; text: string }
  | { kind: "changed"; before?: Piece[]; after?: Piece[] }
  | { kind: "left-out"; count: number };

/** Equal lines around a change. */
const contextLines = 3;

/** The rows, without equal lines that are far from a change. */
export function sideRows(before: readonly string[], after: readonly string[]): SideRow[] {
  const blocks = blocksOf(before, after);
  return blocks.flatMap((block, index): SideRow[] => {
    const [old, fresh] = [before.slice(block.from, block.to), after.slice(block.freshFrom, block.freshTo)];
    if (block.kind === "changed") return changedRows(old, fresh);
    const begin = index === 0 ? 0 : contextLines;
    const end = index === blocks.length - 1 ? 0 : contextLines;
    const left = old.length - begin - end;
    if (left <= 1) return old.map(same);
    return [
      ...old.slice(0, begin).map(same),
      { kind: "left-out", count: left },
      ...old.slice(old.length - end).map(same),
    ];
  });
}

function same(text: string): SideRow {
  return { kind: "same", text };
}

function changedRows(old: readonly string[], fresh: readonly string[]): SideRow[] {
  return Array.from({ length: Math.max(old.length, fresh.length) }, (_, index): SideRow => {
    const [before, after] = [old[index], fresh[index]];
    if (before === undefined) return { kind: "changed", after: [whole(after ?? "")] };
    if (after === undefined) return { kind: "changed", before: [whole(before)] };
    return { kind: "changed", ...markedWords(before, after) };
  });
}

function whole(text: string): Piece {
  return { text, isMarked: false };
}

/** Lines with less in common are different lines, in which marks would only be in the way. */
const leastCommon = 0.35;

function markedWords(before: string, after: string): { before: Piece[]; after: Piece[] } {
  const [old, fresh] = [wordsOf(before), wordsOf(after)];
  const blocks = blocksOf(old, fresh);
  const kept = blocks.filter(({ kind }) => kind === "same");
  const common = kept.reduce((sum, { from, to }) => sum + old.slice(from, to).join("").trim().length, 0);
  if (common < leastCommon * Math.max(before.length, after.length))
    return { before: [whole(before)], after: [whole(after)] };
  const pieces = (words: readonly string[], ends: (block: (typeof blocks)[number]) => [number, number]) =>
    blocks.flatMap((block): Piece[] => {
      const text = words.slice(...ends(block)).join("");
      return text === "" ? [] : [{ text, isMarked: block.kind === "changed" }];
    });
  return {
    before: pieces(old, ({ from, to }) => [from, to]),
    after: pieces(fresh, ({ freshFrom, freshTo }) => [freshFrom, freshTo]),
  };
}

// Words, blanks, and every other character by itself.
function wordsOf(line: string): string[] {
  return line.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
}
