// Reads Claude Code's settings from a text or a file, as Claude Code does.
import { readSmallFile } from "../platform/files.ts";

export type SettingsFile =
  | { kind: "settings"; settings: Record<string, unknown> }
  /** No file, or an empty one: sets nothing. */
  | { kind: "empty" }
  /** It may still be in force, because Claude Code reads more than we do. `reason` follows the path in a sentence. */
  | { kind: "unreadable"; reason: string };

/** Longer settings files are not read, in bytes. */
const mostSettingsBytes = 1_000_000;

/** The settings in a text; undefined if it is no JSON object. Never reads a file. */
export function settingsInText(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.trimStart());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    // Not JSON: the caller reports it, or lets Claude Code do so.
    return undefined;
  }
}

/** The settings in a file. Never blocks, and reads a bounded amount. */
export function readSettingsFile(path: string): SettingsFile {
  const read = readSmallFile(path, mostSettingsBytes);
  if (read.kind === "nothing") return { kind: "empty" };
  if (read.kind === "unreadable") return read;
  const text = decoded(read.bytes);
  if (text.trim() === "") return { kind: "empty" };
  const settings = settingsInText(text);
  return settings === undefined
    ? { kind: "unreadable", reason: "is not a JSON object" }
    : { kind: "settings", settings };
}

// Claude Code (2.1.197 and 2.1.332) accepts UTF-8 and UTF-16LE, each with its byte order mark. The decoder drops the
// mark.
function decoded(bytes: Uint8Array): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? "utf-16le" : "utf-8").decode(bytes);
}

/** Whether a value given as a file or as JSON is JSON. */
export function isJsonText(given: string): boolean {
  return /^[\s\ufeff]*\{/.test(given);
}

/** The settings in a file, or in a JSON text; undefined if they are no JSON object. */
export function settingsIn(given: string): Record<string, unknown> | undefined {
  if (isJsonText(given)) return settingsInText(given);
  const read = readSettingsFile(given);
  return read.kind === "settings" ? read.settings : undefined;
}
