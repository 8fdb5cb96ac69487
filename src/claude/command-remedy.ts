// What would allow a denied Bash command. The rules of Claude Code's check were seen on 2.1.197 and 2.1.332;
// `test/real/advice.real.ts` follows each advice and checks that the command then runs.
import { toolRuleList } from "../model/options.ts";
import type { BroadReason, Remedy } from "../model/outcome.ts";
import { absolutePath, isWithin } from "../platform/paths.ts";
import { allowedDirectories, type CallContext } from "./call-context.ts";
import { commandText, ruleForCommand } from "./command-rule.ts";
import { accessTo } from "./file-access.ts";
import { type SimpleCommand, shellCommandOf } from "./shell-command.ts";
import { coversCommand, toolRuleOf } from "./tool-rules.ts";

/** Longer commands belong in a script file, in characters. */
const longestCommand = 20_000;

type Options = Extract<Remedy, { kind: "options" }>;

/** The options that allow `text`: one rule for each part that needs one, or all of Bash if no rule works. */
export function commandRemedy(text: string, context: CallContext): Options {
  if (text.length > longestCommand) return allOfBash("unknown");
  const { commands, unchecked } = shellCommandOf(text);
  const broad = unchecked ?? broadReason(commands, context);
  if (broad) return allOfBash(broad);
  if (gaveUp.test(context.message)) return allOfBash("unknown");
  const given = toolRuleList(context.given.allowedTools ?? []).map(toolRuleOf);
  const asking = commands.filter((command) => needsRule(command, context.message));
  const uncovered = asking.filter(
    (command) => !given.some((rule) => coversCommand(rule, commandText(command))),
  );
  const found = uncovered.map(ruleForCommand);
  const rules = found.filter((rule) => rule !== undefined);
  const access = accessOf(commands, context);
  if (rules.length < found.length || access.isUnnameable) return allOfBash("unknown");
  const allowedTools = [...new Set([...rules.map(({ rule }) => rule), ...access.rules])];
  const wide = (["runs-code", "any-path", "exact"] as const).find((why) =>
    rules.some((rule) => rule.broad === why),
  );
  const options = {
    ...(allowedTools.length > 0 ? { allowedTools } : {}),
    ...(access.directories.length > 0 ? { addDirectories: access.directories } : {}),
    ...(access.writes && context.mode !== "acceptEdits" ? { permissionMode: "acceptEdits" as const } : {}),
  };
  // Denied although everything that we know of is allowed.
  if (Object.keys(options).length === 0) return allOfBash("unknown");
  return { kind: "options", ...options, ...(wide ? { broad: wide } : {}) };
}

// Messages of the check where it gives up, on 2.1.332 or 2.1.197. Only a rule for all of Bash skips it.
const gaveUp =
  /can't be checked before it runs|cannot be statically analyzed|^Contains |evaluates arguments as shell code|Glob patterns are not allowed|untracked-variable|incomplete fragment/;

/** The commands of a text, in the form that rules are compared with. */
export function commandTexts(text: string): string[] {
  return shellCommandOf(text.slice(0, longestCommand)).commands.map(commandText);
}

function allOfBash(broad: BroadReason): Options {
  return { kind: "options", allowedTools: ["Bash"], broad };
}

const evaluating = new Set([".", "alias", "eval", "exec", "source", "trap"]);
const directoryWriters = new Set(["cp", "mkdir", "mv", "rm", "rmdir", "sed", "tee", "touch"]);
const pathWriters = new Set(["cp", "mkdir", "mv", "rm", "rmdir", "touch"]);
const pathReaders = new Set(
  "cat cd cut diff du file find grep head ls md5sum rg sed sort stat tail tee uniq wc".split(" "),
);

function broadReason(commands: readonly SimpleCommand[], context: CallContext): BroadReason | undefined {
  const names = commands.map(({ words }) => words[0] ?? "");
  if (names.some((name) => evaluating.has(name))) return "evaluates";
  const finds = commands.filter(({ words }) => words[0] === "find");
  if (
    finds.some(({ words }) =>
      words.some((word) => /^-(?:exec|execdir|ok|okdir|delete|fprint\w*)$/.test(word)),
    )
  )
    return "find";
  const moves = directoryChanges(commands, context);
  if (moves.length > 0 && names.includes("git")) return "cd-and-git";
  const redirects = commands.some(({ redirections }) => redirections.some(({ kind }) => kind === "write"));
  const within = moves.some((path) => allowedDirectories(context).some((root) => isWithin(path, root)));
  if (moves.length > 0 && redirects) return "cd-and-write";
  if (within && names.some((name) => directoryWriters.has(name))) return "cd-and-write";
  return commands.some((command) => hasUncheckedPath(command)) ? "path" : undefined;
}

