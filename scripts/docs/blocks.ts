// The blocks of code in a Markdown document, each with the words before it and the heading that it stands under.

/** A fenced block of code. */
export interface CodeBlock {
  language: string;
  /** The file that it shows, where it names one behind its language: `json schema.json`. */
  file?: string;
  text: string;
  /** The nearest heading above, as text. */
  heading: string;
  /** What stands between that heading and the block. */
  before: string;
}

/** All fenced blocks, in their order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let heading = "";
  let before = "";
  let open: { language: string; file?: string; lines: string[] } | undefined;
  for (const line of markdown.split("\n")) {
    const fence = /^```(\w*)(?: (\S+))?/.exec(line);
    if (open && fence) {
      const { lines, ...named } = open;
      blocks.push({ ...named, text: lines.join("\n"), heading, before });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) {
      const [, language = "", file] = fence;
      open = { language, ...(file === undefined ? {} : { file }), lines: [] };
    } else if (line.startsWith("#")) {
      heading = line.replace(/^#+ /, "");
      before = "";
    } else before += `${line}\n`;
  }
  return blocks;
}
