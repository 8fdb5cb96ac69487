// Why a batch starts no sessions for the moment.

export interface Standstill {
  /** In words for people. */
  because: string;
  /** Until when, in milliseconds since 1970, where that is known. */
  until?: number | undefined;
}

/**
 * What stops a batch, without what changes while it does (how much memory is free, what the API said, until when): the
 * beginning of its sentence, up to the first figure or detail.
 */
export function standstillKind({ because }: Standstill): string {
  return (/^[^:;.\d]*/.exec(because)?.[0] ?? "").trimEnd();
}
