// Makes foreign text (prompts, model output, stderr) safe for a terminal, a page, a text file, JSON, or one line of a
// table. The only place that decides what may be shown unchanged.
import { cut } from "../model/cut.ts";

const csi = /\x1b\[[0-?]*[ -/]*[@-~]/g;
const osc = /\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)/g;
// Tabs and line feeds are harmless.
const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Scripts whose letters change with a joiner or non-joiner. Between other letters it only serves to hide something. */
const joiningScripts = [
  ...["Arabic", "Syriac", "Mongolian", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya"],
  ...["Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Khmer", "Myanmar"],
];
const joiningLetter = `[${joiningScripts.map((name) => `\\p{Script=${name}}`).join("")}]`;
const emojiEnd = "(?:\\p{Extended_Pictographic}|\\p{Emoji_Modifier}|\\ufe0f)";

// Invisible characters, and those that make a text look like another one: a model reads them, a person does not.
const unseen = [
  // Direction marks.
  "[\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]",
  // Marks, blanks and letters without width.
  "[\\u115f\\u1160\\u180e\\u200b\\u2060-\\u2065\\u206a-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb]",
  // Joiners, unless they join two emojis, or belong to a script that needs them.
  `\\u200d(?<!${emojiEnd}\\u200d(?=\\p{Extended_Pictographic}))(?<!${joiningLetter}\\u200d)`,
  `\\u200c(?<!${joiningLetter}\\u200c)`,
  // Variation selectors, unless they follow a single character.
  "[\\ufe00-\\ufe0f](?<=[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]{2})",
  "(?<!\\p{Script=Han})[\\u{e0100}-\\u{e01ef}]",
  // Tags, unless they form a region's flag, such as that of Wales.
  "[\\u{e0000}-\\u{e007f}](?<!\\u{1f3f4}[\\u{e0030}-\\u{e007a}]{0,5}[\\u{e0030}-\\u{e007a}\\u{e007f}])",
].join("|");
const unseenRun = new RegExp(`(?:${unseen})+`, "gu");
const hidden = new RegExp(`[\\x7f-\\x9f\\u2028\\u2029]|${unseen}`, "gu");
// A quick check: most texts contain none of these, nor any script beyond Hebrew.
const mayBeHidden = /[^\x00-\x7e\xa0-\u05ff]/;
// The same for everything that `harmless` changes.
const mayBeHarmful = /[^\t\n\x20-\x7e\xa0-\u05ff]/;

/**
 * Removes terminal escapes. Other control and invisible characters become visible signs; lines end in `\n`. Emojis and
 * scripts that need invisible characters stay whole.
 */
export function harmless(text: string): string {
  // Most texts are: one look instead of five.
  if (!mayBeHarmful.test(text)) return text;
  const shown = text
    .replace(osc, "")
    .replace(csi, "")
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(control, visible);
  return mayBeHidden.test(shown) ? shown.replace(unseenRun, "\ufffd") : shown;
}

/** A value that JSON can contain. Not a promise, which would become `{}`. */
export type Settled<Value> = Value extends PromiseLike<unknown> ? never : Value;

/** A value as JSON. Every character that `harmless` would change is escaped, so none is lost. */
export function harmlessJson<Value>(value: Settled<Value>, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent);
  return mayBeHidden.test(json) ? json.replace(hidden, escaped) : json;
}

function escaped(characters: string): string {
  return characters
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** The text as one line of at most `limit` characters. */
export function oneLine(text: string, limit: number): string {
  // Only the beginning is processed, because a prompt may have 9 MB.
  const beginning = text.slice(0, limit * 4 + 1000);
  return cut(harmless(beginning).replace(/\s+/g, " ").trim(), limit);
}

/** The first line with content, cut at `limit` characters. */
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
