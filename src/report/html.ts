// HTML as a type of its own, which escapes all text put into it, and small building blocks for every page.
import { harmless } from "./harmless.ts";

// Private to this file, so that no other file can make HTML from a string.
const own = Symbol("html");

const encoder = new TextEncoder();

/** What a browser may read as HTML. Made by `html` and the functions here; a plain string does not compile. */
export class Html {
  readonly #content: string | readonly Html[];
  readonly #encoded: Uint8Array<ArrayBuffer> | undefined;

  constructor(content: string | readonly Html[], mark: typeof own, encoded?: Uint8Array<ArrayBuffer>) {
    if (mark !== own) throw new Error("Internal error: HTML is made by `html` alone");
    this.#content = content;
    this.#encoded = encoded;
  }

  get isEmpty(): boolean {
    return this.#content.length === 0;
  }

  /** Whether it is kept in pieces, because it may have megabytes, or has what `repeated` gives. */
  get isInPieces(): boolean {
    return typeof this.#content !== "string";
  }

  /** Its text, piece by piece, so that nobody needs all of it at once. */
  *pieces(): Generator<string> {
    const content = this.#content;
    if (typeof content === "string") return void (yield content);
    for (const part of content) {
      // Most are rows, and each generator costs more than its text.
      if (typeof part.#content === "string") yield part.#content;
      else yield* part.pieces();
    }
  }

  /** Writes it into the buffer as UTF-8, and returns how many bytes that are; undefined if it does not fit. */
  encodeInto(buffer: Uint8Array, from = 0): number | undefined {
    if (this.#encoded) {
      if (this.#encoded.length > buffer.length - from) return undefined;
      buffer.set(this.#encoded, from);
      return this.#encoded.length;
    }
    if (typeof this.#content === "string") {
      const { read, written } = encoder.encodeInto(this.#content, buffer.subarray(from));
      return read === this.#content.length ? written : undefined;
    }
    let at = from;
    for (const part of this.#content) {
      const written = part.encodeInto(buffer, at);
      if (written === undefined) return undefined;
      at += written;
    }
    return at - from;
  }

  toString(): string {
    return typeof this.#content === "string" ? this.#content : this.#content.join("");
  }

  toJSON(): string {
    return this.toString();
  }
}

/** What HTML may contain: text and numbers are escaped, undefined is empty, lists are concatenated. */
export type Content = Html | string | number | undefined | readonly Content[];

/** HTML with values in elements and quoted attributes: `<b title="${name}">${name}</b>`. */
export function html(pieces: TemplateStringsArray, ...values: readonly Content[]): Html {
  let text = pieces[0] ?? "";
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value instanceof Html && value.isInPieces) return aroundLong(pieces, values);
    text += textOf(value) + (pieces[index + 1] ?? "");
  }
  return new Html(text, own);
}

// Stays in pieces, with what is around it as further ones.
function aroundLong(pieces: TemplateStringsArray, values: readonly Content[]): Html {
  const parts: Html[] = [];
  let text = "";
  for (let index = 0; index < pieces.length; index++) {
    const value = values[index];
    text += pieces[index] ?? "";
    if (value instanceof Html && value.isInPieces) {
      parts.push(new Html(text, own), value);
      text = "";
    } else text += textOf(value);
  }
  return new Html([...parts, new Html(text, own)], own);
}

/** Kilobytes that many pages have in common, such as their style: they are encoded once. */
export function repeated(part: Html): Html {
  const text = part.toString();
  return new Html([new Html(text, own, encoder.encode(text))], own);
}

/** Rows, items or sections that may have megabytes together: they stay apart in what contains them directly. */
export function longList(parts: readonly Html[]): Html {
  return new Html(parts, own);
}

/** Contents with a separator. */
export function joined(contents: readonly Content[], between: Content): Html {
  return new Html(contents.map(textOf).join(textOf(between)), own);
}

/** HTML of our own, or checked elsewhere character by character. Only for the existing callers. */
export function vouchedFor(text: string): Html {
  return new Html(text, own);
}

function textOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Html) return content.toString();
  if (typeof content === "number") return String(content);
  if (typeof content === "string") return escaped(content);
  let text = "";
  for (const part of content) text += textOf(part);
  return text;
}

// Any text, escaped for an element or a quoted attribute.
function escaped(text: string): string {
  return Bun.escapeHTML(harmless(text));
}

export const nothing = html``;

/** A sentence of ours: text in backticks becomes `<code>`. */
export function proseHtml(text: string): Html {
  return new Html(escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>"), own);
}

/** A time, for people and for programs. `at` in milliseconds since 1970. */
export function timeHtml(at: number, text: string): Html {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return html`${text}`;
  return html`<time datetime="${date.toISOString()}">${text}</time>`;
}

/** A part of a page with a heading, which screen readers list. `id` is unique in the page. Empty without content. */
export function sectionHtml(id: string, heading: string, content: Html, remark = ""): Html {
  if (content.isEmpty) return nothing;
  const small = remark === "" ? nothing : html` <small>${remark}</small>`;
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${heading}${small}</h2>${content}</section>\n`;
}

/** Names and values as a list, without those that have no value. */
export function factsHtml(facts: [name: string, value: Html | string | undefined][], className = ""): Html {
  const rows = facts
    .filter(([, value]) => value !== undefined && String(value) !== "")
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return html`<dl${className === "" ? nothing : html` class="${className}"`}>${rows}</dl>`;
}
