// The narrowest rule that allows a command and is useful for similar ones: `git log`, not `git`.
import { ruleOf } from "../model/rule-text.ts";
import {
  anyPath,
  packageRunners,
  programOf,
  readsCode,
  runsCode,
  scriptWords,
  starters,
  startingSecond,
} from "./command-code.ts";
import { assignment, type SimpleCommand } from "./shell-command.ts";

/** How many words name what such a program does; others need only the first. */
const wordsOfPrograms: Readonly<Record<string, number>> = {
  apt: 2,
  "apt-get": 2,
  aws: 3,
  az: 3,
  brew: 2,
  bun: 2,
  bundle: 2,
  bunx: 2,
  cargo: 2,
  command: 2,
  composer: 2,
  deno: 2,
  docker: 2,
  doas: 2,
  dotnet: 2,
  env: 2,
  gcloud: 3,
  gh: 3,
  git: 2,
  go: 2,
  gradle: 2,
  helm: 2,
  kubectl: 2,
  mix: 2,
  mvn: 2,
  npm: 2,
  npx: 2,
  pip: 2,
  pipx: 2,
  pip3: 2,
  pnpm: 2,
  pnpx: 2,
  podman: 2,
  poetry: 2,
  rails: 2,
  rustup: 2,
  sudo: 2,
  systemctl: 2,
  terraform: 2,
  uv: 2,
  uvx: 2,
  xargs: 2,
  yarn: 2,
};
/** Second words that say as little as the first. */
const furtherWords = /^(?:run|exec|x|compose|dlx|tool|-m)$/;
/** Options before the significant word that take a value. */
const valued =
  /^(?:-C|-c|-u|-g|-n|-P|-L|-I|--prefix|--cwd|--filter|--git-dir|--work-tree|--package|-p|--with|--python|--from|--unset|--chdir|--user)$/;
/** The same, for `xargs` only. */
const valuedOfXargs = /^-[adEs]$/;
/**
 * Wrappers that the permission check skips: rules for the wrapped command count. With each, its options that take a
 * value.
 */
const wrappers: ReadonlyMap<string, RegExp> = new Map([
  ["nice", /^(?:-n|--adjustment)$/],
  ["nohup", /(?!)/],
  ["stdbuf", /^(?:-[eio]|--(?:error|input|output))$/],
  ["time", /^(?:-[fo]|--(?:format|output))$/],
  ["timeout", /^(?:-[ks]|--(?:kill-after|signal))$/],
]);

/** A rule, and why it is wider or narrower than expected. */
export interface CommandRule {
  rule: string;
  broad?: "runs-code" | "any-path" | "exact";
}

/**
 * The rule without which one command is denied. A program that runs any code gets a rule for its script, or for this
 * exact command. Undefined if no rule can be written: parentheses, asterisks and line breaks in a rule have another
 * meaning, or none.
 */
export function ruleForCommand({ assignments, words }: SimpleCommand): CommandRule | undefined {
  const command = unwrapped(words);
  const { significant, start, feedsArguments, runsPackages, isOpen } = partsOf(command);
  const rule = (own: readonly string[], end: ":*" | "") => bashRule([...assignments, ...own], end);
  const inner = command.slice(start);
  const script = scriptWords(inner);
  if (script) {
    const upToScript = rule([...command.slice(0, start), ...script], ":*");
    return labelled(upToScript, feedsArguments ? "runs-code" : undefined);
  }
  if (runsCode(inner) || (isOpen && command.length === significant.length)) {
    const exact = rule(command, "");
    if (exact !== undefined)
      return labelled(exact, feedsArguments || readsCode(inner) ? "runs-code" : "exact");
    return labelled(rule(command.slice(0, start + 1), ":*"), "runs-code");
  }
  const isHidden = significant.some((word) => runsCode([word]));
  if (runsPackages || isHidden || isOpen) return labelled(rule(significant, ":*"), "runs-code");
  // Input of `xargs` is not part of the command, so its paths are not checked.
  const isAnywhere = feedsArguments || anyPath.has(programOf(inner[0] ?? ""));
  return labelled(rule(significant, ":*"), isAnywhere ? "any-path" : undefined);
}

function labelled(rule: string | undefined, broad: CommandRule["broad"]): CommandRule | undefined {
  return rule === undefined ? undefined : { rule, ...(broad ? { broad } : {}) };
}

function bashRule(words: readonly string[], end: ":*" | ""): string | undefined {
  const text = words.join(" ");
  return text === "" || text.includes("*") ? undefined : ruleOf("Bash", text + end);
}

interface Parts {
  /** The words up to the one that names the action. */
  significant: string[];
  /** Where the command begins that the words before it start. */
  start: number;
  /** Whether it gets arguments that are not in the command. */
  feedsArguments: boolean;
  /** Whether a package is downloaded and run. */
  runsPackages: boolean;
  /** Whether it is unknown what is started. */
  isOpen: boolean;
}

function partsOf(words: readonly string[]): Parts {
  const [path = "", second = ""] = words;
  const name = programOf(path);
  const significant = significantWords(words);
  const own = { significant, start: 0, feedsArguments: false, runsPackages: false, isOpen: false };
  if (!starters.test(name) && !startingSecond.test(`${name} ${second}`)) return own;
  const last = significant.at(-1) ?? "";
  const runsPackages = packageRunners.test(name) || second === "dlx";
  const isOpen = significant.length === 1 || last.startsWith("-") || last.includes("=");
  if (isOpen) return { ...own, runsPackages, isOpen };
  const start = significant.length - 1;
  const further = partsOf(words.slice(start));
  return {
    significant: [...words.slice(0, start), ...further.significant],
    start: start + further.start,
    feedsArguments: name === "xargs" || further.feedsArguments,
    runsPackages: runsPackages || further.runsPackages,
    isOpen: further.isOpen,
  };
}

/** A command in the form that rules are compared with. */
export function commandText({ assignments, words }: SimpleCommand): string {
  return [...assignments, ...unwrapped(words)].join(" ");
}

function unwrapped(words: readonly string[]): readonly string[] {
  const [name = "", ...rest] = words;
  const valuedHere = wrappers.get(name);
  if (!valuedHere) return words;
  const at = rest.findIndex(
    (word, index) =>
      !word.startsWith("-") && !/^[\d.]+[smhd]?$/.test(word) && !valuedHere.test(rest[index - 1] ?? ""),
  );
  return at < 0 ? words : unwrapped(rest.slice(at));
}

// The words up to the one that names the action, with options between them: `git -C sub commit`.
function significantWords(words: readonly string[]): string[] {
  const name = programOf(words[0] ?? "");
  const known = wordsOfPrograms[name];
  if (known === undefined) return words.slice(0, 1);
  let wanted = known - 1;
  let taken = 1;
  for (let index = 1; index < words.length && wanted > 0; index++) {
    const word = words[index] ?? "";
    const isSetting = name === "env" && assignment.test(word);
    if (/["'`$\\]/.test(word) && !isSetting) break;
    taken = index + 1;
    if (isSetting || furtherWords.test(word)) continue;
    const before = words[index - 1] ?? "";
    const isValue = valued.test(before) || (name === "xargs" && valuedOfXargs.test(before));
    if (!word.startsWith("-") && !isValue) wanted--;
  }
  return words.slice(0, taken);
}
