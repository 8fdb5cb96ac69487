// Where servers and workers of a test run.

/** A machine, or what stands for one. */
export interface Place {
  /** By which the others reach it. */
  readonly address: string;
  /** Comes before a command that runs there. */
  readonly enter: readonly string[];
}

/** This machine, which nobody else reaches. */
export const loopback: Place = { address: "127.0.0.1", enter: [] };
