// How long a session that begins has a right to start. A processor is busy with it from its start to its answer to
// `initialize`, and from its prompt to its first message, shortly before it calls the API. If it gets the prompt at its start, one
// follows the other.

/**
 * How long it may take at most, in milliseconds, from the prompt to the first message: 2.1.332 takes about 50 alone. What takes
 * longer does not wait for a processor, but for a hook, for example.
 */
const longestBeginningMs = 500;

/** The beginning of one session; disposed of with its attempt. */
export class Beginning implements Disposable {
  readonly #ended: () => void;
  readonly #longestMs: number;
  #isReady = false;
  #isAsked = false;
  #isOver = false;
  #limit: ReturnType<typeof setTimeout> | undefined;

  /** `ended`: called once, when another session may start. */
  constructor(ended: () => void, longestMs = longestBeginningMs) {
    this.#ended = ended;
    this.#longestMs = longestMs;
  }

  /** It gets its prompt now. */
  isAsked(): void {
    this.#isAsked = true;
  }

  /** It has started. */
  isReady(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    if (!this.#isAsked) {
      this.#end();
      return;
    }
    this.#limit = setTimeout(() => this.#end(), this.#longestMs);
    this.#limit.unref();
  }

  /** It has said something of its own. */
  hasBegun(): void {
    this.#end();
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#limit);
    this.#ended();
  }
}
