// Folded parts of an answer: our own `<details>` in place of the tags that the answer has as text.

/** Deeper ones stay as they are written. */
const deepest = 12;

interface Opening {
  /** Which piece of the text it is, and which one is its summary. */
  at: number;
  summaryAt: number | undefined;
  isOpen: boolean;
  /** How many elements are open around it. */
  depth: number;
}

const opening = /^<p>&lt;details( open)?&gt;<\/p>$/;
const summary = /^<p>&lt;summary&gt;([\s\S]*)&lt;\/summary&gt;<\/p>$/;
const closing = "<p>&lt;/details&gt;</p>";
const pieces = /(<p>&lt;\/?details(?: open)?&gt;<\/p>|<p>&lt;summary&gt;.*?&lt;\/summary&gt;<\/p>|<[^<>]*>)/;

/**
 * Replaces the tags, each a paragraph of the escaped text, where a beginning and an end belong together: in the same element, with
 * everything between them closed. All others stay text. `html` is safe, and stays so.
 */
export function withDetails(html: string): string {
  if (!html.includes(closing)) return html;
  const parts = html.split(pieces);
  const open: Opening[] = [];
  let depth = 0;
  for (const [at, part] of parts.entries()) {
    const begun = opening.exec(part);
    if (begun) open.push({ at, summaryAt: undefined, isOpen: begun[1] !== undefined, depth });
    else if (summary.test(part)) {
      const last = open.at(-1);
      // Only directly behind the beginning: what is between two pieces is one part.
      if (last && at === last.at + 2 && parts[at - 1]?.trim() === "") last.summaryAt = at;
    } else if (part === closing) {
      const last = open.at(-1);
      if (!last || last.depth !== depth) continue;
      open.pop();
      if (open.length >= deepest) continue;
      parts[last.at] =
        `<details${last.isOpen ? " open" : ""}>${last.summaryAt === undefined ? "<summary>Details</summary>" : ""}`;
      if (last.summaryAt !== undefined)
        parts[last.summaryAt] = `<summary>${summary.exec(parts[last.summaryAt] ?? "")?.[1] ?? ""}</summary>`;
      parts[at] = "</details>";
    } else if (part.startsWith("</")) {
      depth--;
      while ((open.at(-1)?.depth ?? 0) > depth) open.pop();
    } else if (part.startsWith("<") && !/^<[bh]r>$/.test(part)) depth++;
  }
  return parts.join("");
}
