import { expect, test } from "bun:test";
import { resetTimeIn } from "../../src/claude/reset-time.ts";

/** A Sunday. */
const november = Date.UTC(2026, 10, 22, 20, 40);

const reads: [text: string, time: string | undefined, now?: number][] = [
  ["Claude AI usage limit reached|1795467600", "2026-11-23T21:00:00.000Z"],
  ["You've hit your session limit · resets 9pm (UTC)", "2026-11-22T21:00:00.000Z"],
  ["You've hit your usage limit · resets 7:45pm (UTC)", "2026-11-23T19:45:00.000Z"],
  // No session lasts longer than five hours: that one is over, and the transcript is read late.
  ["You've hit your session limit · resets 8pm (UTC)", "2026-11-22T20:40:00.000Z"],
  ["You've hit your session limit · resets 12am (UTC)", "2026-11-23T00:00:00.000Z"],
  ["resets 3:30am (Europe/Berlin)", "2026-11-23T02:30:00.000Z"],
  ["resets at 8pm (America/New_York)", "2026-11-23T01:00:00.000Z"],
  ["resets 10:30 PM (UTC)", "2026-11-22T22:30:00.000Z"],
  ["resets 10:30\u202fPM UTC", "2026-11-22T22:30:00.000Z"],
  ["resets at 21:30 (UTC)", "2026-11-22T21:30:00.000Z"],
  // Just passed: that one is meant, and it is over.
  ["resets 8:40pm (UTC)", "2026-11-22T20:40:30.000Z", november + 30_000],

  ["You've hit your weekly limit · resets Nov 24, 9pm (Asia/Kolkata)", "2026-11-24T15:30:00.000Z"],
  ["You've hit your weekly limit · resets Nov 24 at 9pm (UTC)", "2026-11-24T21:00:00.000Z"],
  ["resets November 24, 9am (UTC)", "2026-11-24T09:00:00.000Z"],
  ["resets Nov 24, 2026, 9pm (UTC)", "2026-11-24T21:00:00.000Z"],
  [
    "You've hit your Fable limit · resets Dec 1, 6:45pm (UTC). Switch to another model.",
    "2026-12-01T18:45:00.000Z",
  ],
  ["ask your admin · your 5-hour limit resets 9pm (UTC)", "2026-11-22T21:00:00.000Z"],
  ["You've hit your team's pooled group budget. It resets Nov 30, 9am (UTC).", "2026-11-30T09:00:00.000Z"],
  ["spend limit reached · resets Dec 8 · request an increase", "2026-12-08T00:00:00.000Z"],
  ["resets Mon 9am (UTC)", "2026-11-23T09:00:00.000Z"],
  ["resets Saturday at 9am (UTC)", "2026-11-28T09:00:00.000Z"],
  ["resets Sun 9pm (UTC)", "2026-11-22T21:00:00.000Z"],
  ["resets Sun 9am (UTC)", "2026-11-29T09:00:00.000Z"],
  ["resets Mon, Nov 23, 9am (UTC)", "2026-11-23T09:00:00.000Z"],

  ["resets in 2 hours", "2026-11-22T22:40:00.000Z"],
  ["Limit reached. Try again in 45 minutes.", "2026-11-22T21:25:00.000Z"],
  ["resets in 1h 30m", "2026-11-22T22:10:00.000Z"],
  ["resets in 1 day and 2 hours", "2026-11-23T22:40:00.000Z"],
  ["resets in 90s", "2026-11-22T20:41:30.000Z"],
  ["resets at 2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000Z"],
  ["resets 2026-11-23 10:00 UTC", "2026-11-23T10:00:00.000Z"],
  ["resets 2026-11-23T10:00:00+02:00", "2026-11-23T08:00:00.000Z"],

  ["resets in an hour", "2026-11-22T21:40:00.000Z"],
  ["resets in 1.5 hours", "2026-11-22T22:10:00.000Z"],
  ["resets tomorrow at 9am (UTC)", "2026-11-23T09:00:00.000Z"],
  ["resets tomorrow at 9pm (UTC)", "2026-11-23T21:00:00.000Z"],
  ["resets 9pm PST", "2026-11-23T05:00:00.000Z"],
  ["resets 9pm EDT", "2026-11-23T01:00:00.000Z"],
  ["resets 9pm (+05:30)", "2026-11-23T15:30:00.000Z"],
  ["resets 9pm (GMT+2)", "2026-11-23T19:00:00.000Z"],
  ["resets 9pm UTC+2", "2026-11-23T19:00:00.000Z"],
  // Not ours, nor any that we could know.
  ["resets 9pm XYZT", undefined],

  // Across the end of the year.
  ["resets Jan 2, 9pm (UTC)", "2027-01-02T21:00:00.000Z", Date.UTC(2026, 11, 30, 12)],
  ["resets Jan 2, 2027, 9pm (UTC)", "2027-01-02T21:00:00.000Z", Date.UTC(2026, 11, 30, 12)],
  ["resets 1am (UTC)", "2027-01-01T01:00:00.000Z", Date.UTC(2026, 11, 31, 23)],
  ["resets Fri 1am (UTC)", "2027-01-01T01:00:00.000Z", Date.UTC(2026, 11, 31, 23)],
  ["resets Dec 31, 11pm (UTC)", "2027-01-01T01:00:00.000Z", Date.UTC(2027, 0, 1, 1)],

  // The offset is that of then: clocks went back on Nov 1, 2026 in New York, and forward on Mar 28, 2027 in Berlin.
  ["resets Nov 3, 9pm (America/New_York)", "2026-11-04T02:00:00.000Z", Date.UTC(2026, 9, 30, 12)],
  ["resets 9am (America/New_York)", "2026-11-01T14:00:00.000Z", Date.UTC(2026, 10, 1, 1)],
  ["resets 9am (Europe/Berlin)", "2027-03-28T07:00:00.000Z", Date.UTC(2027, 2, 27, 20)],
  ["resets 1:30am (Europe/Berlin)", "2027-03-28T00:30:00.000Z", Date.UTC(2027, 2, 27, 20)],
  ["resets Mon 9am (Europe/Berlin)", "2027-03-29T07:00:00.000Z", Date.UTC(2027, 2, 25, 20)],

  // Clocks show 1:30 twice in the night in which they go back, and never 2:30 when they go forward.
  ["resets 1:30am (America/New_York)", "2026-11-01T05:30:00.000Z", Date.UTC(2026, 10, 1, 5, 0)],
  ["resets 1:30am (America/New_York)", "2026-11-01T06:30:00.000Z", Date.UTC(2026, 10, 1, 5, 45)],
  ["resets 2:30am (Europe/Berlin)", "2027-03-28T01:30:00.000Z", Date.UTC(2027, 2, 27, 20)],

  // Further away than any limit lasts, long past, or not said.
  ["resets Jan 22, 2030, 9pm (UTC)", undefined],
  ["resets in 9 weeks", undefined],
  ["resets Nov 20, 9pm (UTC)", undefined],
  ["resets 9pm (Nowhere/City)", undefined],
  ["resets 29:00 (UTC)", undefined],
  ["resets soon", undefined],
  ["resets in a while", undefined],
  ["Request rejected (429)", undefined],
];

for (const [text, time, now = november] of reads) {
  test(`"${text}" at ${new Date(now).toISOString()} is ${time ?? "no time"}`, () => {
    const found = resetTimeIn(text, now);
    expect(found === undefined ? undefined : new Date(found).toISOString()).toBe(time);
  });
}

test("a time without a zone is one of our own clock", () => {
  const noon = new Date(2026, 10, 22, 12, 0).getTime();
  expect(resetTimeIn("resets 3pm", noon)).toBe(new Date(2026, 10, 22, 15, 0).getTime());
  expect(resetTimeIn("resets Nov 24, 9am", noon)).toBe(new Date(2026, 10, 24, 9, 0).getTime());
});
