// What every page has in common: escaping, and small pieces of HTML.
import { harmless } from "./harmless.ts";

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
