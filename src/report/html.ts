// What every page has in common: escaping, and the frame.
import { harmless } from "./harmless.ts";
import { style } from "./style.ts";

/** Text from anywhere, fit for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return Bun.escapeHTML(harmless(text));
}

/** A sentence of ours: what stands in backticks becomes `<code>`. */
export function proseHtml(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** A moment, for people and for programs. `at` in milliseconds since 1970. */
export function timeHtml(at: number, text: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return escapeHtml(text);
  return `<time datetime="${date.toISOString()}">${escapeHtml(text)}</time>`;
}

/** The parts of a page. All but `title` and `tag` are HTML. */
export interface PageParts {
  title: string;
  /** Stands in a comment within the first 512 bytes. */
  tag?: string;
  /** Seconds after which the browser loads the page again; never, where absent. */
  refreshSeconds?: number;
  header: string;
  main: string;
  footer: string;
}

// No script, no image, no font, no form: whatever a page quotes, the browser fetches and runs nothing.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** A whole page. */
export function pageFrame({ title, tag, refreshSeconds, header, main, footer }: PageParts): string {
  const comment = tag === undefined ? "" : `\n<!-- ${escapeHtml(tag)} -->`;
  const refresh =
    refreshSeconds === undefined ? "" : `\n<meta http-equiv="refresh" content="${refreshSeconds}">`;
  return `<!doctype html>${comment}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">${refresh}
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>${header}</header>
<main>${main}</main>
<footer>${footer}</footer>
</body>
</html>
`;
}

/** A titled part of a page, which screen readers list. `id` is unique in the page; `content` is HTML. */
export function sectionHtml(id: string, heading: string, content: string, remark = ""): string {
  if (content === "") return "";
  const small = remark === "" ? "" : ` <small>${escapeHtml(remark)}</small>`;
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escapeHtml(heading)}${small}</h2>${content}</section>\n`;
}

/** Names and values (HTML) as a list; those without a value are left out. */
export function factsHtml(facts: [name: string, value: string | undefined][], className = ""): string {
  const rows = facts
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl${className && ` class="${className}"`}>${rows.join("")}</dl>`;
}
