// What Claude Code reads by itself: commands that take the place of its own, and what a process keeps from its start.
import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { hasOwnClear, startStamp } from "../../src/claude/own-looks.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";

const places: [string, boolean][] = [
  ["work/.claude/commands/clear.md", true],
  ["work/.claude/skills/clear/SKILL.md", true],
  [".claude/commands/clear.md", true],
  ["config/skills/clear/SKILL.md", true],
  ["added/.claude/commands/clear.md", true],
  ["work/.claude/commands/git/clear.md", false],
  ["work/.claude/skills/clean/SKILL.md", false],
  ["work/clear.md", false],
];

test.each(places)("somebody has another `/clear` if there is %s: %p", async (path, expected) => {
  using inside = new Inside();
  const given = {
    workingDirectory: inside.work,
    environment: { HOME: inside.file("home"), CLAUDE_CONFIG_DIR: inside.file("config") },
    options: { addDirectories: [inside.file("added")] },
  };
  expect(hasOwnClear(given)).toBe(false);
  await Bun.write(inside.file(path), "Say something.");
  expect(hasOwnClear(given)).toBe(expected);
});

testNeeding("a system other than Windows")(
  "of a folder that cannot be looked into, nobody knows whether it is as it was",
  () => {
    using inside = new Inside();
    const given = { workingDirectory: inside.work, environment: { HOME: inside.file("home") } };
    expect(startStamp(given)).toBe(startStamp(given));
    symlinkSync(".claude", inside.file("work/.claude"));
    expect(startStamp(given)).not.toBe(startStamp(given));
    expect(hasOwnClear({ ...given, options: {} })).toBe(false);
  },
);
