// Words of a command that people paste into a terminal. A POSIX shell reads them on most systems; on Windows, cmd.exe or
// PowerShell, and nobody knows which.

/** A value as one word: of a POSIX shell, and on Windows of both cmd.exe and PowerShell. */
export function shellQuoted(value: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return quotedOnWindows(value);
  if (/^[\w@%+=:,./-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", "'\\''")}'`;
}

// PowerShell takes more characters for its own: a comma separates, `@` unpacks, and a word behind a dash ends at its dot.
function quotedOnWindows(value: string): string {
  if (/^[\w+=:./\\][\w+=:./\\-]*$/.test(value)) return value;
  // Programs halve the backslashes before a quotation mark. A doubled mark is one for PowerShell, for cmd.exe and for the
  // program; only Windows PowerShell 5.1 loses it, however it is quoted.
  const whole = value.replace(/(\\*)"/g, '$1$1""').replace(/\\+$/, "$&$&");
  // What PowerShell would expand, even run, or take for a quotation mark. Nothing is right in both: cmd.exe passes the
  // backtick on.
  return `"${whole.replace(/[$`\u201c-\u201e]/g, "`$&")}"`;
}

/** How to start the program at a path, with arguments or without, as the code of a sentence, and what that takes. */
export function startText(
  path: string,
  { args = "", platform = process.platform }: { args?: string; platform?: NodeJS.Platform } = {},
): string {
  const word = shellQuoted(path, platform);
  const isText = platform === "win32" && word.startsWith('"');
  // To PowerShell, a quoted word in the first place is a text; to cmd.exe, an `&` in the first place is a mistake.
  return `\`${[word, args].join(" ").trimEnd()}\`${isText ? " (in PowerShell, write `& ` before it)" : ""}`;
}

/** How a command gets nothing at its standard input, as the code of a sentence. */
export function emptyInputText(platform: NodeJS.Platform = process.platform): string {
  return platform === "win32" ? "`< NUL` (in PowerShell, `$null | ` before the command)" : "`< /dev/null`";
}

/** How an option gets the text of a file, as a sentence without its end. `setting`: its name in a file of tasks. */
export function textOfFileHint(
  { option, setting }: { option: string; setting: string },
  platform: NodeJS.Platform = process.platform,
): string {
  return platform === "win32"
    ? `in PowerShell, write \`${option} (Get-Content -Raw FILE)\`. cmd.exe cannot read a file into an option: give \`${setting}\` in a file of tasks instead`
    : `write \`${option} "$(cat FILE)"\``;
}
