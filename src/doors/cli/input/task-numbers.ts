// The tasks of a batch, as the last words of a command.
import type { Positional } from "./command.ts";

/** `[N…]`: only these tasks, all of them when there is none. */
export const taskNumbersPositional: Positional = {
  property: "tasks",
  placeholder: "N",
  description: "Only these tasks, by number, such as `3 5-8`.",
  required: false,
  many: true,
  numeric: true,
};
