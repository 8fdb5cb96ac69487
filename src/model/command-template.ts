// A command with placeholders, as words. A value fills a place within one word, and no shell reads it, so that no name of
// a file can become a command.
import { commandWords } from "./configuration.ts";

const placeholder = /\{\{\s*([\w.-]+)\s*\}\}/g;

/** The names of the placeholders in a command, each once. */
export function placeholdersIn(command: string): string[] {
  return [...new Set([...command.matchAll(placeholder)].map(([, name = ""]) => name))];
}

/** The words of a command, with the values in their places. What has no value stays as it is written. */
export function filledWords(command: string, values: Readonly<Record<string, string>>): string[] {
  return wordsOf(command).map((word) => {
    const filled = word.replaceAll(placeholder, (written, name: string) => values[name] ?? written);
    // A value in front must not be taken for an option: `./-v` is the same file as `-v`.
    return filled.startsWith("-") && !word.startsWith("-") && isPath(word) ? `./${filled}` : filled;
  });
}

/** Why a command with these placeholders is not accepted, as the rest of a sentence; undefined if it is. */
export function templateTrouble(command: string): string | undefined {
  const words = wordsOf(command);
  const [program] = words;
  if (program === undefined) return "names no program";
  if (hasPlaceholder(program)) return "must name its program itself, and not by a placeholder";
  const script = words.find((word, index) => index > 0 && hasPlaceholder(word) && isScript(words, index));
  if (script !== undefined)
    return `puts a placeholder into a text that ${program} reads as code; pass it as an argument: \`${scriptWithArgument()}\``;
  return undefined;
}

/**
 * Why a value cannot stand where a command has it, as the rest of a sentence; undefined if it can. `{{file}}` and
 * `{{path}}` always can.
 */
export function valueTrouble(command: string, values: Readonly<Record<string, string>>): string | undefined {
  const words = wordsOf(command);
  for (const word of words) {
    const [first] = placeholdersIn(/^\{\{\s*[\w.-]+\s*\}\}/.exec(word)?.[0] ?? "");
    const value = first === undefined ? undefined : values[first];
    if (value?.startsWith("-") && !isPath(word))
      return `puts ${JSON.stringify(value)} where the command would take it for an option; write something in front of \`{{${first}}}\`, such as \`--name={{${first}}}\``;
  }
  for (const [name, value] of Object.entries(values))
    if (value.includes("\0") && placeholdersIn(command).includes(name))
      return `puts a NUL character into a command, which none can hold (\`{{${name}}}\`)`;
  return undefined;
}

// cmd.exe and `powershell -Command` read all that follows as code; a file of commands gets arguments.
function scriptWithArgument(platform: NodeJS.Platform = process.platform): string {
  return platform === "win32" ? "powershell -File check.ps1 {{file}}" : `sh -c 'wc -l "$1"' sh {{file}}`;
}

// Blanks within a placeholder do not end a word.
function wordsOf(command: string): string[] {
  return commandWords(command.replaceAll(placeholder, "{{$1}}"));
}

function hasPlaceholder(word: string): boolean {
  return placeholdersIn(word).length > 0;
}

// The file or the path alone, or with more behind it.
function isPath(word: string): boolean {
  return /^\{\{(?:file|path)\}\}/.test(word);
}

const shells = /^(?:sh|bash|dash|zsh|ksh|fish|cmd|powershell|pwsh)(?:\.exe)?$/i;
const interpreters = /^(?:node|bun|deno|python[\d.]*|perl|ruby|php)(?:\.exe)?$/i;
const codeOptions = /^(?:-\w*[cerp]|--eval|--print|eval|\/c|\/k|-Command|-EncodedCommand)$/i;

// `sh -c TEXT`, `bun -e TEXT`, `env sh -c TEXT`.
function isScript(words: readonly string[], index: number): boolean {
  const before = words.slice(0, index);
  const runsCode = before.some((word) => {
    const name = word.split(/[\\/]/).at(-1) ?? "";
    return shells.test(name) || interpreters.test(name);
  });
  return runsCode && codeOptions.test(before.at(-1) ?? "");
}
