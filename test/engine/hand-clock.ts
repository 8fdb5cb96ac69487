// The monotonic clock of this process, moved by hand, for what asks `performance.now` itself.
import { spyOn } from "bun:test";

export class HandClock implements Disposable {
  /** In milliseconds. */
  now = 1_000_000;
  /** By how much it goes on whenever it is asked. */
  step = 0;
  readonly #spy = spyOn(performance, "now").mockImplementation(() => {
    this.now += this.step;
    return this.now;
  });

  [Symbol.dispose](): void {
    this.#spy.mockRestore();
  }
}
