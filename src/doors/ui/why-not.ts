// Why something cannot be shown or done, for who asked.
import { type Context, UserError } from "../../operations/context.ts";
import { explained } from "../../operations/perform.ts";
import { troubleText } from "../../operations/trouble.ts";
import { flagWording } from "../cli/input/flag-wording.ts";

/** In the words of the command line; undefined for what only we can fix. */
export function whyNot(error: unknown, context: Context): string | undefined {
  const known = explained(error, context);
  return known instanceof UserError ? known.textIn(flagWording([])) : troubleText(known);
}
