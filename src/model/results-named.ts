// `{{results.NAME}}` in a prompt: the path of an earlier task's answer.

const pattern = /\{\{\s*results\.([^{}\n]*?)\s*\}\}/g;

/** The names in a prompt, each once. */
export function resultNamesIn(prompt: string): string[] {
  return [...new Set([...prompt.matchAll(pattern)].map(([, name = ""]) => name))];
}

/** A prompt with the paths instead of the names; a name without a path stays as it is. */
export function resultsNamed(prompt: string, pathOf: (name: string) => string | undefined): string {
  return prompt.replaceAll(pattern, (written, name: string) => pathOf(name) ?? written);
}
