// Faults in words: how a reader calls places and options is the door's to say.
import { proseText, type Speech } from "../model/prose.ts";
import { unreachable } from "../model/unreachable.ts";
import { speechOf } from "../report/speech.ts";
import type { Fault, Place } from "./fault.ts";
import { placeText } from "./place-text.ts";

/** How one reader calls places and options. */
export interface Wording extends Speech {
  /** A place of the input, as the subject of a sentence. */
  place(place: Place): string;
  /** Where an option of the whole batch belongs. */
  besideTasks(option: string): string;
}

/** For callers of the tools, and of everything else that takes an object. */
export const toolWording: Wording = {
  ...speechOf("tools"),
  place: (place) => (place.length === 0 ? "the input" : placeText(place)),
  besideTasks: (name) => `give \`${name}\` beside \`tasks\``,
};

/** One fault, as a sentence without its end. */
export function faultText(fault: Fault, wording: Wording): string {
  if (fault.kind === "general") return proseText(fault.says, wording);
  return `${wording.place(fault.place)} ${predicate(fault, wording)}`;
}

type Placed = Exclude<Fault, { kind: "general" }>;

function predicate(fault: Placed, wording: Wording): string {
  switch (fault.kind) {
    case "missing":
      return `is missing: ${proseText(fault.expected, wording)}`;
    case "given":
      return `was given as ${fault.given}: ${proseText(fault.expected, wording)}${fault.near === undefined ? "" : meantText([`\`${fault.near}\``])}`;
    case "unknown":
      return `is not known${meantText(fault.near.map((name) => wording.option(name)))}`;
    case "twice":
      return `means ${wording.option(fault.meant)}, which is given too; give one of the two`;
    case "of-batch":
      return `is an option of the batch, not of one task; ${wording.besideTasks(fault.meant)}`;
    case "too-deep":
      return `belongs beside ${wording.option(fault.beside)}; give ${wording.option(fault.meant)} there`;
    case "too-high":
      return `belongs in \`${fault.holder}\`: \`{"${fault.holder}": {"${fault.meant}": …}}\``;
    case "elsewhere":
      return `is an option of ${fault.owner} only`;
    case "wrong":
      return proseText(fault.says, wording);
    default:
      return unreachable(fault);
  }
}

function meantText(names: readonly string[]): string {
  return names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
}

/** All of them as one message. */
export function faultsText(faults: readonly Fault[], wording: Wording): string {
  const texts = faults.map((fault) => faultText(fault, wording));
  return texts.length === 1 ? `Nothing was done: ${texts[0]}` : `Nothing was done. ${problemsText(texts)}`;
}

/** "2 problems:", and one a line. */
export function problemsText(texts: readonly string[]): string {
  return `${texts.length} problems:\n${texts.map((text) => `- ${text}`).join("\n")}`;
}
