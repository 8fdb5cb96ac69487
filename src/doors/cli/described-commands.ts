// What all commands say of themselves, made when the program is built: help and completion need no command.
import { printedBy } from "../../platform/printed.ts" with { type: "macro" };
import type { DescribedCommand } from "./input/command.ts";

const text = printedBy("doors/cli/all-commands.ts");

/** In the order in which help lists them. */
export function describedCommands(): readonly DescribedCommand[] {
  return JSON.parse(text);
}
