// What Bun says of itself on standard error, which is none of our words.

/** Without what Bun's resolver complains of under Wine, where folders have other handles than it remembers. */
export function withoutResolver(text: string): string {
  return text.replaceAll(/^Internal error: directory mismatch for directory .*\r?\n?/gm, "");
}
