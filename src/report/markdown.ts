// Claude's Markdown as HTML. Output of a model is hostile input: it may quote any web page that it has read.
import { beginningOf } from "../model/cut.ts";
import { type Html, vouchedFor } from "./html.ts";
import { withDetails } from "./markdown-details.ts";
import { markdownSource, type Note, noteLabel } from "./markdown-source.ts";

const options = {
  noHtmlBlocks: true,
  noHtmlSpans: true,
  tagFilter: true,
  autolinks: true,
  headings: false,
} as const;

/** Longer text is shown unchanged, in characters. */
const longest = 2_000_000;
/** The deepest nesting of elements; browsers stop at about 500. */
const deepest = 100;
// Thousands of quote and list marks at the beginning of one line would take long to parse before they are found too deep.
const deepLine = /^(?:[ \t]*(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])){101}/m;

/** Marks the parts of code in a language, as `highlight.ts` does; undefined if it cannot. */
export type Highlight = (code: string, language: string) => string | undefined;

/** The output of `safeMarkdown`, for a page. */
export function markdownHtml(text: string, highlight?: Highlight): Html {
  return vouchedFor(safeMarkdown(text, highlight));
}

/** Whether a text has a block of code that names its language, roughly: then its page is better with `highlight`. */
export function namesLanguage(text: string): boolean {
  return /^[ >\t]*(?:```|~~~)[ \t]*[\w+#.-]/m.test(text);
}

/**
 * Markdown as HTML that is safe in a page: raw HTML is shown as text, images become links, and links are limited to http,
 * https and mailto. Headings begin at level 3, without gaps. Blocks of code have their language beside them, and their parts
 * marked by `highlight`, whose output is trusted. Footnotes are at the end, and `<details>` folds what is in it. Never throws: what
 * cannot be rendered becomes `<pre>`.
 */
export function safeMarkdown(text: string, highlight?: Highlight): string {
  if (text.length > longest || deepLine.test(text)) return asWritten(text);
  try {
    const { text: body, notes } = markdownSource(text);
    const references = new References(text, notes);
    const html = rendered(body, references, highlight);
    const below = html === undefined ? undefined : notesHtml(references, highlight);
    return html === undefined || below === undefined ? asWritten(text) : html + below;
  } catch {
    // If the parser fails, the reader gets the text.
    return asWritten(text);
  }
}

function rendered(
  text: string,
  references: References,
  highlight: Highlight | undefined,
): string | undefined {
  const html = allowed(Bun.markdown.html(text, options), references);
  return html === undefined ? undefined : withDetails(withCode(html, highlight));
}

/** The footnotes of a text, in the order in which it refers to them. */
class References {
  /** Each with its number. */
  readonly #numbers = new Map<Note, number>();
  readonly #notes: readonly Note[];
  readonly #of: ReadonlyMap<string, Note>;
  readonly #key: string;

  constructor(text: string, notes: readonly Note[]) {
    this.#notes = notes;
    // Of several with one label, the first counts.
    this.#of = new Map(notes.toReversed().map((note) => [note.label, note]));
    // A page may have several texts, whose places need different names.
    this.#key = notes.length === 0 ? "" : Bun.hash(text).toString(36);
  }

  /** Those that something refers to. The list grows as they are rendered, because one may refer to another. */
  get ordered(): Iterable<Note> {
    return this.#numbers.keys();
  }

  /** Those that nothing refers to, which are shown all the same. */
  get others(): Note[] {
    return this.#notes.filter((note) => !this.#numbers.has(note));
  }

  /** A reference; undefined if there is no such note. */
  to(label: string): string | undefined {
    const note = this.#of.get(label);
    if (!note) return undefined;
    const known = this.#numbers.get(note);
    const isFirst = known === undefined;
    const number = known ?? this.#numbers.size + 1;
    this.#numbers.set(note, number);
    const id = isFirst ? ` id="${this.place("from", number)}"` : "";
    return `<sup><a href="#${this.place("note", number)}"${id} aria-label="Note ${number}">${number}</a></sup>`;
  }

  place(what: "note" | "from", number: number): string {
    return `${what}-${this.#key}-${number}`;
  }
}

// Undefined if one of them cannot be rendered.
function notesHtml(references: References, highlight: Highlight | undefined): string | undefined {
  const items: string[] = [];
  const add = ({ text }: Note, link: string): boolean => {
    const html = rendered(text, references, highlight)?.trimEnd();
    if (html === undefined) return false;
    // The way back ends the last paragraph.
    const [, before = html, end = ""] = /^([\s\S]*)(<\/p>)$/.exec(html) ?? [];
    const id = link === "" ? "" : ` id="${references.place("note", items.length + 1)}"`;
    items.push(`<li${id}>${before}${link}${end}</li>`);
    return true;
  };
  for (const note of references.ordered) {
    const number = items.length + 1;
    const back = `<a href="#${references.place("from", number)}" aria-label="Back to note ${number} in the text">↩</a>`;
    if (!add(note, ` ${back}`)) return undefined;
  }
  for (const note of references.others) if (!add(note, "")) return undefined;
  return items.length === 0 ? "" : `<ol class="notes">\n${items.join("\n")}\n</ol>\n`;
}

function asWritten(text: string): string {
  return `<pre class="plain">${Bun.escapeHTML(text)}</pre>`;
}

// Every "<" in the renderer's output is either one of the tags listed here or escaped as "&lt;". With raw HTML switched
// off, the parser also leaves `<https://…>` as text; those become links again.
const piece = new RegExp(
  `<[^<>]*>?|&lt;(https?://[^\\s<>]{1,500}?)&gt;|\\[\\^(${noteLabel})\\]|&lt;br ?/?&gt;`,
  "g",
);
const linkTag = /^<a href="([^"<>]*)"(?: title="[^"<>]*")?>$/;
const imageTag = /^<img src="([^"<>]*)" alt="([^"<>]*)"(?: title="[^"<>]*")? \/>$/;
const checkbox = /^<input type="checkbox" class="task-list-item-checkbox" disabled( checked)?>$/;
const safeUrl = /^(?:https?:\/\/|mailto:)[^\s\x00-\x1f]+$/i;

interface OpenLink {
  /** What follows the link text. */
  closing: string;
  target: string;
  textFrom: number;
}

// Undefined if elements are nested too deep.
function allowed(html: string, references: References): string | undefined {
  let depth = 0;
  let greatestDepth = 0;
  let inCode = false;
  let link: OpenLink | undefined;

  // Levels of the headings around the current place. A page has two levels above them, and skips none.
  let levels: number[] = [];
  const headingTag = (opens: boolean, level: number): string => {
    if (opens) levels = [...levels.filter((above) => above < level), level];
    return `<${opens ? "" : "/"}h${Math.min(6, levels.length + 2)}>`;
  };

  const replacement = (
    tag: string,
    autolink: string | undefined,
    label: string | undefined,
    at: number,
  ): string => {
    if (autolink !== undefined) return inCode || link ? tag : `${opening(autolink)}${autolink}</a>`;
    if (label !== undefined) return (inCode || link ? undefined : references.to(label)) ?? tag;
    // The one tag for which Markdown has nothing in a cell of a table.
    if (tag.startsWith("&lt;")) return inCode ? tag : "<br>";
    depth += nesting(tag);
    greatestDepth = Math.max(greatestDepth, depth);
    const target = linkTag.exec(tag)?.[1];
    if (target !== undefined && !link) {
      link = { closing: safeUrl.test(target) ? "</a>" : "", target, textFrom: at + tag.length };
      return link.closing ? opening(target) : "";
    }
    if (tag === "</a>" && link) {
      const { closing, target: refused, textFrom } = link;
      link = undefined;
      return closing || refusedTarget(refused, html.slice(textFrom, at));
    }
    if (tag.startsWith("<code")) inCode = true;
    if (tag === "</code>") inCode = false;
    const level = /^<(\/?)h([1-6])>$/.exec(tag);
    if (level) return headingTag(level[1] === "", Number(level[2]));
    const image = imageTag.exec(tag);
    if (image) return imageText(image[1] ?? "", image[2] ?? "", link !== undefined);
    return fixed.get(tag) ?? variable(tag) ?? Bun.escapeHTML(tag);
  };

  const result = html.replace(piece, replacement);
  return greatestDepth > deepest ? undefined : withMarks(result);
}

/** The text of a cell that stays on one line, in characters. */
const longestShort = 24;

// A date or a name in a cell stays on one line. A link that shows its target is not printed with it again.
function withMarks(html: string): string {
  return html
    .replace(
      /<(t[dh])((?: align="[a-z]+")?)>(.*?)<\/\1>/gs,
      (cell, name: string, align: string, text: string) =>
        text.replace(/<[^<>]*>/g, "").length <= longestShort
          ? `<${name} class="short"${align}>${text}</${name}>`
          : cell,
    )
    .replace(/<a (href="([^"<>]*)" rel="[^"<>]*">\2<\/a>)/g, '<a class="bare" $1');
}

/** What pages cannot draw: the language of a diagram or a formula, and what its block is called. */
const undrawn = new Map([
  ...["mermaid", "dot", "graphviz", "plantuml"].map((name) => [name, "diagram, as source"] as const),
  ...["math", "latex", "tex", "katex"].map((name) => [name, "formula, as source"] as const),
]);

// In code, the renderer has escaped every angle bracket.
function withCode(html: string, highlight: Highlight | undefined): string {
  return html.replace(
    /<pre><code(?: data-language="([^"<>]*)")?>([^<]*)<\/code><\/pre>/g,
    (_, language: string | undefined, code: string) => {
      const marked = language === undefined ? undefined : highlight?.(asText(code), language);
      const named = language === undefined ? "" : ` data-language="${undrawn.get(language) ?? language}"`;
      return `<div class="code"${named}><pre><code>${marked ?? code}</code></pre></div>`;
    },
  );
}

