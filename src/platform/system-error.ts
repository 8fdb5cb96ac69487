// Errors of the system, in words for people.

/** Why something failed, as the end of a sentence: "no space left on device". For other errors, their message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // "ENOSPC: no space left on device, write '/a/file'": the sentence around it names the file.
  return /^E[A-Z0-9]+: (.+?)(?:, [a-z]+(?: '.*)?)?$/s.exec(error.message)?.[1] ?? error.message;
}

/** The message of an error; for anything else, its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of an error, of the system (`ENOENT`) or of a library (`SQLITE_FULL`); undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The system's code of an error, such as `ENOENT`; undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** An error to print. That of a fleet's server has the whole command, with prompts in it. */
export function withoutCommand(error: unknown): unknown {
  if (error instanceof Error && "command" in error) Reflect.deleteProperty(error, "command");
  return error;
}
