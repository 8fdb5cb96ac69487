// Splits a transcript into lines, in bounded memory.

/** Longer lines are not kept whole. */
export const longestLineBytes = 8 * 1024 * 1024;
const headBytes = 64 * 1024;
const tailBytes = 64 * 1024;

/** A line. `offset`: where it begins, in bytes; `length`: its bytes without the newline. */
export type Line =
  | { kind: "whole"; offset: number; length: number; text: string }
  | { kind: "oversized"; offset: number; length: number; head: string; tail: string };

const newline = 10;

/** Takes bytes in any pieces and returns their lines. Of an oversized line, only head and tail. */
export class LineCutter {
  #pieces: Uint8Array[] = [];
  /** Bytes of the line so far. */
  #length = 0;
  #offset: number;
  readonly #longest: number;
  /** Of an oversized line. */
  #head: Uint8Array | undefined;
  #tail = new Uint8Array(0);

  constructor({ offset = 0, longest = longestLineBytes } = {}) {
    this.#offset = offset;
    this.#longest = longest;
  }

  /** Where the unfinished line begins; another reader can continue from here. */
  get offset(): number {
    return this.#offset;
  }

  /** The lines that end in these bytes. The bytes may be overwritten afterwards. */
  push(bytes: Uint8Array): Line[] {
    const lines: Line[] = [];
    let begin = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, begin)) {
      this.#keep(bytes.subarray(begin, end));
      lines.push(this.#take());
      begin = end + 1;
    }
    if (begin < bytes.length) this.#keep(bytes.subarray(begin));
    return lines;
  }

  /** What is left at the end: a last line without a newline. */
  end(): Line | undefined {
    return this.#length === 0 ? undefined : this.#take();
  }

  #keep(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length <= this.#longest) {
      this.#pieces.push(piece.slice());
      return;
    }
    if (!this.#head) {
      const whole = Buffer.concat(this.#pieces);
      this.#head = Uint8Array.from(
        whole.length >= headBytes
          ? whole.subarray(0, headBytes)
          : Buffer.concat([whole, piece.subarray(0, headBytes - whole.length)]),
      );
      this.#tail = whole.subarray(Math.max(0, whole.length - tailBytes));
      this.#pieces = [];
    }
    const tail = Buffer.concat([this.#tail, piece.subarray(Math.max(0, piece.length - tailBytes))]);
    this.#tail = Uint8Array.from(tail.subarray(Math.max(0, tail.length - tailBytes)));
  }

  // Decodes only whole lines, so that no character is split.
  #take(): Line {
    const { offset, length } = { offset: this.#offset, length: this.#length };
    const line: Line = this.#head
      ? { kind: "oversized", offset, length, head: decode(this.#head), tail: decode(this.#tail) }
      : { kind: "whole", offset, length, text: decode(joined(this.#pieces)) };
    this.#pieces = [];
    this.#length = 0;
    this.#head = undefined;
    this.#tail = new Uint8Array(0);
    this.#offset = offset + length + 1;
    return line;
  }
}

function joined(pieces: Uint8Array[]): Uint8Array {
  const [only] = pieces;
  return pieces.length === 1 && only ? only : Buffer.concat(pieces);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
