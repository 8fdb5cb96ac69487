// What to do about tools that a task was denied.
import { advisedOptions } from "../model/advised-options.ts";
import type { BroadReason, Denial, Mismatch, Obstacle } from "../model/outcome.ts";
import { oneLine } from "./harmless.ts";
import { type Door, optionText } from "./option-words.ts";

/** One sentence on what was denied, and one on each thing that can be done. Nothing without a denial. */
export function denialAdvice(denials: readonly Denial[], door: Door): string | undefined {
  if (denials.length === 0) return undefined;
  const advised = advisedOptions(denials);
  const tools = [...new Set(denials.map(({ tool }) => oneLine(tool, 60)))];
  const additions = [
    listOption("allowedTools", shortened(advised.allowedTools).join(","), door),
    advised.addDirectories.length > 0
      ? optionText(door, "addDirectories", shortened(advised.addDirectories))
      : undefined,
    advised.permissionMode && optionText(door, "permissionMode", advised.permissionMode),
    listOption("tools", advised.tools.join(","), door),
  ].filter((text) => text !== undefined);
  const removals = shortened(advised.notDisallowed).map((rule) => `\`${rule}\``);
  return [
    `Claude was not allowed to use ${listed(tools)}.`,
    ...(removals.length > 0
      ? [
          `Take ${listed(removals)} out of ${optionText(door, "disallowedTools")}, which wins over every rule that allows.`,
        ]
      : []),
    ...(additions.length > 0 ? [`To allow it, add ${listed(additions)}${more(advised.allowedTools)}.`] : []),
    ...advised.broad.map((reason) => broadText[reason]),
    ...mismatches(denials, door),
    ...advised.obstacles.map((obstacle) => obstacleText[obstacle]),
  ].join(" ");
}

const mostRules = 12;
const longestRule = 150;

function shortened(rules: readonly string[]): string[] {
  return rules.slice(0, mostRules).map((rule) => oneLine(rule, longestRule));
}

function more(rules: readonly string[]): string {
  return rules.length > mostRules ? ` (and ${rules.length - mostRules} more rules)` : "";
}

function listOption(option: string, value: string, door: Door): string | undefined {
  return value === "" ? undefined : optionText(door, option, value);
}

// Each begins with what the wide rule is for, and ends with what makes a narrow one enough.
const broadText = {
  "cd-and-write":
    "The rule `Bash` allows every command; no narrower one allows a command that changes the directory and then writes. Ask for paths from the working directory instead of `cd`.",
  "cd-and-git":
    "The rule `Bash` allows every command; no narrower one allows git after a change of directory. Ask for git in the working directory, or for `git -C`.",
  expansion:
    "The rule `Bash` allows every command; no narrower one allows variables, loops or the output of other commands in a command. Ask for plain commands, or for a script in a file.",
  group:
    "The rule `Bash` allows every command; no narrower one allows commands in parentheses or braces. Ask for plain commands.",
  background:
    "The rule `Bash` allows every command; no narrower one allows a command that ends in `&`. Ask for commands that run in the foreground.",
  evaluates:
    "The rule `Bash` allows every command; no narrower one allows `eval`, `exec`, `source` or `trap`. Ask for the commands themselves, or for `bash` with a script.",
  find: "The rule `Bash` allows every command; no narrower one allows `find` with `-exec` or `-delete`. Ask for `find` and `xargs` instead.",
  path: "The rule `Bash` allows every command; no narrower one allows patterns, `~` or `..` in the paths that a command writes. Ask for exact paths.",
  unknown: "The rule `Bash` allows every command; no narrower one is known for this one.",
} satisfies Record<BroadReason, string>;

const obstacleText = {
  hook: "A hook in the settings blocked a call, and no option changes that: change the hook.",
  "settings-deny":
    "A rule in the settings denies a call, and no option changes that: remove it under `permissions.deny` there.",
  "settings-ask":
    "A rule in the settings asks before a call, and nobody can answer in a session: remove it under `permissions.ask` there.",
  "protected-path":
    "Files such as `.git`, `.claude` and `.mcp.json` are protected, and no rule allows a write there: have the task write elsewhere.",
  dangerous: "A command would have removed a home or system directory, and no rule allows that.",
} satisfies Record<Obstacle, string>;

function mismatches(denials: readonly Denial[], door: Door): string[] {
  const found = denials.flatMap(({ unmatched }) => unmatched ?? []);
  const distinct = [...new Map(found.map((one) => [`${one.why} ${one.rule}`, one])).values()].slice(0, 3);
  return distinct.map(
    ({ rule, why }) =>
      `The rule \`${oneLine(rule, longestRule)}\` in ${optionText(door, "allowedTools")} did not match: ${mismatchText[why]}.`,
  );
}

const mismatchText = {
  case: "names of tools are case-sensitive",
  wildcard: "an asterisk alone is no rule",
  exact: "it allows that exact command; with `:*` at its end it also allows arguments",
  list: "one pair of parentheses holds one pattern",
  parentheses: "a rule cannot hold quotes or parentheses within its own",
  "path-rule": "rules for paths to write are spelled `Edit(…)`",
  assignment: "a variable that is set before a command belongs into the rule",
} satisfies Record<Mismatch, string>;

/** "A", "A and B", "A, B and C"; of more than six, the rest is "others". */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 6);
  if (names.length > 6) return `${shown.join(", ")} and others`;
  const last = shown.pop() ?? "";
  return shown.length > 0 ? `${shown.join(", ")} and ${last}` : last;
}
