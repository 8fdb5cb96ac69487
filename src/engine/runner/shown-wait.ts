// Why the batch is held, as views of it show it.
import type { WaitReason } from "../../model/wait-reason.ts";

export class ShownWait {
  readonly #changed: (reason: WaitReason | undefined) => void;
  readonly #lasting: () => WaitReason | undefined;
  /** What is shown. */
  #reason: WaitReason | undefined;
  /** What was reported last. */
  #reported: WaitReason | undefined;

  /**
   * `changed` is called only if the reason or its time differs from what is shown. `lasting`: a reason that is shown whatever
   * is reported, while there is one.
   */
  constructor(
    changed: (reason: WaitReason | undefined) => void,
    lasting: () => WaitReason | undefined = () => undefined,
  ) {
    this.#changed = changed;
    this.#lasting = lasting;
  }

  get reason(): WaitReason | undefined {
    return this.#reason;
  }

  /** Shows why nothing starts; with `undefined`, that sessions start again. */
  show(reported: WaitReason | undefined): void {
    this.#reported = reported;
    this.look();
  }

  /** The lasting reason may have come, or gone. */
  look(): void {
    const reason = this.#lasting() ?? this.#reported;
    const { because, until } = this.#reason ?? {};
    if (reason?.because === because && reason?.until === until) return;
    this.#reason = reason;
    this.#changed(reason);
  }
}
