// Which of the targets this machine is.
import { type Target, targets } from "../targets.ts";
import { targetOfThisMachine } from "../this-machine.ts";

/** The target that runs here, if there is one. */
export const here: Target | undefined = await targetOfThisMachine();

/** The targets that do not. */
export const elsewhere: readonly Target[] = targets.filter((target) => target !== here);
