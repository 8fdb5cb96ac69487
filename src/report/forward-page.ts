// The page of an output directory in which each batch has a folder of its own: it leads to the newest batch.
import { pageTag } from "./file-tag.ts";
import { type Html, html } from "./html.ts";

/** `href`: where the page of the newest batch is. */
export function forwardPage(batchId: string, href: string): Html {
  return html`<!doctype html>
<!-- ${pageTag(batchId)} -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${href}">
<title>The newest batch</title>
</head>
<body>
<p><a href="${href}">The newest batch</a></p>
</body>
</html>
`;
}
