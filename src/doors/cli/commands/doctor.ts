// `doctor`: everything that a session needs, each with the result of its check.
import { doctor as operation } from "../../../operations/doctor.ts";
import { harmless } from "../../../report/harmless.ts";
import { commandOf } from "../input/command.ts";
import { wrapped } from "../terminal/wrapped.ts";

export const doctor = commandOf(operation, {
  name: "doctor",
  otherNames: ["check", "diagnose"],
  examples: [
    ["doctor", "Check that sessions can run"],
    ["doctor --fleet team", "Also check a fleet: its server, blob store and workers"],
    ["doctor --json | jq '.findings[] | select(.ok | not)'", "Show only failed checks"],
  ],
  alone: true,
  isWrapped: true,
  present: ({ ok, findings }, { terminal: { out } }) => {
    const width = findings.reduce((most, { name }) => Math.max(most, name.length), 0);
    const lines = findings.map((finding) => {
      const word = finding.ok ? out.paint("green", "ok  ") : out.paint("red", "FAIL");
      const column = width + 8;
      const margin = `\n${" ".repeat(column)}`;
      const told = (text: string) =>
        out.isTerminal ? wrapped(harmless(text), out, column) : harmless(text).replaceAll("\n", margin);
      const remedy = finding.remedy === undefined ? "" : `${margin}${told(`→ ${finding.remedy}`)}`;
      return `${word}  ${finding.name.padEnd(width)}  ${told(finding.detail)}${remedy}`;
    });
    const failed = findings.filter((finding) => !finding.ok).length;
    const end = ok
      ? "All checks passed. No model was asked."
      : `${failed} of ${findings.length} checks failed.`;
    return `${lines.join("\n")}\n\n${end}`;
  },
  status: ({ ok }) => (ok ? 0 : 1),
});
