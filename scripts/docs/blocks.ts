// The blocks of code in a Markdown document, each with the words before it and the heading that it stands under.

/** A fenced block of code. */
export interface CodeBlock {
  language: string;
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
  let open: { language: string; lines: string[] } | undefined;
  for (const line of markdown.split("\n")) {
    const fence = /^```(\w*)/.exec(line);
    if (open && fence) {
      blocks.push({ language: open.language, text: open.lines.join("\n"), heading, before });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { language: fence[1] ?? "", lines: [] };
    else if (line.startsWith("#")) {
      heading = line.replace(/^#+ /, "");
      before = "";
    } else before += `${line}\n`;
  }
  return blocks;
}
