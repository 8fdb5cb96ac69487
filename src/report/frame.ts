// The frame of every page, with the policy that protects its contents.
import { printedBy } from "../platform/printed.ts" with { type: "macro" };
import type { Bundled } from "./bundled.ts";
import { type Html, html, nothing, repeated, vouchedFor } from "./html.ts";
import type {
  BatchesFacts,
  ComparisonFacts,
  LiveFacts,
  ResultFacts,
  ServedFacts,
  SessionFacts,
} from "./wire/marks.ts";

/** The parts of a page. */
export interface PageParts<Facts> {
  title: string;
  /** In a comment within the first 512 bytes. */
  tag?: string;
  /** Seconds until a browser without scripts reloads the page; absent for never. */
  refreshSeconds?: number;
  /** For the script, as `data-` attributes of the document. */
  facts: Facts;
  /** The target of the skip link for keyboard users: the id of a part, and its name. */
  skip: { to: string; words: string };
  header: Html;
  main: Html;
  footer: Html;
}

const { live, served, batches, result, compare, session, still, style }: Bundled = JSON.parse(
  printedBy("report/bundled.ts"),
);

/** The frames of the pages of a batch, of a result, of a comparison, and of a session. */
export const liveFrame = pageFrame<LiveFacts>(live);
export const resultFrame = pageFrame<ResultFacts>(result);
export const comparisonFrame = pageFrame<ComparisonFacts>(compare, { loads: false });
export const sessionFrame = pageFrame<SessionFacts>(session);
/** Those of the page of a batch and of the list of all batches, as `ui` serves them: they ask their own server for news. */
export const servedFrame = pageFrame<ServedFacts>(served, { isServed: true });
export const batchesFrame = pageFrame<BatchesFacts>(batches, { isServed: true, loads: false });
/** That of pages whose contents do not change. */
export const stillFrame = pageFrame<Record<string, never>>(still, { loads: false });

/**
 * Frames pages that share a script. The browser runs only that script, identified by its hash, and what it loads itself;
 * it uses only that style sheet, and no image, font, frame or form: whatever a page quotes, nothing is fetched. `isServed`: it
 * may ask where it comes from. `loads`: its script loads others. Only such a page lets a preload of a module through, which is not
 * run.
 */
function pageFrame<Facts extends Record<string, string>>(
  script: string,
  { isServed = false, loads = true } = {},
): (parts: PageParts<Facts>) => Html {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'${loads ? " 'strict-dynamic'" : ""}`,
    ...(isServed ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const [styleHtml, scriptHtml] = [repeated(vouchedFor(style)), repeated(vouchedFor(script))];
  return ({ title, tag, refreshSeconds, facts, skip, header, main, footer }) => {
    const comment = tag === undefined ? nothing : html`\n<!-- ${tag} -->`;
    const refresh =
      refreshSeconds === undefined
        ? nothing
        : html`\n<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`;
    const told = Object.entries(facts).map(([name, value]) => html` data-${name}="${value}"`);
    return html`<!doctype html>${comment}
<html lang="en"${told}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${vouchedFor(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">${refresh}
<title>${title}</title>
<style>${styleHtml}</style>
</head>
<body>
<a class="skip" href="#${skip.to}">Skip to ${skip.words}</a>
<header>${header}</header>
<main>${main}</main>
<footer>${footer}</footer>
<script>${scriptHtml}</script>
</body>
</html>
`;
  };
}

function hashOf(text: string): string {
  return `sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}`;
}
