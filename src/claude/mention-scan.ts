// Finds what Claude Code takes for a mention: read in the programs of 2.1.197 and 2.1.332, and tried with both.

export interface Mention {
  /** Where its `@` stands in the text. */
  index: number;
  /** As it stands in the text, from the `@` on. */
  written: string;
  /** What is mentioned: a path with or without `#L1-5`, an agent, or `server:resource`. */
  name: string;
  isAgent: boolean;
}

/** Behind these, or a blank of any kind, or at the beginning of the text, an `@` begins a mention. */
const openers = "。、？！";

/** The mentions in a text, in their order. The same place may be read in two ways: both are given. */
export function mentionsIn(text: string): Mention[] {
  const found: Mention[] = [];
  for (let index = text.indexOf("@"); index !== -1; index = text.indexOf("@", index + 1)) {
    const before = text.charAt(index - 1);
    if (before.trim() !== "" && !openers.includes(before)) continue;
    const mention = text.charAt(index + 1) === '"' ? quotedAt(text, index) : plainAt(text, index);
    if (mention) found.push(mention);
  }
  return found;
}

function quotedAt(text: string, index: number): Mention | undefined {
  const end = text.indexOf('"', index + 2);
  if (end <= index + 2) return undefined;
  const name = text.slice(index + 2, end);
  return { index, written: text.slice(index, end + 1), name, isAgent: /^[\w:.@-]+ \(agent\)$/.test(name) };
}

// Up to the next blank, and from there back to the last place where a word begins or ends.
function plainAt(text: string, index: number): Mention | undefined {
  const [run = ""] = /^\S*/.exec(text.slice(index, index + longestRun)) ?? [];
  const [written = ""] = /^.+\b/s.exec(run) ?? [];
  const name = written.slice(1);
  if (name === "") return undefined;
  return { index, written, name, isAgent: /^agent-[\w:.@-]+$/.test(name) };
}

/** No path is longer than that, on any system; a base64 text may be. */
const longestRun = 33_000;
