// What shells are offered at a press of Tab.
import { describe, expect, test } from "bun:test";
import { describeCommands } from "../../src/doors/cli/all-commands.ts";
import { candidatesFor } from "../../src/doors/cli/completion/candidates.ts";
import { describedCommands } from "../../src/doors/cli/described-commands.ts";
import { batchIdSchema } from "../../src/model/batch-id.ts";

const batches = [
  { batchId: batchIdSchema.parse("bbbbbbbb"), name: "nightly", tasks: 3, createdAt: Date.now() },
  { batchId: batchIdSchema.parse("cccccccc"), tasks: 12, createdAt: Date.now() },
];

const commands = describedCommands();

async function wordsFor(...written: string[]): Promise<string[]> {
  const keysOf = async (batchId: string) =>
    batchId === "cccccccc" ? ["src/a.ts", "7 days", "src/b c.ts", "src/b.ts"] : [];
  const found = await candidatesFor(commands, written, async () => batches, keysOf);
  return found.map((one) => ("word" in one ? one.word : `:${one.names}`));
}

describe("what can stand at the end of a command line", () => {
  const cases: [string[], string[]][] = [
    [["wa"], ["watch", "wait"]],
    [["help", "sh"], ["show"]],
    [
      ["show", ""],
      ["bbbbbbbb", "cccccccc", "latest"],
    ],
    [["show", "c"], ["cccccccc"]],
    [["show", "c", ""], []],
    [["compare", "bbbbbbbb", "c"], ["cccccccc"]],
    [["compare", "b", "c", "--only", "c"], ["changed"]],
    [
      ["logs", "bbbbbbbb", ""],
      ["1", "2", "3"],
    ],
    [["results", "c", "src/a.ts", "s"], ["src/b.ts"]],
    [
      ["logs", "c", "src/"],
      ["src/a.ts", "src/b.ts"],
    ],
    [
      ["cancel", "latest", "1", ""],
      ["2", "3"],
    ],
    [
      ["logs", "--attempt", "1", "bbbbbbbb", ""],
      ["1", "2", "3"],
    ],
    [
      ["run", "--permission-mode", "a"],
      ["acceptEdits", "auto"],
    ],
    [["run", "--effort=h"], ["--effort=high"]],
    [["run", "--effort", "=", "h"], ["high"]],
    [
      ["run", "--effort", "="],
      ["low", "medium", "high", "xhigh", "max"],
    ],
    [["run", "--model", "opus", "--mod"], []],
    [["run", "--allowed-tools", "Read", "--allowed"], ["--allowed-tools"]],
    [["run", "-f", ""], [":files"]],
    [["run", "--output-directory", ""], [":directories"]],
    [["run", "--add-dir", ""], [":directories"]],
    [["run", "-C", ""], [":directories"]],
    [["run", "--json", ""], []],
    [["run", "--", "--mod"], []],
    [["completions", "z"], ["zsh"]],
    [
      ["retry", "b", "--only", ""],
      ["failed", "interrupted"],
    ],
    [
      ["install", "--client", "claude-"],
      ["claude-desktop", "claude-code"],
    ],
    [["nothing", ""], []],
  ];
  for (const [written, expected] of cases) {
    test(JSON.stringify(written), async () => expect(await wordsFor(...written)).toEqual(expected));
  }

  test("every command and every flag can be completed, with a word on what it is", async () => {
    const all = await candidatesFor(commands, [""], async () => []);
    for (const { name } of commands) {
      expect(all).toContainEqual({ word: name, about: expect.stringMatching(/./) });
      expect(await candidatesFor(commands, [name, "--"], async () => [])).toContainEqual({
        word: "--json",
        about: expect.stringMatching(/./),
      });
    }
  });
});

test("what help and completion know is what the commands declare", () => {
  expect(commands).toEqual(JSON.parse(describeCommands()));
});
