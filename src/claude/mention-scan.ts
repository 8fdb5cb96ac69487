// Finds what Claude Code treats as a mention: read in the programs of 2.1.197 and 2.1.332, and tried with both.

export interface Mention {
  /** Where its `@` is in the text. */
  index: number;
  /** The mention as written, from the `@` on; cut if the name is too long. */
  written: string;
  /**
   * What is mentioned: a path with or without `#L1-5`, an agent, or `server:resource`. Empty if too long for any of them.
   */
  name: string;
  isAgent: boolean;
}

/** An `@` begins a mention after one of these, after whitespace, or at the beginning of the text. */
const openers = "。、？！";

/** A longer name is no path that a system call accepts (PATH_MAX of Linux). A base64 text may be longer. */
const longestName = 4_096;

/** The mentions in a text, in order, in linear time. */
export function* mentionsIn(text: string): Generator<Mention> {
  const runs = new Runs(text);
  for (let index = text.indexOf("@"); index !== -1; index = text.indexOf("@", index + 1)) {
    const before = text.charAt(index - 1);
    if (before.trim() !== "" && !openers.includes(before)) continue;
    const mention = text.charAt(index + 1) === '"' ? quotedAt(text, index) : plainAt(text, index, runs);
    if (mention) yield mention;
  }
}

function quotedAt(text: string, index: number): Mention | undefined {
  const end = text.indexOf('"', index + 2);
  if (end <= index + 2) return undefined;
  return mentionOf(text, index, { end: end + 1, isQuoted: true });
}

function plainAt(text: string, index: number, runs: Runs): Mention | undefined {
  const end = runs.lastBoundaryAt(index);
  return end <= index + 1 ? undefined : mentionOf(text, index, { end, isQuoted: false });
}

function mentionOf(
  text: string,
  index: number,
  { end, isQuoted }: { end: number; isQuoted: boolean },
): Mention {
  const from = index + (isQuoted ? 2 : 1);
  const to = isQuoted ? end - 1 : end;
  if (to - from > longestName)
    return { index, written: `${text.slice(index, index + 60)}…`, name: "", isAgent: false };
  const name = text.slice(from, to);
  const isAgent = (isQuoted ? /^[\w:.@-]+ \(agent\)$/ : /^agent-[\w:.@-]+$/).test(name);
  return { index, written: text.slice(index, end), name, isAgent };
}

/** The runs of a text without blanks. Each is measured once, however many mentions it contains. */
class Runs {
  readonly #text: string;
  #end = -1;
  #boundary = -1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The last word boundary in the run around `index`: a mention ends there. */
  lastBoundaryAt(index: number): number {
    if (index < this.#end) return this.#boundary;
    const blank = /\s/g;
    blank.lastIndex = index;
    this.#end = blank.exec(this.#text)?.index ?? this.#text.length;
    let at = this.#end;
    while (at > index && this.#isWord(at - 1, index) === this.#isWord(at, index)) at--;
    this.#boundary = at;
    return at;
  }

  #isWord(at: number, from: number): boolean {
    return at >= from && at < this.#end && /\w/.test(this.#text.charAt(at));
  }
}
