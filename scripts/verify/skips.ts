// What the tests of a run were skipped for, read from the output of `bun test`: their titles say it.
import { readFileSync } from "node:fs";

/** How many tests were skipped, by what they need. */
export type Skips = ReadonlyMap<string, number>;

/** What stands for a test that was skipped and does not say why. */
export const noReason = "no reason given";

/** Older versions of Claude Code lack what came later: that is no lack of the machine. */
export function isLackOfVersion(reason: string): boolean {
  return reason.startsWith("since ");
}

/** What only Windows has is tested there, and under Wine (`bun run test:wine`). */
export function isOfWindows(reason: string): boolean {
  return /^needs .*\bWindows\b/.test(reason) && !reason.includes("other than Windows");
}

/** What a processor of another kind must be imitated for is tested where it is another one. */
export function isOfOtherProcessor(reason: string, processor: string = process.arch): boolean {
  return processor !== "x64" && reason.includes("Linux on x64");
}

/** Ubuntu keeps packages for other processors elsewhere. */
export function isOfDebian(reason: string, release = osRelease()): boolean {
  return reason.includes("Debian's ") && !/^ID=debian$/m.test(release);
}

function osRelease(): string {
  try {
    return readFileSync("/etc/os-release", "utf8");
  } catch {
    // Not a system that says what it is.
    return "";
  }
}

/** The skipped tests of an output, each line of which begins with `(skip)`. */
export function skipsIn(output: string): Skips {
  const skips = new Map<string, number>();
  // Without the list of failed tests at the end, which `bun test` repeats together with the skipped ones.
  const [run = ""] = output.split(/^\d+ tests? (?:skipped|failed):$/m);
  for (const [line] of run.matchAll(/^\(skip\) .*$/gm)) {
    const reason = [...line.matchAll(/\[((?:needs|since) [^\]]+)\]/g)].at(-1)?.[1] ?? noReason;
    skips.set(reason, (skips.get(reason) ?? 0) + 1);
  }
  return skips;
}

/** Two counts as one. */
export function sumOf(one: Skips, other: Skips): Skips {
  const sum = new Map(one);
  for (const [reason, count] of other) sum.set(reason, (sum.get(reason) ?? 0) + count);
  return sum;
}

/** `26 skipped: 4 [needs zsh], 22 [since 2.1.309]`. Empty when none was. */
export function skipsText(skips: Skips): string {
  const total = [...skips.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return "";
  const parts = [...skips]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, count]) => `${count} [${reason}]`);
  return `${total} skipped: ${parts.join(", ")}`;
}
