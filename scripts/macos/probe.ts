// Tries everything that our code assumes about macOS, and prints each assumption with what was found. Ends with 1 if one does
// not hold. `.github/scripts/try-macos.sh` runs it.
import { appendFileSync } from "node:fs";
import { type System, thisSystem } from "../../src/platform/system.ts";
import { assumptions, variable } from "./assumptions.ts";
import { Place } from "./probe-place.ts";

export interface Finding {
  assumes: string;
  holds: boolean;
  /** What was found, or why it does not hold. */
  what: string;
}

interface Probing {
  /** Elsewhere than on macOS, only what needs no program of its own is tried. */
  isMac: boolean;
  /** How long to wait for what must happen, in milliseconds. */
  patienceMs: number;
}

/** What holds of the processes and files of a system. */
export async function probe(system: System, { isMac, patienceMs }: Probing): Promise<Finding[]> {
  using place = new Place(system, { variable, patienceMs });
  const findings: Finding[] = [];
  for (const { assumes, onlyOnMac, check } of assumptions) {
    if (onlyOnMac && !isMac) continue;
    try {
      findings.push({ assumes, holds: true, what: await check(place) });
    } catch (error) {
      findings.push({ assumes, holds: false, what: error instanceof Error ? error.message : String(error) });
    }
  }
  return findings;
}

if (import.meta.main) {
  const findings = await probe(thisSystem, { isMac: true, patienceMs: 20_000 });
  const wrong = findings.filter(({ holds }) => !holds);
  for (const { assumes, holds, what } of findings)
    console.log(`${holds ? "holds" : "WRONG"}  ${assumes}\n         ${what}`);
  console.log(`\n${findings.length - wrong.length} of ${findings.length} assumptions hold.`);
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary !== undefined) {
    const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
    const rows = findings.map(
      ({ assumes, holds, what }) => `| ${holds ? "holds" : "**wrong**"} | ${cell(assumes)} | ${cell(what)} |`,
    );
    appendFileSync(summary, ["| | assumption | found |", "| --- | --- | --- |", ...rows, ""].join("\n"));
  }
  process.exit(wrong.length === 0 ? 0 : 1);
}
