// The text of a template, in which placeholders such as {{file}} stand for what differs from task to task.

/** A template in pieces: text, and the names of placeholders. */
export interface Template {
  pieces: readonly (string | { name: string })[];
  /** The names of its placeholders, each once, in the order of the text. */
  names: readonly string[];
  /** Places where `{{` begins no placeholder, as an excerpt each. */
  broken: readonly string[];
}

/** `{{{{` is a literal `{{`; anything else between double braces is a placeholder. */
const opening = /\{\{\{\{|\{\{([^{}]*)\}\}|\{\{/g;

/** How much of a broken place to show, in characters. */
const excerptLength = 24;

/** Reads a template once, for any number of tasks. */
export function templateIn(text: string): Template {
  const pieces: (string | { name: string })[] = [];
  const names = new Set<string>();
  const broken: string[] = [];
  let at = 0;
  for (const match of text.matchAll(opening)) {
    const [whole, written] = match;
    pieces.push(text.slice(at, match.index));
    at = match.index + whole.length;
    const name = written?.trim();
    if (name) {
      pieces.push({ name });
      names.add(name);
    } else if (whole === "{{{{") pieces.push("{{");
    else broken.push(text.slice(match.index, match.index + excerptLength).split("\n", 1)[0] ?? "");
  }
  pieces.push(text.slice(at));
  return { pieces, names: [...names], broken };
}

/** The text with every placeholder replaced; one without a value becomes empty. */
export function filled({ pieces }: Template, values: Readonly<Record<string, string>>): string {
  let text = "";
  for (const piece of pieces) text += typeof piece === "string" ? piece : (values[piece.name] ?? "");
  return text;
}
