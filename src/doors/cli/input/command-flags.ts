// The flags of a command, and what it says of itself.
import type { Command, DescribedCommand } from "./command.ts";
import type { Flag } from "./flag.ts";
import { flagsOf } from "./flags.ts";

/** The flags of a command: the operation's, and those that exist only on the command line. */
export function flagsOfCommand({ input, withoutFlags, own }: Command): Flag[] {
  return [...flagsOf(own), ...flagsOf(input, withoutFlags)];
}

/** What a command says of itself, for help and completion. */
export function describedCommand(command: Command): DescribedCommand {
  const { name, otherNames = [], summary, description, examples, positionals } = command;
  const flags = flagsOfCommand(command).map(({ shape: _, ...shown }) => shown);
  return { name, otherNames, summary, description, examples, positionals, flags };
}
