// All commands, loaded, for what describes them. As a program, it prints what they say of themselves.
import type { Command } from "./input/command.ts";
import { describedCommand } from "./input/command-flags.ts";
import { loadCommand } from "./load-command.ts";

/** In the order in which help lists them. */
export const commands: readonly Command[] = await Promise.all(
  Object.values(loadCommand).map((load) => load()),
);

/** What all commands say of themselves, as JSON. It depends on nothing but the declarations. */
export function describeCommands(): string {
  return JSON.stringify(commands.map(describedCommand));
}

if (import.meta.main) process.stdout.write(describeCommands());
