// Which of the characters that a terminal gives are keys that somebody pressed, and which belong to a text that was pasted.

/** More characters between two looks are no keys, unless one is held down. */
const mostKeys = 5;

export class PressedKeys {
  /** Whether more of a pasted text may come. */
  #isPasting = false;

  /** The keys of one look. A text that is pasted, and keys that send several characters, are none. */
  of(text: string): string {
    if (text === "") this.#isPasting = false;
    else if (isPasted(text)) this.#isPasting = true;
    // A long text comes in pieces, and the last may be as short as a key.
    return this.#isPasting || text.includes("\x1b") ? "" : text;
  }
}

function isPasted(text: string): boolean {
  return text.length > mostKeys && [...text].some((one) => one !== text[0]);
}
