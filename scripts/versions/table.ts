// What `test:versions` prints in the end: a line for each version, what it lacks, and what failed.
import type { TestCase } from "./junit.ts";

/** The result for one version. */
export type VersionRun =
  | { kind: "skipped"; version: string; reason: string }
  | { kind: "ran"; version: string; exact: string; code: number; cases: TestCase[] };

/** Whether something failed that no test names as lacking. A run without a report, or in which all was skipped, is a failure too. */
export function hasFailed(run: VersionRun): boolean {
  return run.kind === "ran" && (run.code !== 0 || count(run.cases, "passed") === 0);
}

/** Whether no version failed, and at least one ran: where npm gave none, nothing was tested. */
export function haveAllPassed(runs: readonly VersionRun[]): boolean {
  return runs.some(({ kind }) => kind === "ran") && !runs.some(hasFailed);
}

/** Version by version, for a terminal. */
export function tableOf(runs: readonly VersionRun[]): string {
  const rows = runs.map((run): string[] => {
    if (run.kind === "skipped") return [run.version, "-", "-", `not run: ${run.reason}`];
    const lacked = lackedIn(run.cases).length;
    const lacks = lacked === 0 ? "nothing" : `${lacked} of ${run.cases.length}`;
    const version = run.version === run.exact ? run.exact : `${run.exact} (${run.version})`;
    return [version, String(count(run.cases, "passed")), failedText(run), lacks];
  });
  const table = [["version", "passed", "failed", "lacks"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return [...lines, ...runs.flatMap(detailsOf)].join("\n");
}

function failedText(run: Extract<VersionRun, { kind: "ran" }>): string {
  const failed = count(run.cases, "failed");
  return failed === 0 && hasFailed(run) ? `ended with ${run.code}` : String(failed);
}

function count(cases: readonly TestCase[], ended: TestCase["ended"]): number {
  return cases.filter((one) => one.ended === ended).length;
}

// A test that is skipped for another reason, as on another system, says nothing about the version.
function lackedIn(cases: readonly TestCase[]): string[] {
  return cases.flatMap(({ name, ended }) =>
    ended === "skipped" && /\[since [\d.]+\]$/.test(name) ? [name] : [],
  );
}

function detailsOf(run: VersionRun): string[] {
  if (run.kind === "skipped") return [];
  const failed = run.cases.filter(({ ended }) => ended === "failed").map(({ name }) => `  failed: ${name}`);
  const lacks = lackedIn(run.cases).map((name) => `  lacks:  ${name}`);
  return failed.length + lacks.length === 0 ? [] : ["", run.exact, ...failed, ...lacks];
}
