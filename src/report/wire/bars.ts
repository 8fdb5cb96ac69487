// The sessions of a task as an attribute of its row, in which the script finds the one under the pointer.

/** A session, in milliseconds since the batch began. */
export interface SessionBar {
  slot: number;
  from: number;
  /** Absent while it runs. */
  lasted: number | undefined;
}

/** "0:1000:2000;3:4000:": slot, begin and length of each. Given times and `beganAt` are on the same clock. */
export function barsText(
  bars: readonly { lane: number; from: number; to?: number }[],
  beganAt: number,
): string {
  return bars
    .map(({ lane, from, to }) => `${lane}:${from - beganAt}:${to === undefined ? "" : to - from}`)
    .join(";");
}

export function barsFrom(text: string): SessionBar[] {
  if (text === "") return [];
  return text.split(";").map((bar) => {
    const [slot = "", from = "", lasted = ""] = bar.split(":");
    return { slot: Number(slot), from: Number(from), lasted: lasted === "" ? undefined : Number(lasted) };
  });
}
