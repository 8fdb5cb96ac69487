// Daemons that one session starts and others use: they outlive the session, and end with the batch at the latest.
import { basename, isAbsolute } from "../platform/paths.ts";
import { commandOf } from "../platform/process-table.ts";

export class SharedDaemons {
  readonly #patterns: readonly RegExp[];

  /** Command lines without the program's directory; `*` matches anything. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(patternFrom);
  }

  /** Whether this process is one now. */
  isOne(pid: number): boolean {
    return this.#patterns.length > 0 && this.matches(commandOf(pid));
  }

  /** Whether a command line belongs to one. */
  matches([program = "", ...others]: readonly string[]): boolean {
    // A title that a program set for itself is one word with blanks, which may contain a path.
    const file = isAbsolute(program) || !program.includes(" ") ? basename(program) : program;
    // On Windows, programs have an ending that nobody writes.
    const names = new Set([file, file.replace(/\.exe$/i, "")]);
    const lines = [...names].map((name) => [name, ...others].join(" "));
    return this.#patterns.some((pattern) => lines.some((line) => pattern.test(line)));
  }
}

// A name alone matches the program with any arguments.
function patternFrom(text: string): RegExp {
  const literal = text.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\/]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}${/[*\s]/.test(text) ? "" : "(?: .*)?"}$`, "s");
}
