// Why something cannot be shown or done, for who asked.
import { type Context, UserError } from "../../operations/context.ts";
import type { Wording } from "../../operations/fault-text.ts";
import { explained } from "../../operations/perform.ts";
import { troubleText } from "../../operations/trouble.ts";
import { fieldLabels } from "../../report/acts.ts";
import { flagWording } from "../cli/input/flag-wording.ts";

// What a page does not name itself, it calls as the command line does, which its commands to copy are for.
const ofCommands = flagWording([]);
// Not the record itself, which also has what every object has: a field may have any name.
const labels: ReadonlyMap<string | undefined, string> = new Map(Object.entries(fieldLabels));
const pageWording: Wording = {
  ...ofCommands,
  place: (place) => {
    const label = labels.get(place.findLast((part) => typeof part === "string"));
    return label === undefined ? ofCommands.place(place) : `“${label}”`;
  },
};

/** In the words of the page, and of the command line; undefined for what only we can fix. */
export function whyNot(error: unknown, context: Context): string | undefined {
  const known = explained(error, context);
  return known instanceof UserError ? known.textIn(pageWording) : troubleText(known);
}
