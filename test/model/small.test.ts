// Names, rules and words: what is short enough to be said in a few lines each.
import { describe, expect, test } from "bun:test";
import { batchIdSchema, newBatchId } from "../../src/model/batch-id.ts";
import { kebabCase } from "../../src/model/kebab-case.ts";
import { familyIn, limitText, modelNameTypes } from "../../src/model/limit-types.ts";
import { isOneRule, isPlain, ruleOf } from "../../src/model/rule-text.ts";
import { emptyInputText, shellQuoted, startText, textOfFileHint } from "../../src/model/shell-quoted.ts";

describe("a batch id", () => {
  test("has eight letters that nobody confuses, each as likely as any other", () => {
    const ids = Array.from({ length: 2_000 }, newBatchId);
    const letters = new Map<string, number>();
    for (const id of ids) {
      expect(batchIdSchema.safeParse(id).success).toBe(true);
      for (const letter of id) letters.set(letter, (letters.get(letter) ?? 0) + 1);
    }
    expect([...letters.keys()].sort().join("")).toBe("23456789bcdfghjkmnpqrstvwxz");
    // 16,000 letters are 593 of each; a sixth of that is more than six times the standard deviation of 24.
    for (const count of letters.values()) expect(Math.abs(count - 593)).toBeLessThan(200);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(["bcdfghj", "bcdfghjkm", "bcdfghja1", "BCDFGHJK", "bcdfghj0"])("is not %s", (text) => {
    expect(batchIdSchema.safeParse(text).success).toBe(false);
  });
});

test("a flag is the name of its option with dashes", () => {
  expect(kebabCase("addDirectories")).toBe("add-directories");
  expect(kebabCase("model")).toBe("model");
  expect(kebabCase("batchBudgetUsd")).toBe("batch-budget-usd");
});

test.each([
  ["plain-word_1.0/a:b,c+d=e@f%", "plain-word_1.0/a:b,c+d=e@f%"],
  ["two words", "'two words'"],
  ["it's", "'it'\\''s'"],
  ["", "''"],
  ["$HOME", "'$HOME'"],
])("%j is one word of a shell as %s", (value, word) => {
  expect(shellQuoted(value, "linux")).toBe(word);
});

test.each([
  ["plain-word_1.0/a:b+c=d", "plain-word_1.0/a:b+c=d"],
  ["C:\\work\\", "C:\\work\\"],
  ["C:\\my work\\", '"C:\\my work\\\\"'],
  ["Read,Edit", '"Read,Edit"'],
  ["@file", '"@file"'],
  ["-a.b", '"-a.b"'],
  ["Bash(git log:*)", '"Bash(git log:*)"'],
  ["it's", '"it\'s"'],
  ["", '""'],
  ['{"a": "b"}', '"{""a"": ""b""}"'],
  ['ends in \\"', '"ends in \\\\"""'],
  ["$HOME `x` “y”", '"`$HOME ``x`` `“y`”"'],
])("%j is one word of Windows' shells as %s", (value, word) => {
  expect(shellQuoted(value, "win32")).toBe(word);
});

test("a program whose path takes quotation marks is started differently in PowerShell", () => {
  const platform = "win32";
  expect(startText("C:\\bin\\claude.exe", { args: "update", platform })).toBe("`C:\\bin\\claude.exe update`");
  expect(startText("C:\\my bin\\claude.exe", { platform })).toBe(
    '`"C:\\my bin\\claude.exe"` (in PowerShell, write `& ` before it)',
  );
  expect(startText("/my bin/claude", { args: "update", platform: "linux" })).toBe(
    "`'/my bin/claude' update`",
  );
});

test("what hints say of redirections and files, both shells of Windows can do", () => {
  const option = { option: "--system-prompt", setting: "systemPrompt" };
  expect(emptyInputText("win32")).toBe("`< NUL` (in PowerShell, `$null | ` before the command)");
  expect(textOfFileHint(option, "win32")).toBe(
    "in PowerShell, write `--system-prompt (Get-Content -Raw FILE)`. cmd.exe cannot read a file into an option: give `systemPrompt` in a file of tasks instead",
  );
  expect(emptyInputText("linux")).toBe("`< /dev/null`");
  expect(textOfFileHint(option, "linux")).toBe('write `--system-prompt "$(cat FILE)"`');
});

describe("a rule in advice", () => {
  test.each(["", " a", "a ", "a  b", "a\nb", "a\u00a0b", "a`b", "a\u200bb"])("%j is not plain", (text) => {
    expect(isPlain(text)).toBe(false);
  });

  test.each(["a", "a b", "Bash(git log:*)"])("%j is plain", (text) => {
    expect(isPlain(text)).toBe(true);
  });

  test("is read as exactly one", () => {
    for (const rule of ["Bash", "Bash(git log:*)", "mcp__a__b", "Edit(/a/**)", `Bash(${"x".repeat(294)})`])
      expect(isOneRule(rule)).toBe(true);
    for (const rule of [
      "Bash(",
      "Bash()",
      "Bash(a)b",
      "Bash(a(b))",
      "Bash(a\\b)",
      "a b",
      "a,b",
      `Bash(${"x".repeat(295)})`,
    ])
      expect(isOneRule(rule)).toBe(false);
  });

  test("is made of a tool and what stands in its parentheses", () => {
    expect(ruleOf("Bash", "npm test")).toBe("Bash(npm test)");
    expect(ruleOf("Bash", "f(1)")).toBeUndefined();
  });
});

describe("a limit", () => {
  test("is of a family where its name has one", () => {
    expect(familyIn("seven_day_opus")).toBe("opus");
    expect(familyIn("claude-Sonnet-4-5")).toBe("sonnet");
    expect(familyIn("seven_day_overage_included")).toBe("fable");
    expect(familyIn("five_hour")).toBeUndefined();
    expect(familyIn(undefined)).toBeUndefined();
  });

  test("has a name for people", () => {
    expect(limitText("five_hour").name).toBe("five-hour");
    expect(limitText("seven_day_opus").name).toBe("weekly Opus");
    expect(limitText("monthly_haiku").name).toBe("Haiku");
    expect(limitText("something").name).toBe("usage");
    expect(limitText(undefined).name).toBe("usage");
    // No property that every object has.
    expect(limitText("constructor").name).toBe("usage");
  });

  test("of a model says how to go on, in the words of the door", () => {
    const option = (name: string) => `--${name}`;
    expect(limitText("seven_day_opus").advice?.(option, (command) => command)).toBe(
      "Wait until the limit resets, or name another --model.",
    );
    expect(limitText("long_context_credits_required").hold?.("sonnet[1m]")).toStartWith(
      "sonnet[1m] needs usage credits for its long context.",
    );
    expect(limitText("five_hour").advice).toBeUndefined();
  });

  test("concerns one name of a model where only that name needs credits", () => {
    expect([...modelNameTypes]).toEqual(["long_context_credits_required", "model_requires_usage_credits"]);
  });
});
