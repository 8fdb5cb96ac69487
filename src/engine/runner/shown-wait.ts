// Why the batch is held, as views of it show it.
import type { WaitReason } from "../../model/wait-reason.ts";

export class ShownWait {
  readonly #changed: (reason: WaitReason | undefined) => void;
  #reason: WaitReason | undefined;

  /** `changed` is called only if the reason or its time differs from what is shown. */
  constructor(changed: (reason: WaitReason | undefined) => void) {
    this.#changed = changed;
  }

  get reason(): WaitReason | undefined {
    return this.#reason;
  }

  /** Shows why nothing starts; with `undefined`, that sessions start again. */
  show(reason: WaitReason | undefined): void {
    const { because, until } = this.#reason ?? {};
    if (reason?.because === because && reason?.until === until) return;
    this.#reason = reason;
    this.#changed(reason);
  }
}
