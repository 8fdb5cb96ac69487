// The narrowest rule that lets a command through and is of use for the next one like it: `git log`, not `git`.
import type { SimpleCommand } from "./shell-command.ts";

/** How many words name what such a program does; all others are named by their first. */
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
  composer: 2,
  deno: 2,
  docker: 2,
  dotnet: 2,
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
  pip3: 2,
  pnpm: 2,
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
const furtherWords = /^(?:run|exec|x|compose|dlx|-m)$/;
/** Options before the word that counts, which are followed by a value. */
const valued = /^(?:-C|-c|-u|-g|-n|-P|-L|--prefix|--cwd|--filter|--git-dir|--work-tree|--package|-p)$/;
/** What the permission check looks through: rules for the command behind count. */
const wrappers = new Set(["nice", "nohup", "stdbuf", "time", "timeout"]);

/**
 * The rule for one command, without which it is denied. Nothing where none can be written: parentheses, asterisks and
 * line breaks within a rule mean something else, or nothing.
 */
export function ruleForCommand({ assignments, words }: SimpleCommand): string | undefined {
  const prefix = [...assignments, ...significantWords(unwrapped(words))].join(" ");
  return prefix === "" || /[()*\n]/.test(prefix) ? undefined : `Bash(${prefix}:*)`;
}

/** A command as rules are compared with it. */
export function commandText({ assignments, words }: SimpleCommand): string {
  return [...assignments, ...unwrapped(words)].join(" ");
}

function unwrapped(words: readonly string[]): readonly string[] {
  const [name = "", ...rest] = words;
  if (!wrappers.has(name)) return words;
  const at = rest.findIndex(
    (word, index) =>
      !word.startsWith("-") && !/^[\d.]+[smhd]?$/.test(word) && !valued.test(rest[index - 1] ?? ""),
  );
  return at < 0 ? words : unwrapped(rest.slice(at));
}

// The words up to the one that says what is done, the options between them included: `git -C sub commit`.
function significantWords(words: readonly string[]): string[] {
  const [name = ""] = words;
  const known = /^python[\d.]*$/.test(name) ? Number(words[1] === "-m") + 1 : wordsOfPrograms[name];
  if (name === "env") return words.slice(0, 1 + words.slice(1).findIndex((word) => !word.includes("=")) + 1);
  if (known === undefined) return words.slice(0, 1);
  let wanted = known - 1;
  let taken = 1;
  for (let index = 1; index < words.length && wanted > 0; index++) {
    const word = words[index] ?? "";
    if (/["'`$\\]/.test(word)) break;
    taken = index + 1;
    if (furtherWords.test(word)) continue;
    if (!word.startsWith("-") && !valued.test(words[index - 1] ?? "")) wanted--;
  }
  return words.slice(0, taken);
}
