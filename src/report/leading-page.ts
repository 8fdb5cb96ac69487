// A page that only leads to another one, without a script.
import { html } from "./html.ts";

/** The page. A browser shows the other one at once, and keeps no entry of this one in its history. */
export function leadingPage(address: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${address}">
<title>One moment</title>
</head>
<body><p><a href="${address}">Go on</a></p></body>
</html>
`.toString();
}
