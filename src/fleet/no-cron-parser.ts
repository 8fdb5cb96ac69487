// Takes the place of `cron-parser` (`paths` in tsconfig.json), which BullMQ loads for jobs that repeat themselves. We have none, and with
// luxon it would make the executable 0.6 MB larger.

/** Nobody has jobs that repeat themselves. */
export const CronExpressionParser = {
  parse(): never {
    throw new Error("Internal error: a job of a fleet is to repeat itself");
  },
};
