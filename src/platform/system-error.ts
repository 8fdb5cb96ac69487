// What the system says when it refuses something, in words for people.

/** Why something failed, to end a sentence with: "no space left on device"; of what the system did not say, the message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // "ENOSPC: no space left on device, write '/a/file'": which file it is, the sentence around it says.
  return /^E[A-Z0-9]+: (.+?)(?:, [a-z]+(?: '.*)?)?$/s.exec(error.message)?.[1] ?? error.message;
}

/** What an error says; of what is no error, its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's own word for an error, `ENOENT` for example; nothing where it is no error of the system. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
