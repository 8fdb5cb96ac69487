// Times, money, sizes and numbers for people.

// For unusual numbers. `toLocaleString` would create a formatter for each number; created with the module, they would cost each
// start 3 ms.
const formatters = new Map<number | undefined, Intl.NumberFormat>();

/** US dollars: four decimals below ten cents, otherwise two. `atLeast`: part of it is unknown. */
export function costText(costUsd: number, atLeast = false): string {
  const amount = withPlaces(costUsd, costUsd > 0 && costUsd < 0.1 ? 4 : 2);
  return atLeast ? `at least $${amount}` : `$${amount}`;
}

/**
 * The exact form of milliseconds: "0.02 s", "4.2 s", "3 min 05 s", "2 h 05 min", without zero parts ("4 s", "2 h"). Never
 * negative, even if clocks are set back.
 */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${Number(seconds.toFixed(seconds < 0.095 ? 2 : 1))} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return twoUnits(rounded, "min", "s");
  return twoUnits(Math.round(seconds / 60), "h", "min");
}

function twoUnits(value: number, unit: string, smaller: string): string {
  const rest = value % 60;
  return `${Math.floor(value / 60)} ${unit}${rest === 0 ? "" : ` ${twoDigits(rest)} ${smaller}`}`;
}

const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
] as const;

/** The rough form of milliseconds: one number, in the largest unit with at least two. "95 s", "12 min", "47 h", "3 d". */
export function roughText(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  const [unit, size] = units.find(([, most]) => seconds >= 2 * most) ?? ["s", 1];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** The exact form of running times, in whole seconds because tenths would only flicker. */
export function elapsedText(milliseconds: number): string {
  return durationText(Math.floor(milliseconds / 1000) * 1000);
}

/** A number with thousands separators. */
export function numberText(value: number): string {
  // A formatter takes longer than everything else on a page of a result.
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return withSeparators(String(value));
  return formatter().format(value);
}

/** A number of bytes: "512 bytes", "1.2 MB". */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return countText(bytes, "byte");
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
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

// Rounded as its decimals say: 1.005 is "1.01", although the nearest number of the machine is a little less.
function withPlaces(value: number, places: number): string {
  if (value !== 0 && !(value >= 1e-6 && value < 1e9)) return formatter(places).format(value);
  const units = Math.round(Number(`${value}e${places}`));
  return withSeparators(Number(`${units}e-${places}`).toFixed(places));
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

// Of a number as JavaScript writes it without an exponent.
function withSeparators(text: string): string {
  const point = text.indexOf(".");
  let end = point < 0 ? text.length : point;
  let shown = text.slice(end);
  const begin = text.startsWith("-") ? 1 : 0;
  for (; end - begin > 3; end -= 3) shown = `,${text.slice(end - 3, end)}${shown}`;
  return `${text.slice(0, end)}${shown}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** A word as it begins a line. */
export function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}
