// Buttons that copy a text. Without a script there are none.
import { type Html, html, nothing } from "./html.ts";
import { copiesClass, data } from "./wire/marks.ts";

/** A button that copies this text. `what` it is, for a screen reader, unless the button says it. */
export function copyHtml(
  text: string,
  { what = "", words = "Copy" }: { what?: string; words?: string },
): Html {
  const label = what === "" ? nothing : html` aria-label="Copy ${what}"`;
  return html`<button type="button" class="${copiesClass}" data-${data.text}="${text}"${label}>${words}</button>`;
}

/** A button that copies what the element with this id shows. */
export function copyOfHtml(id: string, { what, words = "Copy" }: { what: string; words?: string }): Html {
  return html`<button type="button" class="${copiesClass}" data-${data.copy}="${id}" aria-label="${words === "Copy" ? `Copy ${what}` : words}">${words}</button>`;
}
