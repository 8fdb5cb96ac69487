// What to do about tools that a task was denied.
import { type AdvisedOptions, advisedOptions } from "../model/advised-options.ts";
import { type RetryOptions, type SessionOptions, toolRuleList } from "../model/options.ts";
import type { BroadReason, Denial, Mismatch, Obstacle } from "../model/outcome.ts";
import { isOneRule, isPlain } from "../model/rule-text.ts";
import { oneLine } from "./harmless.ts";
import { type Door, optionText } from "./option-words.ts";

interface DenialAdvice {
  /** One sentence on what was denied, and one on each possible remedy. */
  text: string;
  /** The options of a retry that allows it: the task's own, with additions and removals. */
  changes: RetryOptions;
}

/** `options`: the task's own. Undefined without a denial. */
export function denialAdvice(
  denials: readonly Denial[],
  { door, options }: { door: Door; options: Partial<SessionOptions> },
): DenialAdvice | undefined {
  if (denials.length === 0) return undefined;
  const advised = advisedOptions(denials);
  const tools = [...new Set(denials.map(({ tool }) => oneLine(tool, 60)))];
  const rules = printed(advised.allowedTools.filter(isOneRule));
  const directories = printed(advised.addDirectories.filter(isPlain));
  const removals = printed(advised.notDisallowed.filter(isPlain)).map((rule) => `\`${rule}\``);
  const names = printed(advised.tools.filter(isOneRule));
  const additions = [
    listOption("allowedTools", rules.join(","), door),
    directories.length > 0 ? optionText(door, "addDirectories", directories) : undefined,
    advised.permissionMode && optionText(door, "permissionMode", advised.permissionMode),
    listOption("tools", names.join(","), door),
  ].filter((text) => text !== undefined);
  const calls = denials.length === 1 ? "this call" : "these calls";
  const changes = changesOf(options, {
    allowedTools: rules,
    addDirectories: directories,
    permissionMode: advised.permissionMode,
    tools: names,
    removed: advised.notDisallowed.filter(isPlain),
  });
  // With all options of the task, a retry may be too long to print; then only the additions are named.
  const isPrinted = JSON.stringify(changes).length <= mostChanges;
  const sentences = [
    `Claude was not allowed to use ${listed(tools)}.`,
    ...(removals.length > 0
      ? [
          `Remove ${removals.join(", ")} from ${optionText(door, "disallowedTools")}, which overrides every allow rule.`,
        ]
      : []),
    ...(additions.length > 0 ? [`To allow ${calls}, add ${joined(additions)}.`] : []),
    ...(additions.length > 0 && !isPrinted
      ? ["A retry takes whole lists: give it these and all that the task had."]
      : []),
    ...(directories.length > 0 ? [directoryText(door)] : []),
    ...leftOut(advised, rules.length + directories.length + removals.length + names.length),
    ...advised.broad.map((reason) => broadText[reason]),
    ...mismatches(denials, door),
    ...advised.obstacles.map((obstacle) => obstacleText[obstacle]),
  ];
  return { text: sentences.join(" "), changes: isPrinted ? changes : {} };
}

/** The longest options of a retry to print, as JSON in characters. */
const mostChanges = 1_000;

interface Additions {
  allowedTools: readonly string[];
  addDirectories: readonly string[];
  permissionMode: AdvisedOptions["permissionMode"];
  tools: readonly string[];
  /** From `disallowedTools`. */
  removed: readonly string[];
}

// A list given with a retry replaces the task's own.
function changesOf(
  options: Partial<SessionOptions>,
  { allowedTools, addDirectories, permissionMode, tools, removed }: Additions,
): RetryOptions {
  const rules = (given: string | string[] | undefined, more: readonly string[]) =>
    [...new Set([...toolRuleList(given ?? []), ...more])].join(",");
  const kept = toolRuleList(options.disallowedTools ?? []).filter((rule) => !removed.includes(rule));
  return {
    ...(allowedTools.length > 0 ? { allowedTools: rules(options.allowedTools, allowedTools) } : {}),
    ...(addDirectories.length > 0
      ? { addDirectories: [...new Set([...(options.addDirectories ?? []), ...addDirectories])] }
      : {}),
    ...(permissionMode ? { permissionMode } : {}),
    ...(tools.length > 0 ? { tools: rules(options.tools, tools) } : {}),
    ...(removed.length > 0 ? { disallowedTools: kept.join(",") } : {}),
  };
}

/** For all rules, and for all directories, in characters: an answer with many tasks cuts advice at 2,000. */
const mostCharacters = 700;

// Only whole rules, because a shortened one would be another rule.
function printed(rules: readonly string[]): string[] {
  let length = 0;
  return rules.filter((rule) => {
    length += rule.length + 1;
    return length <= mostCharacters;
  });
}

