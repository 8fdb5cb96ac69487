/** How a batch stands, in one word. `interrupted`: it has no runner and has not ended. */
export const stateWords = ["running", "finished", "cancelled", "interrupted"] as const;
export type StateWord = (typeof stateWords)[number];
