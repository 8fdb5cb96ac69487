// How long a session that begins has a right to start. It keeps a processor busy until it answers `initialize`, and again from
// its prompt to its first message, shortly before it calls the API.

/**
 * How long the right lasts at most once the session is ready and has its prompt, in milliseconds. 2.1.332 takes about 50 for its first
 * message on an idle machine, and 200 on a busy one. What takes longer waits for something else than a processor: for a hook, for
 * example.
 */
const longestBeginningMs = 300;

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

  /** The session gets its prompt now. */
  asked(): void {
    this.#isAsked = true;
  }

  /** The session is ready. If it has no prompt yet, this is the end: it gets one when another session has the right. */
  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    if (!this.#isAsked) {
      this.#end();
      return;
    }
    this.#limit = setTimeout(() => this.#end(), this.#longestMs);
    this.#limit.unref();
  }

  /** The session is at work on its prompt. */
  begun(): void {
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
