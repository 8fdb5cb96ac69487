// Parses a Bash command as far as Claude Code's permission check does: into commands that rules must allow, and parts
// that the check refuses to look into. These were seen on 2.1.197 and 2.1.332.

/** Why no narrow rule allows a command: the check gives up on this, whatever the rules say. */
export type Unchecked =
  /** `$(…)`, backticks, `<(…)`, a variable, a loop, a function: the text that will run is unknown. */
  | "expansion"
  /** `(…)`, `{ …; }` */
  | "group"
  /** `&` */
  | "background";

/** A file that a redirection reads or writes. */
export interface Redirection {
  kind: "read" | "write";
  target: string;
}

/** One command of a line: `FOO=1 node a.js > out.txt`. */
export interface SimpleCommand {
  /** `FOO=1`, as written. */
  assignments: string[];
  /** The name and its arguments, as written, with quotes. */
  words: string[];
  redirections: Redirection[];
}

/** All commands of a text, in order. */
export interface ShellCommand {
  commands: SimpleCommand[];
  unchecked?: Unchecked;
}

type Token = { kind: "word"; text: string } | { kind: "separator" | "group" | "redirection"; text: string };

// The commands between these are checked one by one; those of `for`, `case` and `function` are not.
const keywords = new Set(["if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!"]);
const uncheckedKeywords = new Set(["for", "case", "select", "function", "read"]);
/** A variable that is set before a command. */
export const assignment = /^[A-Za-z_]\w*=/;

/** The commands in a Bash text. Never throws: invalid Bash counts as unchecked. */
export function shellCommandOf(text: string): ShellCommand {
  const { tokens, unchecked } = tokensOf(text);
  const shell: ShellCommand = { commands: [], ...(unchecked ? { unchecked } : {}) };
  let command: SimpleCommand = { assignments: [], words: [], redirections: [] };
  const finish = () => {
    if (command.words.length + command.redirections.length > 0) shell.commands.push(command);
    // The check does not follow a variable that is set for later commands.
    else if (command.assignments.length > 0) shell.unchecked ??= "expansion";
    command = { assignments: [], words: [], redirections: [] };
  };
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (!token) break;
    if (token.kind === "separator") finish();
    else if (token.kind === "group") shell.unchecked ??= "group";
    else if (token.kind === "redirection") {
      const target = tokens[++index];
      if (target?.kind === "word") addRedirection(command, token.text, target.text);
    } else addWord(shell, command, token.text);
  }
  finish();
  return shell;
}

function addWord(shell: ShellCommand, command: SimpleCommand, word: string): void {
  if (command.words.length > 0) command.words.push(word);
  else if (command.assignments.length === 0 && uncheckedKeywords.has(word)) shell.unchecked ??= "expansion";
  else if (word === "{" || word === "}") shell.unchecked ??= "group";
  else if (keywords.has(word)) return;
  else if (assignment.test(word)) command.assignments.push(word);
  else command.words.push(word);
}

// Copied descriptors (`2>&1`) and redirections to nowhere need no permission.
function addRedirection({ redirections }: SimpleCommand, operator: string, target: string): void {
  if (operator.startsWith("<<") || target === "/dev/null") return;
  if (operator.endsWith("&") && /^(?:\d+|-)$/.test(target)) return;
  redirections.push({ kind: operator.startsWith("<") ? "read" : "write", target });
}

// `git commit -m "$(cat <<'EOF' …)"` is how Claude writes multi-line messages, and passes the check.
const quotedHereDocument = /^\$\(cat <<'(\w+)'\n[\s\S]*?\n\1\n?\s*\)/;
// The variable whose value the check knows.
const knownVariable = /^\$HOME\b/;

// Digits are a descriptor only if no word has begun.
const redirection = /^\d*(?:<<<|<<-?|>>|>\||[<>]&|<>|[<>])|^&>>?/;

function tokensOf(text: string): { tokens: Token[]; unchecked?: Unchecked } {
  const tokens: Token[] = [];
  const hereDocuments: string[] = [];
  let unchecked: Unchecked | undefined;
  let word: string | undefined;
  let at = 0;
  const flush = () => {
    if (word !== undefined) tokens.push({ kind: "word", text: word });
    word = undefined;
  };
  const take = (length: number) => {
    word = (word ?? "") + text.slice(at, at + length);
    at += length;
  };
  const operator = (kind: "separator" | "group" | "redirection", length: number) => {
    flush();
    tokens.push({ kind, text: text.slice(at, at + length) });
    at += length;
  };
  const expansion = () => {
    const rest = text.slice(at);
    const known = quotedHereDocument.exec(rest) ?? knownVariable.exec(rest);
    if (!known && /^(?:`|\$[\w({?$!#@*-])/.test(rest)) unchecked ??= "expansion";
    take(known?.[0].length ?? 1);
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 200);
    const character = text.charAt(at);
    if (rest.startsWith("\\\n")) at += 2;
    else if (character === "\\") take(2);
    else if (character === "'") take(lengthOfQuoted(text, at));
    else if (character === '"') {
      take(1);
      while (at < text.length && text.charAt(at) !== '"') {
        if (text.charAt(at) === "\\") take(2);
        else if (text.charAt(at) === "$" || text.charAt(at) === "`") expansion();
        else take(1);
      }
      take(1);
    } else if (character === "#" && word === undefined) at = endOfLine(text, at);
    else if (/^[<>]\(/.test(rest)) {
      unchecked ??= "expansion";
      take(2);
    } else if (redirection.test(rest) && (word === undefined || !/\d/.test(character))) {
      const found = redirection.exec(rest) ?? [""];
      if (/<<-?$/.test(found[0])) {
        const delimiter = /^[ \t]*(\\?['"]?)([\w.-]+)/.exec(text.slice(at + found[0].length));
        if (delimiter) hereDocuments.push(delimiter[2] ?? "");
        // Without quotes the text is expanded, and the check gives up even if there is nothing to expand.
        if (delimiter?.[1] === "") unchecked ??= "expansion";
      }
      flush();
      tokens.push({ kind: "redirection", text: found[0].replace(/^\d+/, "") });
      at += found[0].length;
    } else if (character === "\n") {
      operator("separator", 1);
      for (const end of hereDocuments.splice(0)) at = endOfHereDocument(text, at, end);
    } else if (/^(?:&&|\|\||\|&|;;|[;|])/.test(rest)) {
      operator("separator", /^(?:&&|\|\||\|&|;;)/.test(rest) ? 2 : 1);
    } else if (character === "&") {
      unchecked ??= "background";
      operator("separator", 1);
    } else if (character === "(" || character === ")") operator("group", 1);
    else if (/\s/.test(character)) {
      flush();
      at++;
    } else if (character === "$" || character === "`") expansion();
    else {
      if (/^\{[^\s{}]*(?:,|\.\.)[^\s{}]*\}/.test(rest)) unchecked ??= "expansion";
      take(1);
    }
  }
  flush();
  return { tokens, ...(unchecked ? { unchecked } : {}) };
}

function lengthOfQuoted(text: string, from: number): number {
  const end = text.indexOf("'", from + 1);
  return (end < 0 ? text.length : end + 1) - from;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function endOfHereDocument(text: string, from: number, end: string): number {
  let at = from;
  while (at < text.length) {
    const next = endOfLine(text, at);
    const line = text.slice(at, next).trim();
    at = Math.min(text.length, next + 1);
    if (line === end) break;
  }
  return at;
}
