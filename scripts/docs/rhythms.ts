// The rhythms of the clock, as ARCHITECTURE.md lists them.
import { rhythms } from "../../src/platform/clock.ts";

/** The table in ARCHITECTURE.md. */
export const rhythmTable = [
  "| rhythm | in ms | what looks | why nothing wakes it |",
  "| --- | --- | --- | --- |",
  ...Object.entries(rhythms).map(
    ([name, { everyMs, looks, why }]) => `| \`${name}\` | ${everyMs} | ${looks} | ${why} |`,
  ),
];
