// How long a batch may still take, in words.
import { roughText } from "./amounts.ts";

/** An estimate in milliseconds as "under 10 s", "about 40 s", "about 12 min" or "about 3 h". */
export function timeLeftText(milliseconds: number): string {
  if (milliseconds < 10_000) return "under 10 s";
  const precisionMs = milliseconds < 115_000 ? 10_000 : 60_000;
  return `about ${roughText(Math.round(milliseconds / precisionMs) * precisionMs)}`;
}
