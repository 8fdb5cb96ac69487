// How each door calls options and next steps.
import type { Speech } from "../model/prose.ts";
import { stepText } from "./next-step.ts";
import { type Door, optionText } from "./option-words.ts";

export function speechOf(door: Door): Speech {
  return {
    option: (name, value) => optionText(door, name, value),
    step: (step) => stepText(door, step),
  };
}
