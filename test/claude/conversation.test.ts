// Where the CLI keeps a conversation, and what it had cost.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conversationFile, costOfConversation } from "../../src/claude/conversation.ts";

const home = realpathSync(mkdtempSync(join(tmpdir(), "pccm-conversation-")));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function row(usd: number): string {
  const used = {
    inputTokens: 1,
    outputTokens: 2,
    cacheReadInputTokens: 3,
    cacheCreationInputTokens: 4,
    costUSD: usd,
  };
  return JSON.stringify({
    type: "cost-state",
    sessionId: "s",
    totalCostUSD: usd,
    modelUsage: { opus: used },
  });
}

function fileOf(...lines: string[]): string {
  const path = join(home, "conversation.jsonl");
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

const user = JSON.stringify({ type: "user" });

describe("what a conversation had cost", () => {
  test("stands in its last row that is whole, wherever that is", () => {
    const models = { opus: { input: 1, output: 2, cacheRead: 3, cacheWritten: 4, costUsd: 2 } };
    expect(costOfConversation(fileOf(user, row(1), user, row(2), user))).toEqual({ costUsd: 2, models });
    expect(costOfConversation(fileOf(user, row(2), user, row(3).slice(0, 60)))).toEqual({
      costUsd: 2,
      models,
    });
    // Far from the end, behind text of several bytes a character.
    const long = JSON.stringify({ type: "user", text: "ü".repeat(400_000) });
    expect(costOfConversation(fileOf(user, row(2), long, long, long))).toEqual({ costUsd: 2, models });
    const far = fileOf(user, row(2), JSON.stringify({ type: "user", text: "u".repeat(20_000_000) }));
    expect(costOfConversation(far)).toEqual({ costUsd: 2, models });
  });

  test("is not known of one that was never ended, nor from what somebody wrote in it", () => {
    expect(costOfConversation(fileOf(user, user))).toBeUndefined();
    expect(
      costOfConversation(fileOf(user, JSON.stringify({ type: "user", text: `\n${row(9)}` }))),
    ).toBeUndefined();
    expect(costOfConversation(fileOf(user, '{"type":"cost-state","totalCostUSD":"much"}'))).toBeUndefined();
    expect(costOfConversation(join(home, "nowhere"))).toBeUndefined();
  });
});

describe("the file of a conversation", () => {
  const environment = { HOME: home };
  const place = (folder: string, id: string, configuration = ".claude") => {
    mkdirSync(join(home, configuration, "projects", folder), { recursive: true });
    const path = join(home, configuration, "projects", folder, `${id}.jsonl`);
    writeFileSync(path, "");
    return path;
  };
  const nameOf = (directory: string) => directory.replace(/[^A-Za-z0-9]/g, "-");

  test("lies in a folder named for the real path of the directory", () => {
    const work = join(home, "my work");
    mkdirSync(work);
    symlinkSync(work, join(home, "link"));
    const path = place(nameOf(work), "one");
    expect(conversationFile("one", work, environment)).toBe(path);
    expect(conversationFile("one", join(home, "link"), environment)).toBe(path);
    expect(conversationFile("two", work, environment)).toBeUndefined();
  });

  test("lies in a folder whose long name is cut, with a hash behind", () => {
    const deep = join(home, "d".repeat(120), "e".repeat(120));
    mkdirSync(deep, { recursive: true });
    const path = place(`${nameOf(deep).slice(0, 200)}-1a2b3c`, "deep");
    expect(conversationFile("deep", deep, environment)).toBe(path);
  });

  test("is found where it began in another directory, but rather in its own", () => {
    const elsewhere = place("-somewhere-else", "moved");
    expect(conversationFile("moved", home, environment)).toBe(elsewhere);
    const own = place(nameOf(home), "moved");
    expect(conversationFile("moved", home, environment)).toBe(own);
  });

  test("is looked for in the configuration directory that the session has", () => {
    const path = place(nameOf(home), "configured", "other");
    const other = { ...environment, CLAUDE_CONFIG_DIR: join(home, "other") };
    expect(conversationFile("configured", home, other)).toBe(path);
    expect(conversationFile("configured", home, environment)).toBeUndefined();
  });
});
