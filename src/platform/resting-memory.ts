// Gives memory back once a process that waits for work has had none for a while.

/** What has come after so long without work may well be the last for hours, in milliseconds. */
const usualQuietMs = 10_000;

interface Means {
  quietMs: number;
  /** What the owner of the memory can give back, before garbage is collected. */
  first: () => void;
  giveBack: () => void;
}

export class RestingMemory {
  readonly #isBusy: () => boolean;
  readonly #means: Means;
  #timer: Timer | undefined;

  /** `isBusy`: whether there is work that has not ended. */
  constructor(isBusy: () => boolean, means: Partial<Means> = {}) {
    this.#isBusy = isBusy;
    this.#means = { quietMs: usualQuietMs, first: () => undefined, giveBack: giveMemoryBack, ...means };
  }

  /** There was some work, which has ended or keeps this busy. Keeps no process alive. */
  worked(): void {
    this.#timer ??= setTimeout(() => this.#rested(), this.#means.quietMs).unref();
    this.#timer.refresh();
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
