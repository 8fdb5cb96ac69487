// What Claude Code reads by itself when a session starts, as it was then: a session that started before something of it
// changed must not get a prompt that came later. Seen with 2.1.197 and 2.1.332: instructions, settings, skills, agents, hooks
// and the state of the repository are read once, at the start, however long the prompt takes to come.
import { fingerprintOf, type Look, lookKey } from "../../claude/looks.ts";
import { hasHooks, ownLooks, promptHooks } from "../../claude/own-looks.ts";
import { repositoryOf } from "../../claude/repository.ts";
import { isJsonText } from "../../claude/settings-file.ts";
import type { SessionOptions } from "../../model/options.ts";
import { isDirectory, realPath } from "../../platform/files.ts";
import { type ContentHashes, Fingerprints, placesOf } from "../../platform/fingerprints.ts";
import { absolutePath, dirname, join } from "../../platform/paths.ts";

/** A look with its fingerprint at some moment; undefined if it cannot be known. */
export interface Seen {
  look: Look;
  hash: string | undefined;
}

/** How far the clocks of files and ours may differ, in milliseconds: a file system writes times in ticks. */
const clockMarginMs = 100;
/** The same for one that writes whole seconds, or two. */
const coarseMarginMs = 2_000;
/** How far the clock may drift while it is corrected, as a part of the time that passed. */
const mostDrift = 0.001;

/** A time on two clocks, in milliseconds: since 1970, and on the monotonic one. */
export interface Moment {
  atMs: number;
  ticksMs: number;
}

/** What was there before a session started. */
export interface SeenAtStart extends Moment {
  /** Directories in which looks lie, and where they were. */
  roots: readonly string[];
  places: string;
  /** By their keys (`lookKey`). */
  looks: ReadonlyMap<string, Seen>;
}

/** What a session is started with. */
export interface StartsWith {
  workingDirectory: string;
  options: SessionOptions;
  environment: Record<string, string>;
}

/**
 * What a session would read now, if it started. Undefined if that cannot be compared later: hooks run at the start, and may
 * say anything, or a file is too large to be compared.
 */
export function seenNow(started: StartsWith, hashes: ContentHashes): SeenAtStart | undefined {
  if (hasHooks(started, started.options, promptHooks)) return undefined;
  const own = [...ownLooks(started), ...optionLooks(started)];
  const seen = seenOf([...own, ...repositoryLooks(started.workingDirectory)], {
    directory: started.workingDirectory,
    hashes,
  });
  return [...seen.looks.values()].some(({ hash }) => hash === undefined) ? undefined : seen;
}

/** Whether a session that started now would read the same. */
export function isAsSeen({ roots, places, looks }: SeenAtStart, hashes: ContentHashes): boolean {
  if (placesOf(roots) !== places) return false;
  const now = new Fingerprints({ roots, hashes });
  return [...looks.values()].every(({ look, hash }) => {
    const found = fingerprintOf(look, now);
    return !("unknown" in found) && found.hash === hash;
  });
}

/**
 * What a process would keep from its start through all its conversations, or may keep, if it started now: all that it reads
 * by itself but the state of the repository, which each conversation gets anew (2.1.332).
 */
export function keptNow(started: StartsWith, hashes: ContentHashes): SeenAtStart {
  const directory = started.workingDirectory;
  return seenOf([...ownLooks(started), ...optionLooks(started)], { directory, hashes });
}

/** Whether nothing of it has changed since, not even for a while. */
export function isUntouched(seen: SeenAtStart, hashes: ContentHashes): boolean {
  const isQuiet = quietSince(seen);
  if (!isQuiet || placesOf(seen.roots) !== seen.places) return false;
  const now = new Fingerprints({ roots: seen.roots, hashes });
  return [...seen.looks.values()].every(({ look, hash }) => {
    const found = fingerprintOf(look, now);
    return !("unknown" in found) && found.hash === hash && isQuiet(found.changedAt);
  });
}

/**
 * Whether what last changed at a time of the file system (in milliseconds since 1970) was certainly as it is now at that
 * moment. Undefined if the clock was set since.
 */
export function quietSince({ atMs, ticksMs }: Moment): ((changedAt: number) => boolean) | undefined {
  const [elapsedMs, passedMs] = [Date.now() - atMs, performance.now() - ticksMs];
  const driftMs = clockMarginMs / 2 + passedMs * mostDrift;
  if (Math.abs(elapsedMs - passedMs) > driftMs) return undefined;
  return (changedAt) => changedAt < atMs - marginMs(changedAt) - driftMs;
}

function marginMs(changedAt: number): number {
  return changedAt % 1_000 === 0 ? coarseMarginMs : clockMarginMs;
}

/** The time now. */
export function momentNow(): Moment {
  return { atMs: Date.now(), ticksMs: performance.now() };
}

/** The given looks, as they are now. */
export function seenOf(
  looks: readonly Look[],
  { directory, hashes }: { directory: string; hashes: ContentHashes },
): SeenAtStart {
  // Before the looks: what changes from now on is seen by its time.
  const { atMs, ticksMs } = momentNow();
  const roots = rootsOf(looks, directory);
  const now = new Fingerprints({ roots, hashes });
  const seen = looks.map((look) => {
    const found = fingerprintOf(look, now);
    return [lookKey(look), { look, hash: "unknown" in found ? undefined : found.hash }] as const;
  });
  return { atMs, ticksMs, roots, places: placesOf(roots), looks: new Map(seen) };
}

// Where what is known before lies, as far as it is there. Names come and go there all the time, so that times say nothing about moves.
function rootsOf(looks: readonly Look[], directory: string): string[] {
  const roots = looks.map(({ kind, path }) => (kind === "file" || kind === "names" ? dirname(path) : path));
  return [...new Set([directory, realPath(directory), ...roots])].filter(isDirectory);
}

// The files that options name.
function optionLooks({ options: { settings, mcpConfig }, workingDirectory }: StartsWith): Look[] {
  return [settings, mcpConfig].flatMap((given) =>
    typeof given === "string" && !isJsonText(given)
      ? [{ kind: "file", path: absolutePath(given, workingDirectory) } as const]
      : [],
  );
}

// A session gets the state of the repository as it was at its start: the branch, the last commits, what is staged.
function repositoryLooks(directory: string): Look[] {
  const folder = repositoryOf(realPath(directory))?.folder;
  if (folder === undefined) return [];
  const names = ["HEAD", join("logs", "HEAD"), "index"];
  return names.map((name): Look => ({ kind: "file", path: join(folder, name) }));
}
