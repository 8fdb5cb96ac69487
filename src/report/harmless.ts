// Text from elsewhere (prompts, model output, stderr), made fit for a terminal, a text file or one line of a table.

const csi = /\x1b\[[0-?]*[ -/]*[@-~]/g;
const osc = /\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)/g;
// Controls but tab and newline, and the marks that turn the direction of writing.
const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** Without terminal escapes. Other control characters become visible signs; lines end in `\n`. */
export function harmless(text: string): string {
  return text.replace(osc, "").replace(csi, "").replace(/\r\n?/g, "\n").replace(control, visible);
}

/** The first `limit` characters (UTF-16 units), never half a character, with "…" where something is left out. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** All of the text's beginning as one line of at most `limit` characters. */
export function oneLine(text: string, limit: number): string {
  // Only what can be shown is looked at: a prompt may have 9 MB.
  const beginning = text.slice(0, limit * 4 + 1000);
  return cut(harmless(beginning).replace(/\s+/g, " ").trim(), limit);
}

/** The first line that says something, of at most `limit` characters. */
export function firstLine(text: string, limit: number): string {
  const beginning = text.slice(0, limit * 4 + 1000).trimStart();
  const end = beginning.search(/[\r\n]/);
  return oneLine(end < 0 ? beginning : beginning.slice(0, end), limit);
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}
