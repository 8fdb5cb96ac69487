// What our code assumes about macOS, as ARCHITECTURE.md lists it.
import { assumptions } from "../macos/assumptions.ts";

/** The table in ARCHITECTURE.md. */
export const assumptionTable = [
  "| we assume that … | relied on in | tried on |",
  "| --- | --- | --- |",
  ...assumptions.map(
    ({ assumes, reliedOn, onlyOnMac }) =>
      `| ${assumes} | ${reliedOn.map((path) => `\`${path}\``).join(", ")} | ${onlyOnMac ? "macOS" : "macOS, imitation"} |`,
  ),
];
