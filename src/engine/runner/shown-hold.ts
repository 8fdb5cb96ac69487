// Why currently no sessions start, for views of the batch.
import type { Standstill } from "../../model/standstill.ts";

export class ShownHold {
  readonly #changed: (standstill: Standstill | undefined) => void;
  #standstill: Standstill | undefined;

  /** `changed` is called only if the reason or its time differs from what is shown. */
  constructor(changed: (standstill: Standstill | undefined) => void) {
    this.#changed = changed;
  }

  get standstill(): Standstill | undefined {
    return this.#standstill;
  }

  /** Shows why nothing starts; with `undefined`, that sessions start again. */
  show(standstill: Standstill | undefined): void {
    const { because, until } = this.#standstill ?? {};
    if (standstill?.because === because && standstill?.until === until) return;
    this.#standstill = standstill;
    this.#changed(standstill);
  }
}
