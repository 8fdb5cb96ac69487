// Gives memory back once a process that waits for work has had none for a while.

/** What has come after so long without work may well be the last for hours, in milliseconds. */
const usualQuietMs = 10_000;

interface Means {
  quietMs: number;
  /** What the owner of the memory can give back, before garbage is collected. */
  first: () => void;
  giveBack: () => void;
}

export class RestingMemory implements Disposable {
  readonly #isBusy: () => boolean;
  readonly #means: Means;
  #timer: Timer | undefined;
  #isOver = false;

  /** `isBusy`: whether there is work that has not ended. */
  constructor(isBusy: () => boolean, means: Partial<Means> = {}) {
    this.#isBusy = isBusy;
    this.#means = { quietMs: usualQuietMs, first: () => undefined, giveBack: giveMemoryBack, ...means };
  }

  /** Call when work begins or ends. Keeps no process alive. */
  worked(): void {
    if (this.#isOver) return;
    this.#timer ??= setTimeout(() => this.#rested(), this.#means.quietMs).unref();
    this.#timer.refresh();
  }

  /** Gives back nothing more: what it would be taken from may be closed. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #rested(): void {
    this.#timer = undefined;
    if (this.#isBusy()) {
      // Nobody reports the end of work that is in progress.
      this.worked();
      return;
    }
    this.#means.first();
    this.#means.giveBack();
  }
}

/**
 * Collects all garbage, and forgets what was compiled. What runs again is taken from the executable once more, which takes
 * some milliseconds.
 */
function giveMemoryBack(): void {
  // Not in every Bun that may run the sources.
  Bun.shrink?.();
}
