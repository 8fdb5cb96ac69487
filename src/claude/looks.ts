// What a session looked at, and the fingerprints of that: a result may be used again while they are the same.
import { z } from "zod";
import {
  digest,
  type Fingerprint,
  type Fingerprints,
  nothingThere,
  type Unknown,
} from "../platform/fingerprints.ts";
import { globbedFiles } from "../platform/globbed-files.ts";
import { join } from "../platform/paths.ts";
import { alwaysSearched, isIgnored } from "./ignored.ts";
import { importsOf } from "./memory-imports.ts";

/** All paths are absolute. */
export const look = z.discriminatedUnion("kind", [
  /** The contents of a file. */
  z.object({ kind: z.literal("file"), path: z.string() }),
  /** The names in a directory. */
  z.object({ kind: z.literal("names"), path: z.string() }),
  /** All names below a directory, with the times by which Claude Code sorts them. */
  z.object({ kind: z.literal("listing"), path: z.string() }),
  /** The contents of all files below a directory, or of those with such endings. */
  z.object({ kind: z.literal("search"), path: z.string(), endings: z.array(z.string()).optional() }),
  /** Everything below a directory that the caller named, or a file. */
  z.object({ kind: z.literal("input"), path: z.string() }),
  /** The files that a glob of the caller's matches: which they are, and their contents. */
  z.object({ kind: z.literal("glob"), path: z.string(), pattern: z.string() }),
  /** What Claude Code reads of a project in a directory by itself: instructions, settings, agents, skills. */
  z.object({ kind: z.literal("project"), path: z.string() }),
  /** The same of its user, in its configuration directory. */
  z.object({ kind: z.literal("user"), path: z.string() }),
  /** What decides in a directory which files a search leaves out. */
  z.object({ kind: z.literal("ignores"), path: z.string() }),
]);
export type Look = z.infer<typeof look>;

/** Its fingerprint now. */
export function fingerprintOf(one: Look, now: Fingerprints): Fingerprint | Unknown {
  switch (one.kind) {
    case "file":
      return now.file(one.path);
    case "names":
      return now.names(one.path);
    case "listing":
      return now.tree(one.path, { counts: "names" });
    case "search":
      return now.tree(one.path, {
        counts: "contents",
        endings: one.endings,
        always: alwaysSearched,
        skips: isIgnored,
      });
    case "input":
      return now.tree(one.path, { counts: "contents", follows: true });
    case "glob":
      return globbed(one, now);
    case "project":
      return together(projectParts(one.path), now);
    case "user":
      return together(userParts(one.path), now);
    case "ignores":
      return together(
        [
          ...alwaysSearched,
          ".git/info/exclude",
          ".gitconfig",
          ".config/git/ignore",
          ".config/git/config",
        ].map((name) => ({ path: join(one.path, name), isTree: false })),
        now,
      );
  }
}

/** What changed, for people: a path, or words. */
export function lookText(one: Look): string {
  switch (one.kind) {
    case "file":
    case "input":
      return one.path;
    case "names":
      return `the files in ${one.path}`;
    case "listing":
      return `the files below ${one.path}`;
    case "search":
      // A directory, or a single file.
      return `what was searched in ${one.path}`;
    case "glob":
      return `the files that match ${one.pattern}`;
    case "project":
      return `the instructions or settings in ${one.path} (CLAUDE.md, .claude)`;
    case "user":
      return `your Claude Code configuration in ${one.path}`;
    case "ignores":
      return `.gitignore in ${one.path}`;
  }
}

/** The same for equal looks. */
export function lookKey(one: Look): string {
  return JSON.stringify(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface Part {
  path: string;
  isTree: boolean;
  /** Whether it may import other files. */
  imports?: boolean;
}

const ownFiles = ["CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", ".mcp.json", ".worktreeinclude"];
const configurationFiles = ["CLAUDE.md", "settings.json", "settings.local.json"];
const configurationFolders = ["agents", "commands", "output-styles", "rules", "skills", "workflows"];

function projectParts(directory: string): Part[] {
  return [
    ...ownFiles.map((name) => ({ path: join(directory, name), isTree: false })),
    ...partsIn(join(directory, ".claude")),
  ];
}

function userParts(directory: string): Part[] {
  const files = ["remote-settings.json", join("plugins", "installed_plugins.json")];
  return [...partsIn(directory), ...files.map((name) => ({ path: join(directory, name), isTree: false }))];
}

function partsIn(folder: string): Part[] {
  return [
    ...configurationFiles.map((name) => ({ path: join(folder, name), isTree: false })),
    ...configurationFolders.map((name) => ({ path: join(folder, name), isTree: true })),
  ];
}

// One fingerprint of several things, and of what instructions among them import.
function together(parts: readonly Part[], now: Fingerprints): Fingerprint | Unknown {
  const lines: string[] = [];
  let [changedAt, absentAt] = [0, 0];
  const seen = new Set<string>();
  const waiting = [...parts];
  for (let part = waiting.shift(); part; part = waiting.shift()) {
    const { path, isTree, imports = path.endsWith(".md") } = part;
    if (seen.has(path)) continue;
    seen.add(path);
    if (seen.size > mostParts) return { unknown: "imports too many files" };
    const found = isTree ? now.tree(path, { counts: "contents", follows: true }) : now.file(path);
    if ("unknown" in found) return found;
    changedAt = Math.max(changedAt, found.changedAt);
    absentAt = Math.max(absentAt, found.absentAt);
    if (found.hash === nothingThere) continue;
    lines.push(`${path} ${found.hash}`);
    if (!isTree && imports)
      waiting.push(...importsOf(path).map((imported) => ({ path: imported, isTree: false, imports })));
  }
  return { hash: digest(lines), changedAt, absentAt };
}

const mostParts = 500;

function globbed(
  { path, pattern }: Extract<Look, { kind: "glob" }>,
  now: Fingerprints,
): Fingerprint | Unknown {
  const lines: string[] = [];
  let changedAt = 0;
  const names = [...globbedFiles(path, pattern)].sort();
  if (names.length > mostMatches) return { unknown: `matches more than ${mostMatches} files` };
  for (const name of names) {
    const found = now.file(join(path, name));
    if ("unknown" in found) return found;
    changedAt = Math.max(changedAt, found.changedAt);
    lines.push(`${name} ${found.hash}`);
  }
  return { hash: digest(lines), changedAt, absentAt: 0 };
}

const mostMatches = 20_000;
