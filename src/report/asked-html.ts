// What a task was asked, on the pages about it: folded if it is long, and with a button that copies it.
import { cut } from "../model/cut.ts";
import { countText } from "./amounts.ts";
import { copyOfHtml } from "./copy-html.ts";
import { firstLine } from "./harmless.ts";
import { type Html, html } from "./html.ts";

const promptId = "prompt";

/** The prompt, or its first `most` characters. */
export function askedHtml(prompt: string, most: number): Html {
  const whole = html`<pre class="asked" id="${promptId}" dir="auto">${cut(prompt, most)}</pre>`;
  const isLong = prompt.length > 600 || prompt.split("\n", 10).length > 8;
  const size = countText(prompt.length, "character");
  const shown = isLong
    ? html`<details><summary><b>${firstLine(prompt, 160)}</b> (${size})</summary>${whole}</details>`
    : whole;
  return html`<div class="copied">${shown}${copyOfHtml(promptId, { what: "the prompt" })}</div>`;
}
