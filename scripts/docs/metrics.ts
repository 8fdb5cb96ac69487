// The table of metrics for docs/observability.md.
import { metrics } from "../../src/report/metrics.ts";

export const metricTable: string[] = [
  "| metric | type | what it says |",
  "| --- | --- | --- |",
  ...metrics.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`),
];
