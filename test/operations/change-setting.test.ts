// `config set` and `config unset`: the file, what is said, and what is refused.
import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { settingNames } from "../../src/model/configuration.ts";
import { changeSetting } from "../../src/operations/change-setting.ts";
import { readConfiguration } from "../../src/operations/configuration.ts";
import { testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";
import { expectMode } from "../modes.ts";

const fileOf = (inside: Inside) => inside.context().inForce.file;
const settingOf = (name: string) => readConfiguration().settings.find((setting) => setting.name === name);

describe("a setting", () => {
  test("is written into a new file, in force then, and gone again", async () => {
    using inside = new Inside();
    const file = fileOf(inside);
    const { message } = await changeSetting(file, { name: "concurrency", value: "8" });
    expect(message).toBe(
      `\`concurrency\` is now 8 in ${file}. A server that runs reads it when its client starts it again.`,
    );
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ concurrency: 8 });
    expectMode(file, 0o600);
    expect(settingOf("concurrency")).toEqual({ name: "concurrency", value: 8, source: file });
    expect((await changeSetting(file, { name: "concurrency", value: "8" })).message).toBe(
      `\`concurrency\` is 8 in ${file}.`,
    );
    expect((await changeSetting(file, { name: "concurrency" })).message).toStartWith(
      `\`concurrency\` is out of ${file}, so "auto" applies.`,
    );
    expect(settingOf("concurrency")).toMatchObject({ value: "auto", source: "default" });
    expect((await changeSetting(file, { name: "concurrency" })).message).toBe(
      `\`concurrency\` is not in ${file}.`,
    );
  });

  test("leaves all others as they are written", async () => {
    using inside = new Inside();
    const file = fileOf(inside);
    const before = '{\r\n    "unknown": [1,\r\n 2],\r\n    "notifications": false\r\n}\r\n';
    mkdirSync(dirname(file), { recursive: true });
    await Bun.write(file, before);
    await changeSetting(file, { name: "syncWaitSeconds", value: "20" });
    expect(readFileSync(file, "utf8")).toBe(before.replace("false", 'false,\r\n    "syncWaitSeconds": 20'));
    await changeSetting(file, { name: "syncWaitSeconds" });
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  const names = ["dailyBudgetUsd", "daily-budget-usd", "PARALLEL_CLAUDE_DAILY_BUDGET_USD", "DAILYBUDGETUSD"];
  for (const name of names)
    test(`may be called ${name}`, async () => {
      using inside = new Inside();
      await changeSetting(fileOf(inside), { name, value: "2.5" });
      expect(settingOf("dailyBudgetUsd")).toMatchObject({ value: 2.5 });
    });

  test("has the forms of its variable", async () => {
    using inside = new Inside();
    const file = fileOf(inside);
    await changeSetting(file, { name: "allowCheckCommands", value: "yes" });
    await changeSetting(file, { name: "outputDirectory", value: "~/results" });
    await changeSetting(file, { name: "notifyCommand", value: '["say", "done"]' });
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      allowCheckCommands: true,
      outputDirectory: "~/results",
      notifyCommand: ["say", "done"],
    });
  });

  test("that is a path is one from the current directory", async () => {
    using inside = new Inside();
    const file = fileOf(inside);
    await changeSetting(file, { name: "outputDirectory", value: "here" });
    await changeSetting(file, { name: "allowedRoots", value: ["a", "~/b"].join(delimiter) });
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      outputDirectory: join(process.cwd(), "here"),
      allowedRoots: [join(process.cwd(), "a"), "~/b"],
    });
  });

  test("that its variable sets has no effect in the file, and this is said", async () => {
    using inside = new Inside({ PARALLEL_CLAUDE_CONCURRENCY: "3" });
    const file = fileOf(inside);
    expect((await changeSetting(file, { name: "concurrency", value: "8" })).message).toBe(
      `\`concurrency\` is now 8 in ${file}. But PARALLEL_CLAUDE_CONCURRENCY is set, and takes precedence.`,
    );
    expect(settingOf("concurrency")).toMatchObject({ value: 3, source: "PARALLEL_CLAUDE_CONCURRENCY" });
  });

  testNeeding("symbolic links")("whose file is a link is written where the link leads", async () => {
    using inside = new Inside();
    const file = fileOf(inside);
    const target = inside.write("dotfiles/config.json", "{}\n");
    mkdirSync(dirname(file), { recursive: true });
    symlinkSync(target, file);
    await changeSetting(file, { name: "concurrency", value: "2" });
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(target, "utf8"))).toEqual({ concurrency: 2 });
    rmSync(target);
    await changeSetting(file, { name: "concurrency", value: "3" });
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(target, "utf8"))).toEqual({ concurrency: 3 });
  });
});

describe("nothing is changed", () => {
  test("where the name is there twice, and the first one would be written", async () => {
    using inside = new Inside();
    const file = fileOf(inside);
    mkdirSync(dirname(file), { recursive: true });
    const text = '{ "concurrency": 1, "concurrency": 2 }';
    await Bun.write(file, text);
    for (const value of ["3", undefined])
      await expect(changeSetting(file, { name: "concurrency", value })).rejects.toThrow("more than once");
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  const refused: [what: string, change: { name: string; value?: string }, text: string][] = [
    [
      "an unknown name",
      { name: "colour", value: "1" },
      '"colour" is no setting, and nothing was changed. `config` lists all',
    ],
    ["a misspelt name", { name: "concurency", value: "1" }, "Did you mean `concurrency`?"],
    ["an unknown name that is to go", { name: "concurency" }, "Did you mean `concurrency`?"],
    ["a value that does not fit", { name: "concurrency", value: "many" }, "concurrency"],
    ["a negative limit", { name: "dailyBudgetUsd", value: "-1" }, "dailyBudgetUsd"],
    ["an empty value", { name: "outputDirectory", value: "" }, "`config unset outputDirectory` removes it"],
  ];
  for (const [what, change, text] of refused)
    test(`by ${what}`, async () => {
      using inside = new Inside();
      const file = fileOf(inside);
      await expect(changeSetting(file, change)).rejects.toThrow(text);
      await changeSetting(file, change).catch(() => undefined);
      expect(existsSync(file)).toBe(false);
    });

  for (const text of ["{", "[]", '{ // mine\n "concurrency": 1 }'])
    test(`in a file that cannot be read: ${JSON.stringify(text)}`, async () => {
      using inside = new Inside();
      const file = fileOf(inside);
      mkdirSync(dirname(file), { recursive: true });
      await Bun.write(file, text);
      const { message } = await changeSetting(file, { name: "concurrency", value: "2" }).catch(
        (error: Error) => error,
      );
      expect(message).toContain("and nothing was changed. Fix it first.");
      expect(readFileSync(file, "utf8")).toBe(text);
    });
});

test("every setting can be found by each of its names", async () => {
  using inside = new Inside();
  const file = fileOf(inside);
  for (const name of settingNames)
    expect(await changeSetting(file, { name: name.toUpperCase() })).toMatchObject({ name });
});
