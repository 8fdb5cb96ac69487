// What `highlight-js.mjs` gives.

/** Whether it knows a language by this name, in small letters or capitals. */
export function knows(language: string): boolean;

/** Code as HTML, with a `<span class="hljs-…">` around each part that it knows. Throws for an unknown language. */
export function marked(code: string, language: string): string;
