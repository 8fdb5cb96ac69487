// A strict reader of XML 1.0 without namespaces and DTDs: throws for whatever is not well-formed.

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The root element of a document. */
export function parseXml(document: string): Element {
  const illegal = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(document);
  if (illegal) throw new Error(`An illegal character: ${JSON.stringify(illegal[0])}`);
  const [declaration = ""] = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/.exec(document) ?? [];
  if (declaration === "") throw new Error("No declaration");
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  for (let at = declaration.length; at < document.length; ) {
    const current = open.at(-1) ?? root;
    const tag = /<(?:\/([\w.-]+)\s*|([\w.-]+)((?:\s+[\w.-]+="[^"<]*")*)\s*(\/)?)>/y;
    tag.lastIndex = at;
    const [whole, closing, opening, attributes = "", isEmpty] = tag.exec(document) ?? [];
    if (whole === undefined) {
      const end = document.indexOf("<", at + (document[at] === "<" ? 1 : 0));
      const text = document.slice(at, end < 0 ? undefined : end);
      if (document[at] === "<" || text.includes("]]>")) throw new Error(`No markup: ${text.slice(0, 80)}`);
      if (open.length === 1 && text.trim() !== "") throw new Error("Text outside of the root element");
      current.text += decoded(text);
      at += text.length;
      continue;
    }
    at += whole.length;
    if (closing !== undefined) {
      if (open.pop()?.name !== closing) throw new Error(`</${closing}> closes another element`);
      continue;
    }
    const element: Element = { name: opening ?? "", attributes: {}, children: [], text: "" };
    for (const [, name = "", value = ""] of attributes.matchAll(/([\w.-]+)="([^"]*)"/g)) {
      if (name in element.attributes) throw new Error(`Two attributes ${name}`);
      element.attributes[name] = decoded(value);
    }
    current.children.push(element);
    if (isEmpty === undefined) open.push(element);
  }
  if (open.length !== 1 || root.children.length !== 1) throw new Error("Not one whole root element");
  const [document1] = root.children;
  if (!document1) throw new Error("No root element");
  return document1;
}

function decoded(text: string): string {
  const plain = text.replaceAll(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined && entities[name] === undefined) throw new Error(`An unknown entity: ${whole}`);
      if (name !== undefined) return entities[name] ?? "";
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      if (![9, 10, 13].includes(code) && code < 32) throw new Error(`An illegal character: ${whole}`);
      return String.fromCodePoint(code);
    },
  );
  if (/&(?!(?:#\d+|#x[\da-f]+|\w+);)/i.test(text)) throw new Error("A bare ampersand");
  return plain;
}
