// A gate at which sessions wait until a test has done something: the fake's `[[socket path=…]]`.
import { rmSync } from "node:fs";

export class Gate implements AsyncDisposable {
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
          // Who disposes of the gate hears of it.
          this.#last.catch(() => undefined);
        },
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.stop();
    rmSync(this.path, { force: true });
    await this.#last;
  }
}
