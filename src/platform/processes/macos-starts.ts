// When a process of macOS started, as programs of two ages write it. Now: microseconds since 1970. Before, and where only
// `ps` can be asked: the text of `ps -o lstart`, in the time zone of the machine, in whole seconds.

/** How far clocks of two time zones are apart at most, in seconds. */
const farthest = 26 * 3_600;

/** Time zones differ by whole quarters of an hour. */
const quarter = 15 * 60;

/**
 * Whether two starts of the same pid are one. Undefined if they may be: a text and a number agree but for the time zone,
 * which may have changed since the text was written. Then nothing may count as dead, or as ours to end.
 */
export function sameMacStart(one: string, other: string): boolean | undefined {
  if (one === other) return true;
  const [first, second] = [secondsFrom(one), secondsFrom(other)];
  if (first === undefined || second === undefined) return false;
  if (!first.isText && !second.isText) return false;
  const apart = Math.abs(first.seconds - second.seconds);
  if (apart === 0) return true;
  return apart <= farthest && apart % quarter === 0 ? undefined : false;
}

function secondsFrom(start: string): { seconds: number; isText: boolean } | undefined {
  if (/^\d+$/.test(start)) return { seconds: Math.floor(Number(start) / 1_000_000), isText: false };
  // "Tue Jun 3 10:00:00 2025", understood in our time zone.
  const ms = /^\w{3} \w{3} \d{1,2} \d{2}:\d{2}:\d{2} \d{4}$/.test(start) ? Date.parse(start) : Number.NaN;
  return Number.isNaN(ms) ? undefined : { seconds: ms / 1_000, isText: true };
}
