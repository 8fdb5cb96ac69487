import { expect, test } from "bun:test";
import { resetTimeIn } from "../../src/claude/reset-time.ts";

const now = Date.UTC(2026, 10, 22, 20, 40);

for (const [text, time] of [
  ["Claude AI usage limit reached|1795467600", "2026-11-23T21:00:00.000Z"],
  ["You've hit your session limit · resets 9pm (UTC)", "2026-11-22T21:00:00.000Z"],
  ["You've hit your session limit · resets 8pm (UTC)", "2026-11-23T20:00:00.000Z"],
  ["You've hit your session limit · resets 12am (UTC)", "2026-11-23T00:00:00.000Z"],
  ["resets 3:30am (Europe/Berlin)", "2026-11-23T02:30:00.000Z"],
  ["resets at 8pm (America/New_York)", "2026-11-23T01:00:00.000Z"],
  ["You've hit your weekly limit · resets Nov 24, 9pm (Asia/Kolkata)", "2026-11-24T15:30:00.000Z"],
  ["resets Nov 24, 2026, 9pm (UTC)", "2026-11-24T21:00:00.000Z"],
  // Further away than any limit lasts, or not told.
  ["resets Jan 22, 2030, 9pm (UTC)", undefined],
  ["resets 9pm (Nowhere/City)", undefined],
  ["resets soon", undefined],
  ["Request rejected (429)", undefined],
] as const) {
  test(`"${text}" is ${time ?? "no time"}`, () => {
    const found = resetTimeIn(text, now);
    expect(found === undefined ? undefined : new Date(found).toISOString()).toBe(time);
  });
}
