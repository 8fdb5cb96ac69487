// The context of a server, made with the first request that needs it: many servers are only asked for their tools.
import type { Context } from "../../operations/context.ts";

/** Makes one context, however many ask for it. */
export class ContextAtFirstUse {
  readonly #make: () => Context | Promise<Context>;
  readonly #made = Promise.withResolvers<Context>();
  #context: Context | undefined;
  /** Undefined until somebody asks, and again after each failure. */
  #making: Promise<Context> | undefined;

  constructor(make: () => Context | Promise<Context>) {
    this.#make = make;
  }

  /** Makes the context, unless it is made or being made. Rejects if that fails; then the next call makes it. */
  get(): Promise<Context> {
    this.#making ??= this.#makeNow();
    return this.#making;
  }

  /** The context once somebody has asked for it, and it could be made; pending until then. */
  get made(): Promise<Context> {
    return this.#made.promise;
  }

  /** Gives back the memory of the store, if that is open. */
  giveMemoryBack(): void {
    this.#context?.openedStore?.giveMemoryBack();
  }

  /** Disposes of the context if there is one. */
  async end(): Promise<void> {
    const context = await this.#making?.catch(() => undefined);
    this.#context = undefined;
    context?.[Symbol.dispose]();
  }

  async #makeNow(): Promise<Context> {
    try {
      const context = await Promise.try(this.#make);
      this.#context = context;
      this.#made.resolve(context);
      return context;
    } catch (error) {
      this.#making = undefined;
      throw error;
    }
  }
}
