// The monotonic clock of this process, moved by hand, for what asks `performance.now` itself.
import { spyOn } from "bun:test";

export class HandClock implements Disposable {
  /** In milliseconds. */
  now = 1_000_000;
  readonly #spy = spyOn(performance, "now").mockImplementation(() => this.now);

  [Symbol.dispose](): void {
    this.#spy.mockRestore();
  }
}
