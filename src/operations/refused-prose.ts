// Why an argument or a variable for `claude` is refused.
import type { Refused } from "../claude/refused.ts";
import { option, type Prose, prose } from "../model/prose.ts";

export function refusedProse(refused: Refused): Prose {
  return typeof refused === "string" ? refused : prose`use the option ${option(refused.option)}`;
}
