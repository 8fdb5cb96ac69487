// `completions`: the script that lets a shell complete our commands.
import { z } from "zod";
import { installLines, installPlaces, scriptOf, shells } from "../completion/scripts.ts";
import { hasShortName } from "../completion/short-name.ts";
import { type Command, checkUsage, jsonFlag, jsonText } from "../input/command.ts";

const input = z.strictObject({ shell: z.enum(shells) });

export const completions: Command = {
  name: "completions",
  otherNames: ["completion"],
  summary: "Print a completion script for a shell",
  description:
    "Prints a script with which a shell completes commands, flags, their values, and batch ids. The script asks this program each time you press Tab, so it never needs an update.",
  examples: shells.map((shell) => [installLines[shell], `For ${shell}, ${installPlaces[shell]}`] as const),
  input,
  withoutFlags: ["shell"],
  own: jsonFlag,
  positionals: [
    {
      property: "shell",
      placeholder: "SHELL",
      description: `One of ${shells.join(", ")}.`,
      required: true,
      many: false,
      isTask: false,
      choices: shells,
    },
  ],
  run: async ({ input: given, own, terminal: { out } }) => {
    const { shell } = checkUsage(input, given);
    const script = scriptOf(shell, hasShortName());
    await out.print(own["json"] === true ? jsonText({ shell, script }) : script.trimEnd());
    return 0;
  },
};
