// What a session has read at its start, and when another one would read something else.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { isAsSeen, isUntouched, keptNow, seenNow } from "../../src/engine/reuse/seen-at-start.ts";
import { type SessionOptions, sessionOptions } from "../../src/model/options.ts";
import { ContentHashes } from "../../src/platform/fingerprints.ts";
import { Inside } from "../inside.ts";

/** What is seen in the working directory, and whether it still is so after a file has been written. */
function changes(optionsOf: (inside: Inside) => Partial<SessionOptions>, name: string): boolean {
  using inside = new Inside();
  inside.write("work/.git/HEAD", "ref: refs/heads/main\n");
  inside.write("work/given.json", "{}");
  const hashes = new ContentHashes();
  const started = {
    workingDirectory: inside.work,
    options: { ...sessionOptions.parse({}), ...optionsOf(inside) },
    environment: { HOME: inside.path },
  };
  const seen = seenNow(started, hashes);
  if (!seen) throw new Error("It cannot be compared");
  expect(isAsSeen(seen, hashes)).toBe(true);
  inside.write(name, "changed");
  return !isAsSeen(seen, hashes);
}

test("instructions, settings, skills and the state of the repository count, other files do not", () => {
  const given = ({ work }: Inside) => ({
    settings: join(work, "given.json"),
    mcpConfig: join(work, "servers.json"),
  });
  for (const name of [
    "work/CLAUDE.md",
    "work/.claude/settings.local.json",
    "work/.claude/skills/one/SKILL.md",
    "work/.claude/agents/one.md",
    ".claude/CLAUDE.md",
    ".claude/settings.json",
    "work/.git/HEAD",
    "work/.git/index",
    "work/.git/logs/HEAD",
    "work/given.json",
    "work/servers.json",
  ])
    expect([name, changes(given, name)]).toEqual([name, true]);
  for (const name of ["work/a.ts", "work/notes.md", "work/.git/objects/1", "work/given.json"])
    expect([name, changes(() => ({}), name)]).toEqual([name, false]);
});

test("where hooks run at the start, nobody knows what a session was shown", () => {
  using inside = new Inside();
  const hook = { hooks: [{ type: "command", command: "date" }] };
  const started = {
    workingDirectory: inside.work,
    options: sessionOptions.parse({}),
    environment: { HOME: inside.path },
  };
  const isKnown = (...events: string[]) => {
    const hooks = Object.fromEntries(events.map((event) => [event, [hook]]));
    inside.write(join(".claude", "settings.json"), JSON.stringify({ hooks }));
    return seenNow(started, new ContentHashes()) !== undefined;
  };
  expect(isKnown()).toBe(true);
  expect(isKnown("SessionStart")).toBe(false);
  // Those of tools and prompts come later; but a session that ends without a prompt has an end, too.
  expect(isKnown("PreToolUse", "PostToolUse", "UserPromptSubmit", "Stop")).toBe(true);
  expect(isKnown("Stop", "SessionEnd")).toBe(false);
});

test("what a process keeps is touched by whoever writes it, even the same again; the state of the repository is none of it", () => {
  using inside = new Inside();
  inside.write("work/.git/HEAD", "ref: refs/heads/main\n");
  inside.write("work/.claude/agents/one.md", "One");
  inside.write("work/CLAUDE.md", "Rules");
  const hashes = new ContentHashes();
  const started = {
    workingDirectory: inside.work,
    options: sessionOptions.parse({}),
    environment: { HOME: inside.path },
  };
  const kept = keptNow(started, hashes);
  // What was written just before a start may have been written while it ran, by the clock of a file system.
  expect(isUntouched(kept, hashes)).toBe(false);
  const later = { ...kept, atMs: kept.atMs + 10_000, ticksMs: kept.ticksMs + 10_000 };
  expect(isUntouched(later, hashes)).toBe(true);
  expect(isUntouched({ ...later, atMs: later.atMs + 5_000 }, hashes)).toBe(false);
  inside.write("work/.git/HEAD", "ref: refs/heads/other\n");
  inside.write("work/a.ts", "a");
  expect(isUntouched(later, hashes)).toBe(true);
  inside.write("work/CLAUDE.md", "Rules");
  expect([isUntouched(later, hashes), isUntouched(kept, hashes)]).toEqual([true, false]);
  inside.write("work/.claude/agents/one.md", "Other");
  expect(isUntouched(later, hashes)).toBe(false);
});
