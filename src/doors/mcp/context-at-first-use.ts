// The context of a server, made with the first request that needs it: many servers are only asked for their tools.
import type { Context } from "../../operations/context.ts";

/** Makes one context, however many ask for it. */
export class ContextAtFirstUse {
  readonly #make: () => Context | Promise<Context>;
  readonly #made = Promise.withResolvers<Context>();
  #isWanted = false;

  constructor(make: () => Context | Promise<Context>) {
    this.#make = make;
  }

  /** Makes the context, unless somebody has asked for it before. Rejects if that fails. */
  get(): Promise<Context> {
    if (!this.#isWanted) {
      this.#isWanted = true;
      Promise.try(this.#make).then(this.#made.resolve, this.#made.reject);
    }
    return this.#made.promise;
  }

  /** The context once somebody has asked for it; pending until then. */
  get made(): Promise<Context> {
    return this.#made.promise;
  }

  /** Disposes of the context if somebody has asked for it. */
  async end(): Promise<void> {
    if (this.#isWanted) (await this.#made.promise)[Symbol.dispose]();
  }
}
