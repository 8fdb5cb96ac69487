// What stands where there is room for one sentence.

/** The first sentence of a text. */
export function firstSentence(text: string): string {
  return text.split(/(?<=\.) /, 1)[0] ?? text;
}
