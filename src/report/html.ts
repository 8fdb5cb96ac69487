// What every page has in common: HTML as a type of its own, into which text gets only escaped, and small pieces of it.
import { harmless } from "./harmless.ts";

// Known to this file alone: nobody else can make HTML out of a string.
const own = Symbol("html");

/** What a browser may read as HTML. Made by `html` and the functions here; a string is none, and does not compile. */
export class Html {
  readonly #text: string;

  constructor(text: string, mark: typeof own) {
    if (mark !== own) throw new Error("Internal error: HTML is made by `html` alone");
    this.#text = text;
  }

  get isEmpty(): boolean {
    return this.#text === "";
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}

/** What may stand in HTML: text and numbers are escaped, nothing is nothing, a list comes one after the other. */
export type Content = Html | string | number | undefined | readonly Content[];

/** HTML with values in it, in elements and in quoted attributes: `<b title="${name}">${name}</b>`. */
export function html(pieces: TemplateStringsArray, ...values: readonly Content[]): Html {
  let text = pieces[0] ?? "";
  for (const [index, value] of values.entries()) text += textOf(value) + (pieces[index + 1] ?? "");
  return new Html(text, own);
}

/** Contents with something between them. */
export function joined(contents: readonly Content[], between: Content): Html {
  return new Html(contents.map(textOf).join(textOf(between)), own);
}

/** HTML that was checked elsewhere, character by character, or is our own: see who calls this, and nobody else may. */
export function vouchedFor(text: string): Html {
  return new Html(text, own);
}

function textOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Html) return content.toString();
  if (typeof content === "number") return String(content);
  return typeof content === "string" ? escaped(content) : content.map(textOf).join("");
}

// Text from anywhere, fit for an element or a quoted attribute.
function escaped(text: string): string {
  return Bun.escapeHTML(harmless(text));
}

export const nothing = html``;

/** A sentence of ours: what stands in backticks becomes `<code>`. */
export function proseHtml(text: string): Html {
  return new Html(escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>"), own);
}

/** A moment, for people and for programs. `at` in milliseconds since 1970. */
export function timeHtml(at: number, text: string): Html {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return html`${text}`;
  return html`<time datetime="${date.toISOString()}">${text}</time>`;
}

/** A titled part of a page, which screen readers list. `id` is unique in the page. Nothing where there is no content. */
export function sectionHtml(id: string, heading: string, content: Html, remark = ""): Html {
  if (content.isEmpty) return nothing;
  const small = remark === "" ? nothing : html` <small>${remark}</small>`;
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${heading}${small}</h2>${content}</section>\n`;
}

/** Names and values as a list; those without a value are left out. */
export function factsHtml(facts: [name: string, value: Html | string | undefined][], className = ""): Html {
  const rows = facts
    .filter(([, value]) => value !== undefined && String(value) !== "")
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return html`<dl${className === "" ? nothing : html` class="${className}"`}>${rows}</dl>`;
}