// `cd` to the working directory or an allowed root is harmless.
function directoryChanges(commands: readonly SimpleCommand[], context: CallContext): string[] {
  const roots = allowedDirectories(context);
  return commands
    .filter(({ words }) => words[0] === "cd" || words[0] === "pushd")
    .map(({ words }) => absolutePath(unquoted(words[1] ?? "~"), context.workingDirectory))
    .filter((path) => !roots.includes(path));
}

function hasUncheckedPath({ words, redirections }: SimpleCommand): boolean {
  const [name = "", ...rest] = words;
  const climbs = (path: string) => /[^./]\/+\.\.(?:\/|$)/.test(path);
  if (redirections.some(({ target }) => climbs(target) || /^~|[$*?[]/.test(target))) return true;
  if (pathWriters.has(name) && rest.some((word) => /[*?[]/.test(word) && !/['"]/.test(word))) return true;
  return (pathWriters.has(name) || pathReaders.has(name)) && rest.some(climbs);
}

// Commands that only read need no rule, unless the message lists them as needing approval. They may contain the comma
// that separates the list.
function needsRule({ words, assignments }: SimpleCommand, message: string): boolean {
  if (words.length === 0) return false;
  const parts = /The following parts? requires? approval: ([\s\S]*)/.exec(message)?.[1] ?? "";
  return !isReadOnly(words) || `, ${parts}, `.includes(`, ${[...assignments, ...words].join(" ")}, `);
}

const readOnly = new Set(
  `[ [[ basename cat cd cut date df diff dirname du echo false file find grep head hostname id ls md5sum nproc printf
  ps pwd readlink realpath rg seq sleep sort stat tail test tr true type uname wc which whoami`.split(/\s+/),
);

function isReadOnly([name = "", second = "", ...rest]: readonly string[]): boolean {
  if (name === "git") return /^(?:blame|diff|log|rev-parse|show|status)$/.test(second);
  if (name === "sed") return second === "-n" && !rest.includes("-i");
  return readOnly.has(name);
}

interface Access {
  directories: string[];
  rules: string[];
  writes: boolean;
  isUnnameable: boolean;
}

function accessOf(commands: readonly SimpleCommand[], context: CallContext): Access {
  const access: Access = { directories: [], rules: [], writes: false, isUnnameable: false };
  const add = (path: string, kind: "read" | "write") => {
    const found = accessTo(path, kind, context);
    if (found.kind === "unnameable") access.isUnnameable = true;
    if (found.kind === "directory" && !access.directories.includes(found.directory))
      access.directories.push(found.directory);
    if (found.kind === "rule" && !access.rules.includes(found.rule)) access.rules.push(found.rule);
    return found;
  };
  for (const { words, redirections } of commands) {
    for (const { kind, target } of redirections) {
      const found = add(unquoted(target), kind);
      if (kind === "write" && found.kind !== "rule") access.writes = true;
    }
    const [name = "", ...rest] = words;
    if (!pathWriters.has(name) && !pathReaders.has(name)) continue;
    const paths = rest.map(unquoted).filter((word) => /^(?:\/|~\/|~$|\.\.(?:\/|$)|[A-Za-z]:\\)/.test(word));
    for (const path of paths) add(path, writesPaths(words) ? "write" : "read");
  }
  const [, name = "", blocked] =
    /^(\S+) in '([^']+)' (?:was blocked|needs approval)/.exec(context.message) ?? [];
  // Paths named in the command are more exact than the directory in the message.
  if (blocked !== undefined && access.rules.length + access.directories.length === 0)
    add(blocked, pathWriters.has(name) ? "write" : "read");
  return access;
}

// For Claude Code, a copy writes all of its paths.
function writesPaths([name = "", ...rest]: readonly string[]): boolean {
  const isInPlace = name === "sed" && rest.some((word) => /^(?:-i|--in-place)/.test(word));
  return pathWriters.has(name) || name === "tee" || isInPlace;
}

function unquoted(word: string): string {
  return word
    .replace(/^(['"])(.*)\1$/s, "$2")
    .replaceAll("\\ ", " ")
    .replace(/^\$HOME\b/, "~");
}
