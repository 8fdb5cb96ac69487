// Times, money and numbers for people.

// `toLocaleString` would create a formatter for each number; created with the module, they would cost each start 3 ms.
const formatters = new Map<number | undefined, Intl.NumberFormat>();

/** US dollars: four decimals below ten cents, otherwise two. `atLeast`: part of it is unknown. */
export function costText(costUsd: number, atLeast = false): string {
  const amount = formatter(costUsd > 0 && costUsd < 0.1 ? 4 : 2).format(costUsd);
  return atLeast ? `at least $${amount}` : `$${amount}`;
}

/** Milliseconds as "4.2 s", "3 min 05 s" or "2 h 05 min". Never negative, even if clocks are set back. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${twoDigits(rounded % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** For running times, in whole seconds because tenths would only flicker: "4 s", "3 min 05 s". */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  return seconds < 10 ? `${seconds} s` : durationText(seconds * 1000);
}

/** A number with thousands separators. */
export function numberText(value: number): string {
  return formatter().format(value);
}

/** "1 task", "1,200 tasks". */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`;
}

/** Milliseconds since 1970 as local date and time with its offset: "2025-11-22 17:42:05 +01:00". */
export function timeText(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "unknown";
  const offset = -date.getTimezoneOffset();
  const local = new Date(at + offset * 60_000).toISOString();
  const sign = offset < 0 ? "-" : "+";
  const hours = twoDigits(Math.floor(Math.abs(offset) / 60));
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${sign}${hours}:${twoDigits(Math.abs(offset) % 60)}`;
}

// Without `places`, as many as the number has, at most three.
function formatter(places?: number): Intl.NumberFormat {
  const known = formatters.get(places);
  if (known) return known;
  const fixed = places === undefined ? {} : { minimumFractionDigits: places, maximumFractionDigits: places };
  const made = new Intl.NumberFormat("en-US", fixed);
  formatters.set(places, made);
  return made;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
