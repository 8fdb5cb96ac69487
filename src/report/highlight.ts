// The colours of code in an answer. Only pages that have such code load this.
import { knows, marked as markedBy } from "./highlight-js.mjs";

/** Longer code stays as it is: it is a file rather than an example, and would hold up the other tasks. In characters. */
const longest = 60_000;

/** A run of this number of characters of a word, or blanks, costs its square in some languages, and no person wrote it. */
const longRun = /\w{2000}|\s{2000}/;

/** Which class of `style/code.css` each kind of the library's has; others have the colour of the text. */
const kinds: Readonly<Record<string, string>> = {
  ...{ keyword: "word", built_in: "word", literal: "word", "selector-tag": "word", doctag: "word" },
  ...{ name: "name", tag: "name", title: "name", section: "name", type: "name", class: "name" },
  ...{ "selector-class": "name", "selector-id": "name", attribute: "name", attr: "name", property: "name" },
  ...{ string: "text", regexp: "text", char: "text", link: "text", symbol: "text", bullet: "text" },
  ...{ number: "number", variable: "number", "template-variable": "number", meta: "number" },
  ...{ comment: "remark", quote: "remark" },
  ...{ addition: "added", deletion: "removed" },
};

/**
 * Code as HTML with its parts marked; undefined if the language is not known, or the code would take too long. What it returns shows
 * exactly the characters of the code, and has no tag but `<span>`, whatever the library makes of it.
 */
export function highlighted(code: string, language: string): string | undefined {
  if (code.length > longest || longRun.test(code) || !knows(language)) return undefined;
  const value = markedBy(code, language);
  let open: boolean[] = [];
  const marked = value.replace(
    /<(\/?)(?:span class="([^"<>]*)")?[^<>]*>/g,
    (_, slash: string, classes = "") => {
      if (slash !== "") {
        const [was = false] = open;
        open = open.slice(1);
        return was ? "</span>" : "";
      }
      const kind = kinds[/hljs-([\w-]+)/.exec(classes)?.[1] ?? ""];
      open = [kind !== undefined, ...open];
      return kind === undefined ? "" : `<span class="${kind}">`;
    },
  );
  const shown = marked.replace(/<\/?span(?: class="\w+")?>/g, "");
  return open.length === 0 && shown === Bun.escapeHTML(code) ? marked : undefined;
}
