// Makes an answer within the limit of its reader.
import { fairShares } from "../engine/output/answer.ts";

/** At least this many characters of each text, or all of it: fewer results are better than mere beginnings. */
export const leastEach = 200;

interface Wanted<Item> {
  /** For the whole answer as JSON. */
  mostCharacters: number;
  items: readonly Item[];
  /** How much text of an item is wanted, in characters. */
  lengthOf(item: Item): number;
}

/**
 * The answer over the first of some items: as many as fit, each with a fair share of text. `make` builds it from some
 * items, with at most a given number of characters of each text. Escapes and everything but text count too, and show only
 * in the built answer, so it may be built several times.
 */
export function fitting<Item, Answer>(
  { mostCharacters, items, lengthOf }: Wanted<Item>,
  make: (items: readonly Item[], characters: number) => Answer,
): Answer {
  for (let count = items.length; ; count = Math.floor(count / 2)) {
    const some = items.slice(0, count);
    const lengths = some.map(lengthOf);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const least = count > 1 ? Math.min(total, count * leastEach) : 0;
    // Lengths are estimates: nothing is cut because of them while everything may fit.
    let characters = total <= mostCharacters ? Number.POSITIVE_INFINITY : mostCharacters;
    let last: Try | undefined;
    for (;;) {
      const answer = make(some, fairShares(lengths, characters));
      const over = JSON.stringify(answer).length - mostCharacters;
      if (over <= 0)
        return last
          ? grown(answer, { some, lengths, fits: characters, over, last, mostCharacters }, make)
          : answer;
      if (count <= 1 && characters === 0) return answer;
      const now = { characters: Math.min(characters, mostCharacters), over };
      characters = fewer(now, last, mostCharacters);
      last = now;
      if (count > 1 && (characters < least || characters === 0)) break;
    }
  }
}

interface Fitted<Item> {
  some: readonly Item[];
  lengths: readonly number[];
  /** The answer fits with this many characters of text. */
  fits: number;
  over: number;
  /** It did not fit with this many. */
  last: Try;
  mostCharacters: number;
}

/** What may stay unused, as a fraction of the limit. */
const slack = 0.03;
const mostGrowths = 5;

// A step down may have been too large: grows again, as far as a few tries allow.
function grown<Item, Answer>(
  answer: Answer,
  { some, lengths, fits, over, last, mostCharacters }: Fitted<Item>,
  make: (items: readonly Item[], characters: number) => Answer,
): Answer {
  let best = answer;
  let unused = -over;
  let [low, high] = [fits, last.characters];
  for (let growth = 0; growth < mostGrowths && unused > slack * mostCharacters && high - low > 1; growth++) {
    const middle = Math.floor((low + high) / 2);
    const larger = make(some, fairShares(lengths, middle));
    const left = mostCharacters - JSON.stringify(larger).length;
    if (left < 0) high = middle;
    else [best, unused, low] = [larger, left, middle];
  }
  return best;
}

interface Try {
  characters: number;
  /** How much too long the answer was with them. */
  over: number;
}

// Length grows roughly linearly with the text: two tries give the slope, which depends on escapes. One try gives a number
// that is not too small.
function fewer({ characters, over }: Try, last: Try | undefined, most: number): number {
  const perCharacter = last ? (last.over - over) / (last.characters - characters) : 0;
  const next =
    perCharacter > 0 ? characters - (1.01 * over) / perCharacter : (characters * most) / (most + over);
  return Math.max(0, Math.min(characters - 1, Math.floor(next)));
}
