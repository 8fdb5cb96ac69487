// Places in an input, as callers of the tools write them.
import type { Place } from "./fault.ts";

/** `["tasks", 3, "model"]` → `tasks[3].model`. */
export function placeText(place: Place): string {
  return place.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}
