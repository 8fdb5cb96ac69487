// Reads HTML as a browser's tokenizer does, independently of the code under test.

export interface Markup {
  /** Names of elements with their attributes, in order. */
  elements: { name: string; attributes: Map<string, string> }[];
  comments: string[];
  /** All text, entities decoded as far as the renderer writes them. */
  text: string;
}

/** What a browser would find in the HTML. */
export function markupOf(html: string): Markup {
  const markup: Markup = { elements: [], comments: [], text: "" };
  new HTMLRewriter()
    // The page's own script is no text of it; `namesIn` still tells that it is there.
    .on("script", { text: (text) => void text.remove() })
    .on("*", {
      element({ tagName, attributes }) {
        markup.elements.push({
          name: tagName,
          attributes: new Map([...attributes].map(([key, value]) => [key, value])),
        });
      },
    })
    .onDocument({
      comments: ({ text }) => void markup.comments.push(text),
      text: ({ text, removed }) => {
        if (!removed) markup.text += text;
      },
    })
    .transform(html);
  markup.text = decoded(markup.text);
  return markup;
}

export function decoded(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&#x27;", "'")
    .replaceAll("&amp;", "&");
}

/** The names of the elements. */
export function namesIn(html: string): string[] {
  return markupOf(html).elements.map(({ name }) => name);
}

/** The text of each element of a name that holds no other of that name, without the markup in it. */
export function textsIn(html: string, name: string): string[] {
  return [...html.matchAll(new RegExp(`<${name}(?: [^>]*)?>(.*?)</${name}>`, "gs"))].map(
    ([, inner = ""]) => markupOf(inner).text,
  );
}

/** Names and values of a list of facts. */
export function factsIn(html: string): Record<string, string> {
  const values = textsIn(html, "dd");
  return Object.fromEntries(textsIn(html, "dt").map((name, index) => [name, values[index] ?? ""]));
}
