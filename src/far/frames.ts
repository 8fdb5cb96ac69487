// Frames on any pair of streams: a JSON header, and bytes behind it. Each begins with two lengths of four bytes, of all that
// follows and of the header. Streams cut where they like, so a frame may come in any number of pieces.

/** The longest frame, in bytes: more than the longest prompt takes when it is escaped. */
export const longestFrame = 64 * 1024 * 1024;

const lengthBytes = 4;

export interface Frame {
  /** Parsed JSON, unchecked. */
  header: unknown;
  body: Uint8Array;
}

/** What came is no frame, so nothing behind it can be read. */
export class BadFrame extends Error {}

/** A message as bytes. Throws `BadFrame` if it is longer than a frame may be. */
export function frameOf(header: object, body: Uint8Array = nothing): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const length = lengthBytes + head.length + body.length;
  if (length > longestFrame)
    throw new BadFrame(`a message of ${length} bytes is longer than ${longestFrame} bytes`);
  const frame = new Uint8Array(lengthBytes + length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, length);
  view.setUint32(lengthBytes, head.length);
  frame.set(head, 2 * lengthBytes);
  frame.set(body, 2 * lengthBytes + head.length);
  return frame;
}

const nothing = new Uint8Array(0);

/** Cuts what a stream brings into frames. Keeps no more than one unfinished frame. */
export class FrameCutter {
  /** Joined only once a frame is whole: joining at each piece would cost the square of its length. */
  #pieces: Uint8Array[] = [];
  #held = 0;
  /** How many bytes the next frame takes, as far as that is known. */
  #wanted = lengthBytes;
  #isLengthKnown = false;

  /** Takes in what came, and gives the frames that are whole now. Throws `BadFrame`; then the stream cannot be used. */
  *push(piece: Uint8Array): Generator<Frame> {
    if (piece.length === 0) return;
    // A copy, because the stream may use its buffer again.
    this.#pieces.push(piece.slice());
    this.#held += piece.length;
    while (this.#held >= this.#wanted) {
      if (!this.#isLengthKnown) this.#readLength();
      else yield this.#next();
    }
  }

  /** Whether a frame has begun that is not whole yet. */
  get isWithin(): boolean {
    return this.#held > 0;
  }

  #readLength(): void {
    const all = this.#joined();
    const length = new DataView(all.buffer, all.byteOffset).getUint32(0);
    if (length < lengthBytes || length > longestFrame)
      throw new BadFrame(`a frame of ${length} bytes was announced`);
    this.#wanted = lengthBytes + length;
    this.#isLengthKnown = true;
  }

  #next(): Frame {
    const all = this.#joined();
    const frame = all.subarray(0, this.#wanted);
    const rest = all.subarray(this.#wanted);
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
    this.#wanted = lengthBytes;
    this.#isLengthKnown = false;
    return contentOf(frame);
  }

  #joined(): Uint8Array {
    const [only, ...others] = this.#pieces;
    if (only && others.length === 0) return only;
    const all = new Uint8Array(this.#held);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [all];
    return all;
  }
}

function contentOf(frame: Uint8Array): Frame {
  const headLength = new DataView(frame.buffer, frame.byteOffset).getUint32(lengthBytes);
  const begin = 2 * lengthBytes;
  if (headLength > frame.length - begin)
    throw new BadFrame(`a header of ${headLength} bytes in a frame of ${frame.length}`);
  const text = new TextDecoder().decode(frame.subarray(begin, begin + headLength));
  try {
    return { header: JSON.parse(text), body: frame.slice(begin + headLength) };
  } catch {
    throw new BadFrame("a header that is no JSON");
  }
}
