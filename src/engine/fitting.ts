// Makes an answer that is no longer than its reader bears.

/**
 * The answer with the most text whose JSON has no more than `most` characters. `make` makes it with so many
 * characters of text; escapes and all that is not text count too, and only show once it is made.
 */
export function fitting<Answer>(
  most: number,
  textCharacters: number,
  make: (characters: number) => Answer,
): Answer {
  let characters = Math.min(most, textCharacters);
  for (;;) {
    const answer = make(characters);
    const length = JSON.stringify(answer).length;
    if (length <= most || characters === 0) return answer;
    // Either is too much where text has many escapes, or where it has none.
    characters = Math.max(
      0,
      Math.floor(Math.min(characters - (length - most), (characters * most) / length)),
    );
  }
}
