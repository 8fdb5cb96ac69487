// A gate at which sessions wait until a test has done something: the fake's `[[socket path=…]]`.
import { rmSync } from "node:fs";

export class Gate implements Disposable {
  readonly path: string;
  readonly #listener: { stop(): void };
  /** What is done before the next session may go on; one after another. */
  met: () => Promise<void> = async () => undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
    this.#listener = Bun.listen({
      unix: path,
      socket: {
        data: (socket) => {
          this.#last = this.#last.then(() => this.met()).finally(() => socket.end());
          // Who asks whether all have passed hears of it.
          this.#last.catch(() => undefined);
        },
      },
    });
  }

  /** Rejects if what was done for a session failed: then nothing was done for those behind it. */
  passed(): Promise<void> {
    return this.#last;
  }

  [Symbol.dispose](): void {
    this.#listener.stop();
    rmSync(this.path, { force: true });
  }
}
