// Times as people write them.
import { afterEach, describe, expect, test } from "bun:test";
import { periodName, spanAround } from "../../src/model/spend-period.ts";
import { momentFrom } from "../../src/operations/moment.ts";

// Half an hour beside the others, and on the other side of midnight than Greenwich.
const zone = "Asia/Kolkata";
const before = process.env["TZ"];
const inZone = (name: string) => {
  process.env["TZ"] = name;
};
afterEach(() => {
  if (before === undefined) delete process.env["TZ"];
  else process.env["TZ"] = before;
});

/** In Kolkata, it is 01:10 of the 15th. */
const now = Date.parse("2026-03-14T19:40:00Z");
const read = (text: string) => {
  const at = momentFrom(text, now);
  return at === undefined ? undefined : new Date(at).toISOString();
};

test.each([
  ["all", "1970-01-01T00:00:00.000Z"],
  ["today", "2026-03-14T18:30:00.000Z"],
  ["Month", "2026-02-28T18:30:00.000Z"],
  ["12h", "2026-03-14T07:40:00.000Z"],
  ["0d", "2026-03-14T18:30:00.000Z"],
  ["30d", "2026-02-12T18:30:00.000Z"],
  [" 2 w ", "2026-02-28T18:30:00.000Z"],
  ["2026-03-01", "2026-02-28T18:30:00.000Z"],
  ["2026-03", "2026-02-28T18:30:00.000Z"],
  ["2026-03-01T18:00", "2026-03-01T12:30:00.000Z"],
  ["2026-03-01 18:00:30", "2026-03-01T12:30:30.000Z"],
  ["2026-03-01T18:00Z", "2026-03-01T18:00:00.000Z"],
  ["2026-03-01T18:00:00.123+01:00", "2026-03-01T17:00:00.000Z"],
])("%j is a time", (text, expected) => {
  inZone(zone);
  expect(read(text)?.replace(/\.\d+Z$/, ".000Z")).toBe(expected);
});

test.each([
  "",
  "yesterday",
  "30",
  "30m",
  "-1d",
  "1.5d",
  "2026-02-30",
  "2026-13-01",
  "2026-03-01T25:00",
  "2026-03-01T10:61",
  "2026-03-01T10:00:60",
  "1/2/2026",
])("%j is none", (text) => {
  inZone(zone);
  expect(read(text)).toBeUndefined();
});

describe("a day and a month", () => {
  test("last from midnight to midnight here", () => {
    inZone(zone);
    expect(spanAround(now, "day")).toEqual({
      since: Date.parse("2026-03-14T18:30:00Z"),
      until: Date.parse("2026-03-15T18:30:00Z"),
    });
    expect(spanAround(now, "month")).toEqual({
      since: Date.parse("2026-02-28T18:30:00Z"),
      until: Date.parse("2026-03-31T18:30:00Z"),
    });
    expect([periodName(now, "day"), periodName(now, "month")]).toEqual(["2026-03-15", "2026-03"]);
  });

  test("are shorter and longer where the clocks change", () => {
    inZone("Europe/Berlin");
    const hours = (text: string) => {
      const { since, until } = spanAround(Date.parse(text), "day");
      return (until - since) / 3_600_000;
    };
    expect([hours("2026-03-29T12:00:00Z"), hours("2026-10-25T12:00:00Z")]).toEqual([23, 25]);
  });
});
