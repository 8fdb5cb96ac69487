// Why a batch currently starts no sessions.

export interface Standstill {
  /** In words for people. */
  because: string;
  /** Until when, in milliseconds since 1970, if known. */
  until?: number | undefined;
}

/**
 * The kind of a standstill, without details that change (free memory, the API's message, a time): the beginning of its
 * sentence, up to the first figure or detail.
 */
export function standstillKind({ because }: Standstill): string {
  return (/^[^:;.\d]*/.exec(because)?.[0] ?? "").trimEnd();
}
