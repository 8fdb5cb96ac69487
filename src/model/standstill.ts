// Why a batch starts no sessions for the moment.

export interface Standstill {
  /** In words for people. */
  because: string;
  /** Until when, in milliseconds since 1970, where that is known. */
  until?: number | undefined;
}
