// Faults in the words of a command line: options are flags, and what stands in a file is called as it is there.
import type { Fault, Place } from "../../../operations/fault.ts";
import { faultText, toolWording, type Wording } from "../../../operations/fault-text.ts";
import { placeText } from "../../../operations/place-text.ts";
import { optionText } from "../../../report/option-words.ts";
import { speechOf } from "../../../report/speech.ts";
import type { Flag } from "./flag.ts";
import { forEachNames } from "./for-each.ts";

/** `["maxTurns"]` is `--max-turns`, and the third task `task 3`. What is no flag keeps its name. */
export function flagWording(flags: readonly Flag[]): Wording {
  const speech = speechOf("command-line");
  return {
    ...speech,
    option: (name, value) =>
      value === undefined && name in forEachNames ? `\`${forEachNames[name]}\`` : speech.option(name, value),
    place: (place) => {
      const [first, second, ...others] = place;
      if (first === undefined) return "the input";
      if (first === "tasks" && typeof second === "number")
        return placeText([`task ${second + 1}`, ...others]);
      if (first === "forEach" && typeof second === "string" && second in forEachNames)
        return placeText([forEachNames[second] ?? second, ...others]);
      // The flag of the innermost part: `--expect-pattern`.
      for (let length = place.length; length > 0; length--) {
        const flag = flags.find(({ property }) => property === place.slice(0, length).join("."));
        if (flag) return placeText([`--${flag.name}`, ...place.slice(length)]);
      }
      return placeText(place);
    },
    besideTasks: giveFlag,
  };
}

/** For a task of a file: its options have their own names there, and those of the batch are flags. */
function fileWording(where: string): Wording {
  return {
    ...toolWording,
    place: ([, , ...inner]) => `${where}: ${inner.length === 0 ? "the task" : placeText(inner)}`,
    besideTasks: giveFlag,
  };
}

function giveFlag(option: string): string {
  return `give ${optionText("command-line", option)}`;
}

/** `places` are those of the tasks that stand in files, in the order of the tasks. */
export function faultInFlags(
  fault: Fault,
  flags: readonly Flag[],
  places: readonly (string | undefined)[],
): string {
  const where = fault.kind === "general" ? undefined : placeIn(fault.place, places);
  return faultText(fault, where === undefined ? flagWording(flags) : fileWording(where));
}

function placeIn([first, index]: Place, places: readonly (string | undefined)[]): string | undefined {
  return first === "tasks" && typeof index === "number" ? places[index] : undefined;
}
