// The frame of every page, and the policy that stands behind what is inside it.
import { type Html, html, nothing, vouchedFor } from "./html.ts";
import { style } from "./style.ts";

/** The parts of a page. */
export interface PageParts {
  title: string;
  /** Stands in a comment within the first 512 bytes. */
  tag?: string;
  /** Seconds after which a browser without scripts loads the page again; never, where absent. */
  refreshSeconds?: number;
  /** Told to the script, as `data-` attributes of the document. */
  facts: Record<string, string>;
  /** Where a reader with a keyboard may go at once: the id of a part, and what it is called. */
  skip: { to: string; words: string };
  header: Html;
  main: Html;
  footer: Html;
}

/**
 * Frames pages that share a script. The browser runs that one script, known by its hash, and what it loads itself; it
 * takes that one style sheet, and neither image nor font nor frame nor form: whatever a page quotes, nothing is fetched.
 */
export function pageFrame(script: string): (parts: PageParts) => string {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}' 'strict-dynamic'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return ({ title, tag, refreshSeconds, facts, skip, header, main, footer }) => {
    const comment = tag === undefined ? nothing : html`\n<!-- ${tag} -->`;
    const refresh =
      refreshSeconds === undefined
        ? nothing
        : html`\n<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`;
    const told = Object.entries(facts).map(([name, value]) => html` data-${name}="${value}"`);
    const page = html`<!doctype html>${comment}
<html lang="en"${told}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${vouchedFor(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">${refresh}
<title>${title}</title>
<style>${vouchedFor(style)}</style>
</head>
<body>
<a class="skip" href="#${skip.to}">Skip to ${skip.words}</a>
<header>${header}</header>
<main>${main}</main>
<footer>${footer}</footer>
<script>${vouchedFor(script)}</script>
</body>
</html>
`;
    return page.toString();
  };
}

function hashOf(text: string): string {
  return `sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}`;
}
