// Parts of a document that a program writes: what stands between `<!-- name -->` and `<!-- /name -->`.

/** The document with these lines between the markers of that name. Throws where there are none. */
export function withSection(document: string, name: string, lines: readonly string[]): string {
  const block = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!block.test(document))
    throw new Error(`The document has no markers for ${name}: ${document.slice(0, 60)}`);
  return document.replace(
    block,
    (_, begin: string, end: string) => `${begin}\n${lines.join("\n")}\n\n${end}`,
  );
}
