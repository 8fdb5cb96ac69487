// Why something may not be passed to `claude`.

/** A reason, or the option of ours that does it and is checked. */
export type Refused = string | { option: string };