function asText(escaped: string): string {
  const characters: Readonly<Record<string, string>> = {
    lt: "<",
    gt: ">",
    quot: '"',
    amp: "&",
    "#39": "'",
    "#x27": "'",
  };
  return escaped.replace(/&(#?\w+);/g, (entity, name: string) => characters[name] ?? entity);
}

function nesting(tag: string): number {
  if (tag.startsWith("</")) return -1;
  return tag.endsWith("/>") || tag.startsWith("<input") ? 0 : 1;
}

// The renderer has escaped quotes and angle brackets in the target.
function opening(target: string): string {
  return `<a href="${target}" rel="noopener noreferrer nofollow">`;
}

function refusedTarget(target: string, text: string): string {
  return target === "" || target === text ? "" : ` (${shortened(target)})`;
}

function imageText(source: string, alternative: string, inLink: boolean): string {
  const words = `Image: ${alternative || shortened(source)}`;
  if (inLink) return words;
  if (safeUrl.test(source)) return `${opening(source)}${words}</a>`;
  return alternative ? `${words} (${shortened(source)})` : words;
}

// Already escaped, so an entity cut in half is removed too.
function shortened(escaped: string): string {
  return escaped.length <= 200 ? escaped : `${beginningOf(escaped, 200).replace(/&[^;]*$/, "")}…`;
}

const plainTags = ["p", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li"];
const tableTags = ["thead", "tbody", "tr", "th", "td"];

const fixed = new Map<string, string>([
  ...[...plainTags, ...tableTags].flatMap((name): [string, string][] => [
    [`<${name}>`, `<${name}>`],
    [`</${name}>`, `</${name}>`],
  ]),
  ["<table>", '<div class="wide"><table>'],
  ["</table>", "</table></div>"],
  ['<li class="task-list-item">', '<li class="check">'],
  ["<hr />", "<hr>"],
  ["<br />", "<br>"],
]);

function variable(tag: string): string | undefined {
  if (tag.startsWith('<code class="language-')) {
    const language = /^<code class="language-([\w+#.-]{1,30})">$/.exec(tag)?.[1]?.toLowerCase();
    if (language !== undefined) return `<code data-language="${language}">`;
    return tag.endsWith('">') ? "<code>" : undefined;
  }
  const start = /^<ol start="(\d{1,9})">$/.exec(tag)?.[1];
  if (start !== undefined) return `<ol start="${start}">`;
  if (/^<t[hd] align="(?:left|center|right)">$/.test(tag)) return tag;
  const box = checkbox.exec(tag);
  if (box)
    return box[1]
      ? '<span role="img" aria-label="done">☑</span> '
      : '<span role="img" aria-label="open">☐</span> ';
  return undefined;
}