function leftOut(advised: AdvisedOptions, shown: number): string[] {
  const rules = [...advised.allowedTools, ...advised.tools];
  const texts = [...advised.addDirectories, ...advised.notDisallowed];
  const count = rules.length + texts.length - shown;
  if (count === 0) return [];
  const unfit = rules.some((rule) => !isOneRule(rule)) || texts.some((text) => !isPlain(text));
  return [
    `${count === 1 ? "1 more rule is" : `${count} more rules are`} needed: ${
      unfit
        ? "not every rule or path can be printed here, because of parentheses, control characters or its length. Have the task use simpler commands and paths."
        : "add these first, and the next run names the others."
    }`,
  ];
}

// Does not call a rule narrow that is not; a directory can be more than necessary.
function directoryText(door: Door): string {
  return `${optionText(door, "addDirectories")} also allows writing there; a directory outside the allowed roots is refused until the operator adds it to \`allowedRoots\`.`;
}

function listOption(option: string, value: string, door: Door): string | undefined {
  return value === "" ? undefined : optionText(door, option, value);
}

// Each says how wide the rule is, and what would make a narrower one possible.
const wide = (why: string, instead: string) =>
  `The rule \`Bash\` allows every command. No narrower rule allows ${why}. Ask for ${instead}.`;

const broadText = {
  "cd-and-write": wide("`cd` followed by a write", "paths from the working directory instead of `cd`"),
  "cd-and-git": wide("git after `cd`", "git in the working directory, or for `git -C`"),
  expansion: wide(
    "variables, loops or the output of other commands",
    "plain commands, or for a script that is in a file",
  ),
  group: wide("commands in parentheses or braces", "plain commands"),
  background: wide("a command that ends in `&`", "commands that run in the foreground"),
  evaluates: wide("`eval`, `exec`, `source`, `alias` or `trap`", "the commands themselves"),
  find: wide("`find` with `-exec` or `-delete`", "a search, then for a command on the files that it found"),
  path: wide("patterns, `~` or `..` in the paths that a command writes", "exact paths"),
  "runs-code":
    "This includes a program that can run any code: its rule allows as much as `Bash`. Ask for plain commands, or for a script that is in a file.",
  "any-path": "This includes a program that can write anywhere: rules for it do not limit paths.",
  exact:
    "A rule without `:*` allows only that exact command, because with other arguments the program could run any code.",
  unknown: "The rule `Bash` allows every command. No narrower rule is known for this command.",
} satisfies Record<BroadReason, string>;

const obstacleText = {
  hook: "A hook in the settings blocked a call, and no option changes that: change the hook.",
  "settings-deny":
    "A rule in the settings denies a call, and no option changes that: remove it from `permissions.deny` in that file.",
  "settings-ask":
    "A rule in the settings asks before a call, and a session has nobody to ask: remove it from `permissions.ask` in that file.",
  "protected-path":
    "Files such as `.git`, `.claude` and `.mcp.json` are protected, and no rule allows a write there: have the task write elsewhere.",
  dangerous: "A command would have removed a home or system directory, and no rule allows that.",
  "odd-path":
    "No narrow rule can name one of the paths: have the task use a path of letters, digits, `-`, `_` and `.` in the working directory.",
  "all-given":
    "A call was denied although every option that could allow it was given: no other option helps. Have the task do it in another way.",
} satisfies Record<Obstacle, string>;

function mismatches(denials: readonly Denial[], door: Door): string[] {
  const found = denials.flatMap(({ unmatched }) => unmatched ?? []);
  const distinct = [...new Map(found.map((one) => [`${one.why} ${one.rule}`, one])).values()].slice(0, 3);
  return distinct.map(
    ({ rule, why }) =>
      `The rule \`${oneLine(rule, 150)}\` in ${optionText(door, "allowedTools")} did not match: ${mismatchText[why]}.`,
  );
}

const mismatchText = {
  case: "names of tools are case-sensitive",
  wildcard: "`*` alone is not a rule",
  exact: "it allows only that exact command. Add `:*` to allow arguments",
  list: "a rule contains only one pattern in its parentheses",
  parentheses: "a rule cannot contain parentheses inside its parentheses",
  "path-rule": "rules for writing to a path are written as `Edit(…)`",
  assignment: "include the variable assignment in the rule",
} satisfies Record<Mismatch, string>;

/** "A", "A and B", "A, B and C"; from the seventh on, "others". */
function listed(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(", ")} and others` : joined(names);
}

function joined(texts: readonly string[]): string {
  const last = texts.at(-1) ?? "";
  return texts.length > 1 ? `${texts.slice(0, -1).join(", ")} and ${last}` : last;
}
