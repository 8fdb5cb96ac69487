// Settings from a text or a file, as Claude Code reads them.
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import {
  isJsonText,
  readSettingsFile,
  type SettingsFile,
  settingsIn,
  settingsInText,
} from "../../src/claude/settings-file.ts";
import { Home } from "../harness.ts";

const settings = { model: "opus" };
const json = JSON.stringify(settings);

test.each([
  [json, { kind: "settings", settings }],
  [` \n${json}\n`, { kind: "settings", settings }],
  [Buffer.from(`\ufeff${json}`), { kind: "settings", settings }],
  [Buffer.from(`\ufeff${json}`, "utf16le"), { kind: "settings", settings }],
  // Not without its mark.
  [Buffer.from(json, "utf16le"), { kind: "unreadable", reason: "is not a JSON object" }],
  // Half of a mark is none.
  [Buffer.from([0xff, ...Buffer.from(json)]), { kind: "unreadable", reason: "is not a JSON object" }],
  ["", { kind: "empty" }],
  [" \n", { kind: "empty" }],
  ["\ufeff", { kind: "empty" }],
  ["[1]", { kind: "unreadable", reason: "is not a JSON object" }],
  ["null", { kind: "unreadable", reason: "is not a JSON object" }],
  ['"text"', { kind: "unreadable", reason: "is not a JSON object" }],
  ["{ broken", { kind: "unreadable", reason: "is not a JSON object" }],
] satisfies [string | Buffer, SettingsFile][])("a file of %j is %j", async (content, read) => {
  await using home = new Home();
  await Bun.write(home.file("settings.json"), content);
  expect(readSettingsFile(home.file("settings.json"))).toEqual(read);
});

test("no file sets nothing, and what is none, or too long, cannot be read", async () => {
  await using home = new Home();
  expect(readSettingsFile(home.file("none"))).toEqual({ kind: "empty" });
  mkdirSync(home.file("folder"));
  expect(readSettingsFile(home.file("folder"))).toMatchObject({ kind: "unreadable" });
  await Bun.write(home.file("long"), json.padEnd(1_000_001));
  expect(readSettingsFile(home.file("long"))).toMatchObject({ kind: "unreadable" });
  await Bun.write(home.file("long"), json.padEnd(1_000_000));
  expect(readSettingsFile(home.file("long"))).toEqual({ kind: "settings", settings });
});

test("what is given is JSON, or the name of a file", async () => {
  await using home = new Home();
  await Bun.write(home.file("settings.json"), json);
  expect([json, ` \ufeff\n${json}`, "[1]", home.file("settings.json"), ""].map(isJsonText)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(settingsIn(json)).toEqual(settings);
  expect(settingsIn(home.file("settings.json"))).toEqual(settings);
  for (const nothing of ["{ broken", home.file("none"), "[1]"]) expect(settingsIn(nothing)).toBeUndefined();
  expect(settingsInText(`\ufeff${json}`)).toEqual(settings);
});
