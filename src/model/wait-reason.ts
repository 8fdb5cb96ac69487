// Why no session can start now. If that lasts, it is shown: the batch is held.

export interface WaitReason {
  /** In words for people. */
  because: string;
  /** Until when, in milliseconds since 1970, if known. */
  until?: number | undefined;
}

/** While the first session of a batch runs, the others wait for it. Over with that session, though still shown for a moment. */
export const awaitsProof = "Waits for the first session, which proves that the login works.";

/**
 * The kind of a reason, without details that change (free memory, the API's message, a time): the beginning of its
 * sentence, up to the first figure or detail.
 */
export function waitKind({ because }: WaitReason): string {
  return (/^[^:;.\d]*/.exec(because)?.[0] ?? "").trimEnd();
}
