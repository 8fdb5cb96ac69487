// How a command ends that did not do its work.
import { exitStatuses } from "../../model/exit-status.ts";

/** A problem that the user can solve, in a sentence, although something may have been done already. */
export class Trouble extends Error {}

/** The exit status for wrong usage and bad input: nothing was done. */
export const usageStatus = exitStatuses.usage.status;
