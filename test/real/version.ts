// The `claude` that a run of these tests is about, and tests of what only newer ones do.
import { describe, setDefaultTimeout, test } from "bun:test";
import { installRealClaude, RealClaudeUnavailable } from "../../scripts/real-claude.ts";
import { type ChangedVersion, isOlder } from "../../src/claude/versions.ts";
import { needsMark } from "../facilities.ts";

/** The one that `REAL_CLAUDE_VERSION` names, the latest unless it does; nothing where it cannot be had. */
export const claude = await installRealClaude().catch((error: unknown) => {
  if (!(error instanceof RealClaudeUnavailable)) throw error;
  console.error(`The real claude cannot be had: ${error.message}`);
  return undefined;
});
if (claude) console.error(`claude ${claude.version}`);

/** How long each test of a file may take, in milliseconds. Wine takes seconds to start `claude`, many on a busy machine. */
export function setPatience(usualMs: number): void {
  setDefaultTimeout(process.platform === "win32" ? 5 * usualMs : usualMs);
}

/** A group of tests that needs it. */
export function describeReal(title: string, body: () => void): void {
  if (claude) describe(title, body);
  else describe.skip(`${title} ${needsMark(["the real claude"])}`, body);
}

/** Whether this one has what came with a version. */
export function has(version: ChangedVersion): boolean {
  return claude !== undefined && !isOlder(claude.version, version);
}

/** A test of what came with a version. An older one skips it, and `test:versions` lists it as lacking. */
export function since(version: ChangedVersion) {
  return (title: string, body: () => Promise<void>) =>
    test.skipIf(!has(version))(`${title} ${sinceMark(version)}`, body);
}

/** How a title says it, for `test:versions`. */
export function sinceMark(version: string): string {
  return `[since ${version}]`;
}
