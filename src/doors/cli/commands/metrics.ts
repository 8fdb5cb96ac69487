// `metrics`: what a monitoring system wants to know.
import { reportMetrics } from "../../../operations/metrics.ts";
import { commandOf } from "../input/command.ts";

export const metrics = commandOf(reportMetrics, {
  name: "metrics",
  otherNames: ["prometheus", "stats"],
  examples: [
    ["metrics", "Print the metrics"],
    [
      "metrics --file /var/lib/node_exporter/textfile/parallel_claude.prom",
      "Write them where node_exporter reads them",
    ],
  ],
  // What only reads must not resume what was interrupted.
  alone: true,
  isWrapped: true,
  present: ({ text, file }) => (file === undefined ? text.replace(/\n$/, "") : `Written to ${file}.`),
});
